"""Faults are put where it is said they are, as large as it is said, and nowhere else."""

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest

from pipelines.anomalies.fault_injection.injection import (
    DAILY_ROOM,
    FAULT_SCHEMA,
    WEEKLY_ROOM,
    InjectedFaults,
    inject,
    sliced,
)
from pipelines.anomalies.fault_injection.kinds import (
    FAULT_KINDS,
    SHRINKING_BODY,
    WEEKLY_MISMATCH,
)
from pipelines.anomalies.fault_injection.weeks import weekly_bars
from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.markets.simulated import simulate_market
from pipelines.markets.simulation.settings import SimulationSettings

KEY = ["symbol", "session"]
TRADED = ["open", "high", "low", "close", "volume"]
BY_NAME = pytest.mark.parametrize("name", FAULT_KINDS)


@pytest.fixture(scope="module")
def clean() -> pl.DataFrame:
    """A small market without faults."""
    market, _ = simulate_market(SimulationSettings(24, 120, seed=7))
    return market.bars


@pytest.fixture(scope="module")
def faulty(clean: pl.DataFrame) -> Callable[[str], InjectedFaults]:
    """The same market with faults of a kind, each made once."""
    made: dict[str, InjectedFaults] = {}

    def of(name: str) -> InjectedFaults:
        if name not in made:
            made[name] = inject(clean, FAULT_KINDS[name], np.random.default_rng(3), share=0.7)
        return made[name]

    return of


@BY_NAME
def test_every_victim_bears_one_fault_with_bars_around_it(
    name: str, clean: pl.DataFrame, faulty: Callable[[str], InjectedFaults]
) -> None:
    """Rules need a past to judge by, and two faults in one series could not be told apart."""
    faults = faulty(name).faults
    assert faults.schema == FAULT_SCHEMA
    assert faults.height >= 8
    assert faults["symbol"].is_unique().all()
    around = (
        clean.join(faults.select("symbol", begins="session"), on="symbol")
        .group_by("symbol")
        .agg(
            before=(pl.col("session") < pl.col("begins")).sum(),
            after=(pl.col("session") >= pl.col("begins")).sum(),
        )
    )
    assert around["before"].min() >= DAILY_ROOM.before  # type: ignore[operator]
    # What comes a second time comes up to three sessions after the first.
    assert around["after"].min() >= DAILY_ROOM.after - 3  # type: ignore[operator]


@BY_NAME
def test_bars_of_the_others_stay_as_they_were(
    name: str, clean: pl.DataFrame, faulty: Callable[[str], InjectedFaults]
) -> None:
    """A clean bar that changed would be counted as a false alarm when it is found."""
    injected = faulty(name)
    others = injected.bars.join(injected.faults, on="symbol", how="anti")
    assert others.equals(clean.join(others.select(KEY), on=KEY, how="semi"))
    assert injected.bars.schema == BAR_SCHEMA
    assert injected.bars.equals(injected.bars.sort(KEY, maintain_order=True))


@pytest.mark.parametrize(
    "name", [name for name in FAULT_KINDS if not name.startswith(("split", "dividend", "gap"))]
)
def test_a_victims_prices_and_volume_change_within_its_fault_alone(
    name: str, clean: pl.DataFrame, faulty: Callable[[str], InjectedFaults]
) -> None:
    """What is wrong outside the positions would make recall and precision a lottery.

    Splits and dividends that are done wrongly took place all the same: later bars are at the
    rightful new level.
    """
    injected = faulty(name)
    changed = injected.bars.join(clean, on=[*KEY, *TRADED], how="anti")
    spans = injected.faults.select("symbol", first="session", last="last_session")
    beside = changed.join(spans, on="symbol", how="left")
    assert beside.select(pl.col("session").is_between("first", "last")).to_series().all()


@BY_NAME
def test_every_fault_changes_something(
    name: str, clean: pl.DataFrame, faulty: Callable[[str], InjectedFaults]
) -> None:
    """A fault that leaves the bars as they were could not be found by anyone."""
    injected = faulty(name)
    columns = BAR_SCHEMA.names()
    counted = injected.bars.group_by(columns).len(name="copies")
    same = clean.with_columns(copies=pl.lit(1, dtype=pl.get_index_type()))
    changed = counted.join(same, on=[*columns, "copies"], how="anti")["symbol"]
    lost = same.join(counted, on=KEY, how="anti")["symbol"]
    assert set(injected.faults["symbol"]) <= set(changed) | set(lost)


def test_the_same_generator_makes_the_same_faults(clean: pl.DataFrame) -> None:
    """Else a printed miss could not be looked into."""
    kind = FAULT_KINDS["unit_of_run"]
    first, again = (inject(clean, kind, np.random.default_rng(11)) for _ in range(2))
    assert first.bars.equals(again.bars)
    assert first.faults.equals(again.faults)
    other = inject(clean, kind, np.random.default_rng(12))
    assert not other.faults.equals(first.faults)


def test_an_unapplied_split_leaves_all_later_bars_at_the_new_level(clean: pl.DataFrame) -> None:
    """That is how the vendor errs: price and volume in new shares, and no coefficient."""
    kind = FAULT_KINDS["split_not_applied"]
    injected = inject(clean, kind, np.random.default_rng(5), share=1.0)
    both = (
        injected.bars.join(clean, on=KEY, suffix="_clean")
        .join(injected.faults.select("symbol", "magnitude", begins="session"), on="symbol")
        .filter(pl.col("session") >= pl.col("begins"))
    )
    close = both["close"] * both["magnitude"] / both["close_clean"]
    assert (close - 1).abs().max() < 0.05  # type: ignore[operator]  # cents of a penny stock
    volume = both["volume"] / both["magnitude"] / both["volume_clean"]
    assert (volume - 1).abs().max() < 1e-3  # type: ignore[operator]
    assert both["split_coefficient"].equals(
        both["split_coefficient_clean"].alias("split_coefficient")
    )


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("split_not_applied", 1.5, 10.0),
        ("unit_of_bar", 10.0, 1000.0),
        ("adjusted_close_drift", 1.01, 1.5),
        ("stale_run", 3.0, 15.0),
        ("gap", 1.0, 10.0),
    ],
)
def test_magnitudes_keep_to_their_range(name: str, low: float, high: float) -> None:
    """The rates are claimed for these ranges, so both ends must be drawn from and not passed."""
    market, _ = simulate_market(SimulationSettings(60, 60, seed=2, strength=0.0))
    kind, rng = FAULT_KINDS[name], np.random.default_rng(1)
    drawn = pl.concat(inject(market.bars, kind, rng, share=1.0).faults for _ in range(3))
    magnitude = drawn["magnitude"] + (1.0 if name == "adjusted_close_drift" else 0.0)
    size = pl.select(pl.max_horizontal(magnitude, 1 / magnitude)).to_series()
    assert size.min() >= low - 1e-9  # type: ignore[operator]
    assert size.max() <= high + 1e-9  # type: ignore[operator]
    assert size.min() < low + 0.3 * (high - low)  # type: ignore[operator]
    assert size.max() > low + 0.7 * (high - low)  # type: ignore[operator]


def test_another_symbols_bars_need_another_symbol(clean: pl.DataFrame) -> None:
    """A panel of one symbol can't be sent someone else's bars: no fault rather than a false one."""
    alone = clean.filter(symbol=clean["symbol"][0])
    injected = inject(alone, FAULT_KINDS["wrong_symbol"], np.random.default_rng(1), share=1.0)
    assert injected.faults.is_empty()
    assert injected.bars.equals(alone)


def test_slices_keep_every_bar_and_its_session(clean: pl.DataFrame) -> None:
    """A long recording in pieces bears many faults, and is the same recording."""
    pieces = sliced(clean, rows=50)
    assert pieces.group_by("symbol").len()["len"].max() == 50
    whole = pieces.with_columns(pl.col("symbol").str.split("~").list.first()).sort(KEY)
    assert whole.equals(clean)


def test_weekly_bars_hold_what_their_days_hold() -> None:
    """Weeks that disagree with their days before any fault would be found for the wrong reason."""
    days = pl.DataFrame(
        {
            "symbol": ["A"] * 4,
            # Thursday, Friday, and after a holiday Tuesday and Wednesday.
            "session": [date(2024, 5, 23), date(2024, 5, 24), date(2024, 5, 28), date(2024, 5, 29)],
            "open": [10.0, 11.0, 12.0, 13.0],
            "high": [15.0, 14.0, 13.0, 16.0],
            "low": [9.0, 8.0, 11.0, 10.0],
            "close": [11.0, 12.0, 12.5, 15.0],
            "volume": [100, 200, 300, 400],
            "adjusted_close": [5.5, 6.0, 12.5, 15.0],
            "dividend_amount": [0.5, 0.25, 0.0, 0.0],
            "split_coefficient": [1.0, 1.0, 2.0, 1.0],
        },
        schema=BAR_SCHEMA,
    )
    assert weekly_bars(days).rows() == [
        ("A", date(2024, 5, 24), 10.0, 15.0, 8.0, 12.0, 300, 6.0, 0.75, 1.0),
        ("A", date(2024, 5, 29), 12.0, 16.0, 10.0, 15.0, 700, 15.0, 0.0, 2.0),
    ]


def test_a_wrong_week_differs_in_one_field(clean: pl.DataFrame) -> None:
    """The days are right: only the weekly bar that is named may contradict them."""
    weeks = weekly_bars(clean)
    rng = np.random.default_rng(4)
    injected = inject(weeks, WEEKLY_MISMATCH, rng, share=1.0, room=WEEKLY_ROOM)
    changed = injected.bars.join(weeks, on=[*KEY, *TRADED], how="anti")
    assert changed.select(KEY).equals(injected.faults.select(KEY))
    beside = changed.join(weeks, on=KEY, suffix="_right")
    differing = sum((beside[name] != beside[f"{name}_right"]).cast(pl.Int64) for name in TRADED)
    assert isinstance(differing, pl.Series)
    assert differing.to_list() == [1] * changed.height


def test_a_shrunk_history_keeps_the_bars_that_it_keeps(clean: pl.DataFrame) -> None:
    """Only rows are lost, as many as are told, and never all of them."""
    injected = inject(clean, SHRINKING_BODY, np.random.default_rng(4), share=1.0)
    assert injected.bars.join(clean, on=clean.columns, how="anti").is_empty()
    lost = clean.join(injected.bars, on=KEY, how="anti").group_by("symbol").len(name="lost")
    told = injected.faults.select("symbol", "wrong_bars").join(lost, on="symbol")
    assert told["wrong_bars"].to_list() == told["lost"].to_list()
    assert told.height == injected.faults.height
    assert set(injected.bars["symbol"]) == set(clean["symbol"])
