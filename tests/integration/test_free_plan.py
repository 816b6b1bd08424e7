"""Nights on a free plan, day after day: a real server that checks, a real lake, a shared clock."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.markets.recorded import BAR_SCHEMA, RecordedMarket, with_adjusted_close
from pipelines.vendor.answers import Account
from resources.loopback_vendor import ServedRequest
from resources.vendor_faults import Fault
from tests.support.clocks import SteppingClock
from tests.support.lake import CALENDAR
from tests.support.vendor_nights import VendorNights

DAYS = CALENDAR.sessions(date(2012, 6, 1), date(2012, 11, 30))
FIRST_NIGHT = DAYS[60]


def small_market(
    symbols: Sequence[str], *, splits: Mapping[str, date] | None = None
) -> RecordedMarket:
    """Return bars of all days for each symbol, one cent apart, some with a split."""
    frames = []
    for number, symbol in enumerate(symbols):
        closes = pl.Series([10 + number + row / 100 for row in range(len(DAYS))])
        split_on = (splits or {}).get(symbol)
        halved = pl.Series([2.0 if split_on and day >= split_on else 1.0 for day in DAYS])
        frames.append(
            pl.DataFrame(
                {
                    "symbol": [symbol] * len(DAYS),
                    "session": DAYS,
                    "open": closes / halved,
                    "high": (closes + 1) / halved,
                    "low": (closes - 1) / halved,
                    "close": closes / halved,
                    "volume": [1000 + number] * len(DAYS),
                    "adjusted_close": closes,
                    "dividend_amount": [0.25 if row == 50 else 0.0 for row in range(len(DAYS))],
                    "split_coefficient": [2.0 if day == split_on else 1.0 for day in DAYS],
                },
                schema=BAR_SCHEMA,
            )
        )
    return RecordedMarket("sample", "XNYS", with_adjusted_close(pl.concat(frames)))


def of_day(served: Sequence[ServedRequest], function: str) -> list[str]:
    """Return the symbols that a function was asked for."""
    return [one.query["symbol"] for one in served if one.query["function"] == function]


@pytest.mark.slow
def test_sixty_symbols_fill_up_over_days_in_the_planned_order(tmp_path: Path) -> None:
    """25 requests a day, the cap checked by the server: watchlists first, nobody forgotten."""
    symbols = [f"S{number:02}" for number in range(60)]
    watched = {"S41", "S59"}
    market = small_market(symbols)
    nights = VendorNights(tmp_path, market, plan="free", preferred=watched)
    first_seen: list[str] = []
    for session in DAYS[60:69]:
        served = nights.run(session, symbols)
        assert not any(request.is_over_limit for request in served)
        assert len(served) <= 25
        first_seen += [s for s in of_day(served, "TIME_SERIES_DAILY") if s not in first_seen]
        if session == FIRST_NIGHT:
            assert len(served) == 25
            again = nights.run(session, symbols)
            assert again == [], "a restart on the same day has no budget left"
    assert first_seen == ["S41", "S59", *(s for s in symbols if s not in watched)]
    stored = nights.stored()
    assert stored["symbol"].n_unique() == 60
    latest = dict(stored.group_by("symbol").agg(pl.col("session").max()).iter_rows())
    assert min(latest.values()) >= DAYS[61], "who came first is asked again first"


@pytest.mark.slow
def test_an_unknown_symbol_does_not_eat_the_budget_every_night(tmp_path: Path) -> None:
    """Ten misspelt symbols would cost ten of 25 requests, every night, before all others."""
    nights = VendorNights(tmp_path, small_market(["AAA", "BBB"]), plan="free")
    asked = [
        of_day(nights.run(session, ["AAA", "BBB", "NOPE"]), "TIME_SERIES_DAILY").count("NOPE")
        for session in DAYS[60:66]
    ]
    assert asked == [1, 1, 0, 1, 0, 1], "the pauses double; a weekend lies before the last"


@pytest.mark.slow
def test_a_split_is_asked_for_when_a_price_moves_like_one(tmp_path: Path) -> None:
    """The lists of actions are a week old: without the question the index would fall by half."""
    split_on = DAYS[64]
    nights = VendorNights(tmp_path, small_market(["AAA"], splits={"AAA": split_on}), plan="free")
    functions = {}
    for session in DAYS[60:66]:
        served = nights.run(session, ["AAA"])
        functions[session] = [one.query["function"] for one in served]
        newest = nights.stored().tail(1).row(0, named=True)
        assert newest["session"] == session
    assert functions[DAYS[62]] == ["TIME_SERIES_DAILY"]
    assert functions[split_on][:3] == ["TIME_SERIES_DAILY", "SPLITS", "DIVIDENDS"]
    on_split = nights.stored().filter(session=split_on).row(0, named=True)
    assert on_split["split_coefficient"] == 2.0


def test_a_jump_that_nobody_explains_is_held_back(tmp_path: Path) -> None:
    """The splits can't be asked for: a crash by half must not enter before they were."""
    split_on = DAYS[64]
    market = small_market(["AAA"], splits={"AAA": split_on})
    nights = VendorNights(tmp_path, market, plan="free")
    nights.run(DAYS[62], ["AAA"])
    due = [None, Fault.GARBLED, Fault.GARBLED]
    nights.run(split_on, ["AAA"], faults={"AAA": due})
    assert nights.stored()["session"].max() == DAYS[63]
    nights.run(DAYS[65], ["AAA"])
    stored = nights.stored()
    assert stored["session"].max() == DAYS[65]
    assert stored.filter(session=split_on)["split_coefficient"].item() == 2.0


def test_a_refusal_of_the_adjusted_bars_is_answered_by_the_free_functions(tmp_path: Path) -> None:
    """A plan set too high in the settings costs refusals, not the night."""
    nights = VendorNights(
        tmp_path, small_market(["AAA", "BBB"]), plan="premium_75", account=Account(plan="free")
    )
    nights.run(FIRST_NIGHT, ["AAA", "BBB"], clock_step=1.0)
    assert nights.stored()["symbol"].n_unique() == 2


def test_the_budget_counts_from_the_vendors_midnight(tmp_path: Path) -> None:
    """At 03:00 UTC the vendor's day is still the one before: a fresh budget would be refused."""
    nights = VendorNights(tmp_path, small_market(["AAA"]), plan="free")
    nights.run(FIRST_NIGHT, ["AAA"])
    midnight = nights.night(FIRST_NIGHT).as_of + timedelta(hours=4)  # 00:00 US/Eastern
    assert nights.archive.spent_today(midnight - timedelta(minutes=1)) == nights.sent > 0
    assert nights.archive.spent_today(midnight) == 0


def test_the_clock_is_only_moved_by_waiting() -> None:
    """Else the tests above would prove nothing of the limits."""
    clock = SteppingClock(CALENDAR.known_at(FIRST_NIGHT))
    before = clock.now()
    clock.sleep(2.5)
    assert clock.now() - before == timedelta(seconds=2.5)
