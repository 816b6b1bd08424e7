"""What a portfolio is: what it holds at which weights, and where it came from.

A portfolio that can't be valued or trusted keeps its place with the reason, so that a person sees
it; the others go on.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from pipelines.forecasts.curve import UnfitCurveError

INITIAL_VALUE = 100_000.0
"""Value at the start where nobody says one: what the backend's backtests start with."""
WEIGHT_TOLERANCE = 1e-6


class Source(StrEnum):
    """Where a portfolio comes from."""

    UNIVERSE = "universe"
    WATCHLIST = "watchlist"
    BACKTEST = "backtest"
    EXECUTION = "execution"
    FILE = "file"


OF_BACKEND = frozenset({Source.WATCHLIST, Source.BACKTEST, Source.EXECUTION})


class Rebalancing(StrEnum):
    """How often holdings are brought back to their weights."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


@dataclass(frozen=True)
class Portfolio:
    """One portfolio.

    Attributes:
        portfolio_id: Its name in all tables and documents.
        name: For people.
        source: Where it comes from.
        weights: Share of the value in each symbol at each rebalancing; the rest is cash.
        is_equal: Weights are alike and shared among the symbols that trade at a rebalancing.
        rebalancing: How often.
        value: Value at the start.
        start: First session wanted; None is the first possible one.
        values: Values before the holdings are marked by prices, session by session.
        values_end: Session of the last of them.
        reason: Code of why there is no forecast; None if nothing is wrong with the definition.
        message: The same in words.
    """

    portfolio_id: str
    name: str
    source: Source
    weights: Mapping[str, float] = field(default_factory=dict)
    is_equal: bool = False
    rebalancing: Rebalancing = Rebalancing.MONTHLY
    value: float = INITIAL_VALUE
    start: date | None = None
    values: tuple[float, ...] = ()
    values_end: date | None = None
    reason: str | None = None
    message: str | None = None

    def definition(self) -> str:
        """Return all that decides its value, as canonical JSON."""
        content = {
            "weights": dict(sorted(self.weights.items())),
            "is_equal": self.is_equal,
            "rebalancing": self.rebalancing.value,
            "value": self.value,
            "start": self.start and self.start.isoformat(),
            "values": list(self.values),
            "values_end": self.values_end and self.values_end.isoformat(),
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @property
    def definition_hash(self) -> str:
        """SHA-256 of the definition: another one is another portfolio with a record of its own."""
        return hashlib.sha256(self.definition().encode()).hexdigest()

    @classmethod
    def of_definition(
        cls, portfolio_id: str, name: str, source: str, definition: str
    ) -> "Portfolio":
        """Return the portfolio that a definition was written of."""
        content = json.loads(definition)
        return cls(
            portfolio_id,
            name,
            Source(source),
            weights=content["weights"],
            is_equal=content["is_equal"],
            rebalancing=Rebalancing(content["rebalancing"]),
            value=content["value"],
            start=content["start"] and date.fromisoformat(content["start"]),
            values=tuple(content["values"]),
            values_end=content["values_end"] and date.fromisoformat(content["values_end"]),
        )


def faulty(portfolio_id: str, name: str, source: Source, error: UnfitCurveError) -> Portfolio:
    """Return the place of a portfolio that can't be read, with the reason."""
    return Portfolio(portfolio_id, name, source, reason=error.reason, message=str(error))


def equal_weights(symbols: list[str]) -> dict[str, float]:
    """Return the same weight for each symbol.

    Raises:
        UnfitCurveError: there is none.
    """
    distinct = sorted(set(symbols))
    if not distinct:
        message = "it names no symbol: give it at least one"
        raise UnfitCurveError(NO_SYMBOLS, message)
    return dict.fromkeys(distinct, 1 / len(distinct))


def require_whole(weights: Mapping[str, float], cash: float = 0.0) -> None:
    """Refuse weights that are no shares of one whole.

    Raises:
        UnfitCurveError: naming the weight, or the sum.
    """
    for symbol, weight in {**weights, "cash": cash}.items():
        if not 0 <= weight <= 1:
            message = f"the weight of {symbol} is {weight}: weights lie between 0 and 1"
            raise UnfitCurveError(WEIGHTS, message)
    total = sum(weights.values()) + cash
    if abs(total - 1) > WEIGHT_TOLERANCE:
        message = (
            f"weights and cash sum to {total:.6g}, not to 1: correct them, or give the rest as cash"
        )
        raise UnfitCurveError(WEIGHTS, message)


NO_SYMBOLS = "no_symbols"
WEIGHTS = "weights_do_not_sum_to_one"
UNREADABLE = "unreadable"
UNKNOWN_SYMBOL = "unknown_symbol"
NO_ANSWER = "symbol_not_answered_yet"
UNKNOWN_DATES = "unknown_dates"
