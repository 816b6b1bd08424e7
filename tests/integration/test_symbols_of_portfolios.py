"""What backtests, executions and the file hold is asked of the vendor and valued the same night."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from assets.groups import Group
from pipelines.forecasts.curve import UnfitCurveError
from pipelines.nights import Night
from pipelines.universe import Universe
from resources.market import Market
from resources.portfolios import Portfolios
from resources.serving import Serving
from resources.watchlists import Watchlists
from tests.integration.test_free_plan import DAYS, FIRST_NIGHT, of_day, small_market
from tests.support.desk import TRAINED_SESSION, Desk
from tests.support.lake import DERIVATIONS
from tests.support.vendor_nights import VendorNights

UNIVERSE = [f"S{number:02}" for number in range(30)]
HELD = ["BOUGHT", "FILED", "PLANNED", "WATCHED"]
FILE = """
portfolios:
  - {id: mine, weights: {FILED: 0.5, S00: 0.5}}
  - {id: misspelt, weights: {FILD: 0.5, S00: 0.5}}
  - {id: heavy, weights: {NEVER: 2.0}}
"""


class HeldNights:
    """Nights that land what people watch and hold, ask, read and value, as the assets do."""

    def __init__(self, folder: Path, serving: Serving) -> None:
        """Start with an empty lake, on a key of 25 requests a day."""
        self.asking = VendorNights(folder, small_market([*UNIVERSE, *HELD]), plan="free")
        file = folder / "portfolios.yaml"
        file.write_text(FILE, encoding="utf-8")
        lake = self.asking.lake
        market = Market(name="alpha_vantage", universe_file=str(file))
        self.watchlists = Watchlists(lake=lake, serving=serving)
        self.portfolios = Portfolios(lake=lake, serving=serving, market=market, file=str(file))

    def run(self, session: date) -> tuple[list[str], dict[str, UnfitCurveError]]:
        """Run a night; return the symbols asked for, and the portfolios without values."""
        night = self.asking.night(session)
        self.watchlists.land(night=night)
        self.portfolios.land(night=night)
        self.asking.preferred = self.watchlists.wanted()
        universe = self.watchlists.joined_with(Universe(tuple(UNIVERSE)))
        asked = of_day(self.asking.run(session, universe), "TIME_SERIES_DAILY")
        return asked, self._valued(night)

    def _valued(self, night: Night) -> dict[str, UnfitCurveError]:
        """Bring clean prices and values up to date."""
        for derivation in DERIVATIONS[:3]:
            self.asking.lake.bring_up_to_date(derivation, night=night)
        return self.portfolios.mark(night=night)[1]


def put_portfolios(database: Database[dict[str, Any]]) -> None:
    """Write a watchlist, a plan, and an execution that has bought something."""
    start, end = DAYS[0], DAYS[9]
    config = {
        "symbols": ["planned", "not a symbol", "GONE"],
        "start_date": datetime(start.year, start.month, start.day, tzinfo=UTC),
        "end_date": datetime(end.year, end.month, end.day, tzinfo=UTC),
    }
    database["watchlists"].insert_one({"_id": "w", "name": "w", "symbols": ["WATCHED"]})
    database["backtests"].insert_many(
        [
            {"_id": "plan", "name": "plan", "status": "pending", "config": config},
            {"_id": "run", "name": "run", "status": "completed", "config": config},
        ]
    )
    database["backtest_executions"].insert_one(
        {
            "execution_id": "e",
            "backtest_id": "run",
            "status": "completed",
            "portfolio_values": [1000.0 + at for at in range(10)],
            "positions": {"BOUGHT": {"quantity": 2.0, "current_price": 50.0}},
        }
    )


@pytest.mark.slow
def test_what_is_held_is_asked_for_first_and_valued_the_same_night(
    tmp_path: Path, serving: Serving, database: Database[dict[str, Any]]
) -> None:
    """A user's backtest of a symbol that no one else follows would never have a forecast."""
    put_portfolios(database)
    nights = HeldNights(tmp_path, serving)
    asked, faults = nights.run(FIRST_NIGHT)
    held = [*HELD, "FILD", "GONE", "S00"]
    assert nights.watchlists.wanted() == sorted(held), "no word that is no symbol"
    assert asked[: len(held)] == sorted(held)
    assert len(asked) <= 25
    assert {name: error.reason for name, error in faults.items()} == {
        "file:heavy": "weights_do_not_sum_to_one",
        "file:misspelt": "unknown_symbol",
    }
    assert "no prices of FILD: the vendor was asked" in str(faults["file:misspelt"])
    valued = nights.portfolios.lake.read(
        "SELECT DISTINCT portfolio_id FROM portfolio_equity WHERE session = $session",
        {"session": FIRST_NIGHT},
    )
    assert sorted(valued["portfolio_id"]) == [
        *("backtest:plan", "execution:e", "file:mine", "watchlist:w")
    ]


@pytest.mark.slow
def test_a_portfolio_waits_until_the_budget_has_reached_its_symbols(
    tmp_path: Path, serving: Serving, database: Database[dict[str, Any]]
) -> None:
    """Valued in part, its past would be another one the night after."""
    many = UNIVERSE[:16]
    database["watchlists"].insert_one({"_id": "long", "name": "long", "symbols": many})
    nights, missing = HeldNights(tmp_path, serving), {*many}
    for session in DAYS[DAYS.index(FIRST_NIGHT) :][:4]:
        asked, faults = nights.run(session)
        missing -= {*asked}
        fault = faults.get("watchlist:long")
        if not missing:
            break
        assert fault is not None
        assert fault.reason == "symbol_not_answered_yet"
        assert str(fault).startswith(f"no prices of {', '.join(sorted(missing))} yet")
    assert session > FIRST_NIGHT, "25 requests did not reach all of them"
    assert fault is None


@pytest.mark.slow
def test_a_night_asks_for_what_a_backtest_of_the_day_holds(
    tmp_path: Path, serving: Serving, database: Database[dict[str, Any]]
) -> None:
    """Landed after the vendor was asked, it would have to wait for the next night."""
    put_portfolios(database)
    desk = Desk(tmp_path, serving)
    done = desk.run_group(Group.INGEST, TRAINED_SESSION)
    assert done.success
    asked = desk.lake.read("SELECT symbol FROM vendor_responses ORDER BY response_id")["symbol"]
    assert [*asked.unique(maintain_order=True)[:4]] == ["BOUGHT", "GONE", "PLANNED", "WATCHED"]
    known = set(desk.lake.read("SELECT DISTINCT symbol FROM daily_prices")["symbol"])
    assert known == {"AAPL", "GOOG", "IBM", "MSFT"}
