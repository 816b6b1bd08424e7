"""What was known at an instant is what the lake held then, to the bit."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.features.derivation import FEATURE_DERIVATIONS
from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.sample import load_sample_market
from pipelines.prices.knowledge import ASSUMED, OBSERVED
from resources.knowledge import as_known, prices_as_known
from resources.lake_reading import reading
from tests.support.lake import CALENDAR
from tests.support.landed_bodies import LandedNights, body_of, changed

NIGHTS = CALENDAR.sessions(date(2012, 6, 25), date(2012, 7, 3))
DIVIDEND = date(2012, 8, 9)
"""AAPL pays 2.65 dollars: every adjusted close before it moves."""
BAR, OTHER_BAR, LATE = date(2012, 6, 4), date(2012, 5, 21), date(2012, 7, 2)
TECHNICAL = FEATURE_DERIVATIONS["technical_features"]
TABLES = ("daily_prices", "quarantined_prices", "clean_prices", "technical_features")
NEARLY = ("adjusted_close", "response_id")
"""Moved back by the factor of a later dividend, a close is a digit or two off, and which response
had said it before is not told."""
Tables = Mapping[str, pl.DataFrame]


def corrections(market: RecordedMarket) -> list[dict[str, dict[str, object]]]:
    """Return what the vendor sends on each night: changes of values, nonsense, and its healing."""

    def sent(night: int, symbol: str, days: list[date], **factors: float) -> dict[str, object]:
        return changed(body_of(market, symbol, NIGHTS[night]), days, **factors)

    cents = dict.fromkeys(("open", "high", "low", "close"), 100.0)
    wide = {"close": 1.003, "high": 1.01, "low": 0.99}
    return [
        {name: sent(0, name, []) for name in ("AAPL", "IBM")},
        {"IBM": sent(1, "IBM", [BAR], **wide), "AAPL": sent(1, "AAPL", [])},
        {"IBM": sent(2, "IBM", [BAR], **cents)},  # withheld, the former in force
        {"IBM": sent(3, "IBM", [BAR], **wide), "AAPL": sent(3, "AAPL", [OTHER_BAR], **wide)},
        {},
        {"IBM": sent(5, "IBM", [BAR, LATE], high=1.02, low=0.98)},
        {"IBM": sent(6, "IBM", []), "AAPL": sent(6, "AAPL", [])},
    ]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> tuple[LandedNights, list[Tables]]:
    """A desk after nights of revisions and a dividend, and what it held after each of them."""
    bars = load_sample_market().bars
    market = RecordedMarket("sample", "XNYS", bars.filter(bars["session"] >= date(2012, 3, 1)))
    nights = LandedNights(tmp_path_factory.mktemp("desk"))
    held = []
    bodies = [*corrections(market), {"AAPL": body_of(market, "AAPL", DIVIDEND)}]
    for session, sent in zip([*NIGHTS, DIVIDEND], bodies, strict=True):
        nights.run(session, sent)
        nights.lake.bring_up_to_date(TECHNICAL, night=nights.night(session))
        held.append({name: nights.table(name) for name in TABLES})
    return nights, held


def instants(desk: LandedNights) -> list[datetime]:
    """Return the instant of every night."""
    return [desk.night(session).as_of for session in [*NIGHTS, DIVIDEND]]


@pytest.mark.parametrize("number", range(len(NIGHTS) + 1))
def test_what_was_known_is_what_the_lake_held(
    desk: tuple[LandedNights, list[Tables]], number: int
) -> None:
    """Every value of prices and features, each with the revision of its time."""
    nights, held = desk
    known = as_known(nights.lake, instants(nights)[number], derivations=[TECHNICAL])
    for name in TABLES:
        is_same = pl.exclude(*NEARLY)
        expected, actual = held[number][name], known[name].select(held[number][name].columns)
        assert_frame_equal(actual.select(is_same), expected.select(is_same), check_exact=True)
        if "adjusted_close" in expected.columns:
            moved = actual["adjusted_close"] / expected["adjusted_close"] - 1
            assert (moved.abs() < 1e-4).all()


def test_the_nights_differ(desk: tuple[LandedNights, list[Tables]]) -> None:
    """Equal tables on every night would prove nothing: each revision moves features of its past."""
    past = [one["technical_features"].filter(pl.col("session") <= NIGHTS[0]) for one in desk[1]]
    moved = [not one.equals(other) for one, other in pairwise(past)]
    assert moved == [True, False, True, False, True, True, False]


def test_later_revisions_move_nothing_that_was_known(
    desk: tuple[LandedNights, list[Tables]],
) -> None:
    """Proof by mutation: the lake learns something else, the past it knew must not move."""
    nights, _ = desk
    instant = instants(nights)[2]
    before = as_known(nights.lake, instant, derivations=[TECHNICAL])
    market = RecordedMarket("sample", "XNYS", load_sample_market().bars)
    later = date(2012, 8, 10)
    sent = changed(body_of(market, "IBM", later), [BAR, OTHER_BAR], close=1.01, high=1.03)
    days = {day: bar for day, bar in sent["Time Series (Daily)"].items() if day >= "2012-03-01"}
    nights.run(later, {"IBM": {**sent, "Time Series (Daily)": days}})
    assert nights.table("daily_prices").filter(symbol="IBM", session=BAR)["revision"].item() > 4
    after = as_known(nights.lake, instant, derivations=[TECHNICAL])
    for name in TABLES:
        same = pl.exclude(*NEARLY)
        assert_frame_equal(after[name].select(same), before[name].select(same), check_exact=True)


def test_assumed_and_observed_knowledge_are_told_apart(
    desk: tuple[LandedNights, list[Tables]],
) -> None:
    """History of the first load was never seen at its time; what came or changed later was."""
    nights, _ = desk
    known = prices_as_known(nights.lake, instants(nights)[1])
    basis = {
        (row["symbol"], row["session"]): row["known_at_basis"]
        for row in known.iter_rows(named=True)
    }
    assert basis["IBM", OTHER_BAR] == ASSUMED
    assert basis["IBM", BAR] == OBSERVED  # revised on the second night
    assert basis["IBM", NIGHTS[1]] == OBSERVED  # came with it
    first = prices_as_known(nights.lake, instants(nights)[0])
    assert set(first["known_at_basis"]) == {ASSUMED}


def test_a_night_before_its_end_knows_nothing_of_it(
    desk: tuple[LandedNights, list[Tables]],
) -> None:
    """A microsecond before the instant of a night, the night before is what is known."""
    nights, held = desk
    just_before = instants(nights)[1] - timedelta(microseconds=1)
    known = prices_as_known(nights.lake, just_before)
    kept = pl.exclude(*NEARLY)
    assert_frame_equal(
        known.select(held[0]["daily_prices"].columns).select(kept),
        held[0]["daily_prices"].select(kept),
    )


def test_before_all_history_nothing_is_known(desk: tuple[LandedNights, list[Tables]]) -> None:
    """Assumed knowledge begins when each bar was final, not with the first load."""
    nights, _ = desk
    instant = CALENDAR.known_at(date(2012, 4, 2))
    known = prices_as_known(nights.lake, instant)
    assert known["session"].max() == date(2012, 4, 2)
    assert set(known["known_at_basis"]) == {ASSUMED}


def test_the_shell_knows_it_too(desk: tuple[LandedNights, list[Tables]]) -> None:
    """`FROM prices_as_known(TIMESTAMPTZ '…')` in `make sql`."""
    nights, held = desk
    instant = instants(nights)[2].isoformat()
    with reading(nights.lake) as connection:
        known = connection.sql(f"FROM prices_as_known(TIMESTAMPTZ '{instant}')").pl()
    assert known["volume"].to_list() == held[2]["daily_prices"]["volume"].to_list()
