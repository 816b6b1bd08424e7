"""Features of regimes in a lake: a night computes its session, a revision the rows that read it."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.features.derivation import feature_derivation
from pipelines.features.groups import FeatureGroup
from pipelines.features.regime_stand_ins import stand_in_states
from pipelines.features.regimes import MARKET_REGIMES, REGIME_GROUPS, SYMBOL_REGIMES
from pipelines.regimes.names import MARKET
from pipelines.regimes.tables import REGIME_STATES
from pipelines.tables import CLEAN_PRICES
from resources.derived_apart import derived_apart
from resources.feature_tables import bring_features_up_to_date
from resources.lake import Lake
from tests.support.clean_bars import simulated_clean_prices
from tests.support.lake import night_of, table_of, temporary_lake

BARS = simulated_clean_prices(
    np.random.default_rng(3), symbols=4, sessions=90, missing_share=0.0
).with_columns(known_at=pl.col("session").cast(pl.Datetime("us", "UTC")))
DAYS = BARS["session"].unique().sort().to_list()
STATES = stand_in_states(BARS)
LAST, OLD = DAYS[-1], DAYS[20]


def put(lake: Lake, **tables: pl.DataFrame) -> None:
    """Write rows into a lake."""
    named = {CLEAN_PRICES.name: CLEAN_PRICES, REGIME_STATES.name: REGIME_STATES}

    def write(writer: Any) -> None:
        for name, rows in tables.items():
            writer.merge(named[name], rows.select(named[name].column_names))

    lake.commit(write, night=night_of(), message="put rows")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with features of all sessions but the last; each test moves rows of its own."""
    lake = temporary_lake(tmp_path_factory.mktemp("lake") / "lake")
    before = pl.col("session") < LAST
    put(lake, clean_prices=BARS.filter(before), regime_states=STATES.filter(before))
    bring_features_up_to_date(lake, REGIME_GROUPS, night=night_of())
    return lake


def touched(lake: Lake) -> dict[str, int]:
    """Bring the tables up to date and return how many rows that wrote in each."""
    updates = bring_features_up_to_date(lake, REGIME_GROUPS, night=night_of())
    return {name: update.touched for name, update in updates.items()}


def assert_is_a_rebuild(lake: Lake) -> None:
    """Fail unless each table is what all rows at once make of it."""
    rows = {name: table_of(lake, name) for name in (CLEAN_PRICES.name, REGIME_STATES.name)}
    for name, made in derived_apart(rows, [feature_derivation(g) for g in REGIME_GROUPS]).items():
        assert_frame_equal(table_of(lake, name), made, check_exact=True)


def test_a_night_writes_the_rows_of_its_session_alone(lake: Lake) -> None:
    """It would write the history anew each night; or, told later than bars, leave it null."""
    is_last = pl.col("session") == LAST
    put(lake, clean_prices=BARS.filter(is_last))
    assert touched(lake) == {SYMBOL_REGIMES.name: 4, MARKET_REGIMES.name: 4}
    put(lake, regime_states=STATES.filter(is_last))
    assert touched(lake) == {SYMBOL_REGIMES.name: 4, MARKET_REGIMES.name: 4}
    assert touched(lake) == {SYMBOL_REGIMES.name: 0, MARKET_REGIMES.name: 0}
    assert_is_a_rebuild(lake)


@pytest.mark.parametrize(
    ("whose", "rows"),
    [
        ("S1", {SYMBOL_REGIMES: 1, MARKET_REGIMES: 1}),
        (MARKET, {SYMBOL_REGIMES: 0, MARKET_REGIMES: 4}),
    ],
    ids=["a symbol's", "the market's"],
)
@pytest.mark.parametrize("day", [OLD, DAYS[-2]], ids=["long ago", "the last"])
def test_a_revised_regime_moves_the_rows_that_read_it(
    lake: Lake, whose: str, rows: dict[FeatureGroup, int], day: date
) -> None:
    """A state that a backfill tells again would stand beside features of the one before."""
    is_it = (pl.col("symbol") == whose) & (pl.col("session") == day)
    put(lake, regime_states=STATES.filter(is_it).with_columns(bullish=0.5, bearish=0.25))
    assert touched(lake) == {group.name: count for group, count in rows.items()}
    assert_is_a_rebuild(lake)


def test_where_nothing_was_told_there_is_no_value(lake: Lake) -> None:
    """An abstention's four equal chances would pass for an opinion, a gap for an old one."""
    day = (pl.col("symbol") == "S2") & (pl.col("session") == OLD)
    put(lake, regime_states=STATES.filter(day).with_columns(abstain_reason=pl.lit("stale")))
    touched(lake)
    own = table_of(lake, SYMBOL_REGIMES.name).filter(day)
    assert set(own.drop("symbol", "session").row(0)) == {None}
    beside = table_of(lake, MARKET_REGIMES.name).filter(day)
    assert beside["market_bullish_probability"].item() is not None
    assert beside["regime_agreement"].item() is None
