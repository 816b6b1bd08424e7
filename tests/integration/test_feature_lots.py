"""Feature tables that are read and committed together are those that are derived apart."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines import derivation_batches
from pipelines.features.alpha158.bars import ALPHA158_BARS
from pipelines.features.alpha158.groups import ALPHA158_GROUPS
from pipelines.features.alpha158.prices import ALPHA158_LEVELS
from pipelines.features.alpha158.volumes import ALPHA158_VOLUMES
from pipelines.features.catalogue import CORE_GROUPS, GROUPS
from pipelines.features.derivation import feature_derivation, feature_lots
from pipelines.features.groups import FeatureGroup
from pipelines.features.language import close, delay
from pipelines.tables import CLEAN_PRICES
from resources.derived_apart import derived_apart
from resources.feature_tables import bring_features_up_to_date
from resources.lake import Lake
from tests.support.lake import SESSIONS, night_of, simulated_bars, table_of, temporary_lake
from tests.support.simulated_prices import clean_prices_of

TOGETHER = (ALPHA158_BARS, ALPHA158_LEVELS, ALPHA158_VOLUMES)
BARS = clean_prices_of(simulated_bars())
NEWEST = SESSIONS[-1]
REVISED = BARS.filter(symbol="S1", session=SESSIONS[30]).with_columns(pl.col("volume") * 2)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake whose tables were built together, a symbol a batch; the newest bars are not in it."""
    columns = sum(len(group.features) for group in TOGETHER)
    monkeypatch.setattr(derivation_batches, "VALUES_AT_ONCE", 100 * columns)
    made = temporary_lake(tmp_path / "lake")
    put(made, BARS.filter(pl.col("session") < NEWEST))
    bring_features_up_to_date(made, TOGETHER, night=night_of())
    return made


def put(lake: Lake, rows: pl.DataFrame) -> None:
    """Write clean prices."""
    lake.commit(lambda one: one.merge(CLEAN_PRICES, rows), night=night_of(), message="put prices")


def assert_are_those_derived_apart(lake: Lake, groups: Sequence[FeatureGroup] = TOGETHER) -> None:
    """Fail unless every table is what its own derivation makes of all bars, to the bit."""
    bars = {CLEAN_PRICES.name: table_of(lake, CLEAN_PRICES.name)}
    for name, rows in derived_apart(bars, [feature_derivation(one) for one in groups]).items():
        assert_frame_equal(table_of(lake, name), rows, check_exact=True)


def test_a_build_of_several_tables_equals_each_by_itself(lake: Lake) -> None:
    """A table's values would depend on which others a desk computes beside it."""
    assert_are_those_derived_apart(lake)
    assert table_of(lake, ALPHA158_LEVELS.name).drop_nulls().height > 0


def test_a_night_writes_all_tables_in_one_commit(lake: Lake) -> None:
    """A reader would see some tables of tonight beside others of yesterday."""
    put(lake, pl.concat([BARS.filter(session=NEWEST), REVISED]))
    before = lake.version()
    updates = bring_features_up_to_date(lake, TOGETHER, night=night_of())
    assert lake.version() == before + 1
    symbols = BARS.filter(session=NEWEST).height
    assert {update.inserted for update in updates.values()} == {symbols}
    assert updates[ALPHA158_VOLUMES.name].updated > 0
    assert updates[ALPHA158_BARS.name].updated == 0, "no bar's shape depends on volume"
    assert_are_those_derived_apart(lake)
    assert bring_features_up_to_date(lake, TOGETHER, night=night_of()) == {
        name: replace(update, inserted=0, updated=0, symbols=0) for name, update in updates.items()
    }


def test_another_definition_rewrites_its_own_table_alone(lake: Lake) -> None:
    """Every table beside it would wake what follows it, and a reader's old rows would be gone."""
    first, *others = ALPHA158_BARS.features
    changed = replace(first, expression=close / delay(close, 2) - 1)
    groups = (replace(ALPHA158_BARS, features=(changed, *others)), *TOGETHER[1:])
    updates = bring_features_up_to_date(lake, groups, night=night_of())
    assert {name for name, update in updates.items() if update.touched} == {ALPHA158_BARS.name}
    assert_are_those_derived_apart(lake, groups)


def test_a_table_that_is_chosen_later_joins_the_others(lake: Lake) -> None:
    """It would stay behind them, or have them all computed anew."""
    later = next(group for group in GROUPS if group.name == "alpha158_days")
    updates = bring_features_up_to_date(lake, (*TOGETHER, later), night=night_of())
    assert {name for name, update in updates.items() if update.touched} == {later.name}
    put(lake, BARS.filter(session=NEWEST))
    bring_features_up_to_date(lake, (*TOGETHER, later), night=night_of())
    assert_are_those_derived_apart(lake, (*TOGETHER, later))


def test_what_reads_other_symbols_or_far_back_is_read_for_itself() -> None:
    """A night would compute Alpha158 on the 250 rows that another table's momentum asks for."""
    lots = {tuple(one.table.name for one in lot.derivations) for lot in feature_lots(GROUPS)}
    core = tuple(group.name for group in CORE_GROUPS if not group.reads_other_symbols)
    assert {
        core,
        tuple(group.name for group in ALPHA158_GROUPS),
        ("cross_section_features",),
        ("standardized_features",),
        ("market_relative_features",),
        ("symbol_regime_features",),
        ("market_regime_features",),
    } == lots
