"""Prices of what portfolios hold, as the lake has them."""

from collections.abc import Collection, Iterable
from datetime import date

from pipelines.forecasts.equity import MarketPanel
from pipelines.forecasts.portfolios import Portfolio
from pipelines.vendor.refusals import RefusalKind
from pipelines.vendor.requests import DAILY_FUNCTION, PLAIN_DAILY_FUNCTION
from pipelines.vendor.responses import DATA
from pipelines.watchlists import SYMBOL
from resources.lake import Lake

PRICES_QUERY = (
    "SELECT symbol, session, total_return_index FROM clean_prices WHERE session <= $session "
    "AND list_contains($symbols, symbol) ORDER BY session, symbol"
)
ANSWERED_QUERY = (
    "SELECT DISTINCT symbol FROM vendor_responses WHERE list_contains($symbols, symbol) "
    "AND list_contains($functions, function) AND list_contains($outcomes, outcome)"
)
ANSWERS = {
    "functions": [DAILY_FUNCTION, PLAIN_DAILY_FUNCTION],
    "outcomes": [DATA, RefusalKind.BAD_CALL.value],
}
"""Bars, or that there are none; a fault or a spent budget is no answer."""


def held_panel(lake: Lake, portfolios: Iterable[Portfolio], session: date) -> MarketPanel:
    """Return clean prices of all symbols held, through a session."""
    symbols = sorted({symbol for one in portfolios for symbol in one.weights})
    prices = lake.read(PRICES_QUERY, {"session": session, "symbols": symbols})
    return MarketPanel.of(prices, _unanswered(lake, {*symbols} - {*prices["symbol"]}))


def _unanswered(lake: Lake, symbols: Collection[str]) -> set[str]:
    """Return the symbols that the vendor may be asked for and has not answered yet."""
    askable = sorted(filter(SYMBOL.fullmatch, symbols))
    answered = lake.read(ANSWERED_QUERY, {"symbols": askable, **ANSWERS})["symbol"]
    return {*askable} - {*answered}
