"""Feature tables that two processes build at a time, on a catalog in PostgreSQL."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines import derivation_batches
from pipelines.features.catalogue import GROUPS
from pipelines.features.derivation import FEATURE_DERIVATIONS
from pipelines.features.market_returns import MARKET_RETURNS_DERIVATION
from pipelines.tables import CLEAN_PRICES, CONSUMER_POSITIONS
from resources.derived_apart import derived_apart
from resources.feature_parts import Part, UnusablePartError, build_part, finish_parts
from resources.feature_tables import bring_features_up_to_date
from resources.lake import Lake
from resources.settings import Settings
from resources.wiring import build_lake
from tests.support.lake import night_of, simulated_bars, table_of, temporary_lake
from tests.support.postgres import PostgresServer
from tests.support.simulated_prices import clean_prices_of

BARS = clean_prices_of(simulated_bars())
SMALL = 3000
"""Values of a batch, so that each symbol is one."""
BUILD = f"""
from pipelines import derivation_batches
derivation_batches.VALUES_AT_ONCE = derivation_batches.SESSION_VALUES_AT_ONCE = {SMALL}
from commands.build_features import main
main()
"""
CORE = GROUPS[:5]


def put(lake: Lake, bars: pl.DataFrame) -> None:
    """Write clean prices, and what they tell of the market."""
    lake.commit(lambda one: one.merge(CLEAN_PRICES, bars), night=night_of(), message="put prices")
    lake.bring_up_to_date(MARKET_RETURNS_DERIVATION, night=night_of())


def positions(lake: Lake) -> pl.DataFrame:
    """Return what tables have read of which sources."""
    return table_of(lake, CONSUMER_POSITIONS.name)


def test_two_processes_build_what_one_does(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row would be lost or doubled between two parts, or differ in its last digits."""
    monkeypatch.setenv("NIGHTDESK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NIGHTDESK_LAKE_DATABASE", postgres.database())
    monkeypatch.setenv("NIGHTDESK_FEATURE_GROUPS", "all")
    monkeypatch.setenv("DAGSTER_HOME", "")
    lake = build_lake(Settings())
    put(lake, BARS)
    command = [sys.executable, "-c", BUILD, "--part"]
    both = [subprocess.Popen([*command, f"{number}/2"]) for number in (1, 2)]
    assert [process.wait() for process in both] == [0, 0]
    finish_parts(lake, GROUPS, of=2, night=night_of())
    sources = {CLEAN_PRICES.name: BARS, "market_returns": table_of(lake, "market_returns")}
    for name, rows in derived_apart(sources, list(FEATURE_DERIVATIONS.values())).items():
        assert_frame_equal(table_of(lake, name), rows, check_exact=True)
    files = lake.read("FROM ducklake_list_files('lake', 'alpha158_bars')")
    years = BARS["session"].dt.year().n_unique()
    assert files.height == 2 * years, "a process writes a file a year"
    updates = bring_features_up_to_date(lake, GROUPS, night=night_of())
    assert {update.touched for update in updates.values()} == {0}


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake with clean prices and no features."""
    monkeypatch.setattr(derivation_batches, "VALUES_AT_ONCE", SMALL)
    made = temporary_lake(tmp_path / "lake")
    put(made, BARS)
    return made


def test_a_part_that_stands_is_not_built_again(lake: Lake) -> None:
    """Whoever starts a killed build again would double the rows of the parts that stand."""
    built = [build_part(lake, CORE, Part(1, 2), night=night_of()) for _ in range(2)]
    assert [len(updates) for updates in built] == [len(CORE), 0]


def test_a_missing_part_is_named(lake: Lake) -> None:
    """Tables with half of their symbols would count as whole."""
    build_part(lake, CORE, Part(2, 3), night=night_of())
    with pytest.raises(UnusablePartError, match=r"technical_features lacks the parts 1/3, 3/3"):
        finish_parts(lake, CORE, of=3, night=night_of())
    assert "technical_features (part" not in positions(lake)["consumer"].to_list()


def test_parts_of_different_bars_are_refused_and_the_night_makes_it_right(lake: Lake) -> None:
    """Symbols would be cut otherwise, and some of them be in no part or in two."""
    build_part(lake, CORE, Part(1, 2), night=night_of())
    changed = BARS.filter(symbol="S1").with_columns(pl.col("volume") * 2)
    put(lake, changed)
    with pytest.raises(UnusablePartError, match="clean_prices changed between lake versions"):
        build_part(lake, CORE, Part(2, 2), night=night_of())
    bring_features_up_to_date(lake, CORE, night=night_of())
    sources = {CLEAN_PRICES.name: table_of(lake, CLEAN_PRICES.name)}
    derivations = [FEATURE_DERIVATIONS[group.name] for group in CORE]
    for name, rows in derived_apart(sources, derivations).items():
        assert_frame_equal(table_of(lake, name), rows, check_exact=True)


def test_tables_that_a_night_has_filled_are_left_alone(lake: Lake) -> None:
    """Every row would be there twice."""
    bring_features_up_to_date(lake, CORE, night=night_of())
    assert build_part(lake, CORE, Part(1, 2), night=night_of()) == []
    lake.commit(
        lambda one: one.connection.execute("DELETE FROM consumer_positions"),
        night=night_of(),
        message="forget",
    )
    with pytest.raises(UnusablePartError, match="technical_features holds rows"):
        build_part(lake, CORE, Part(1, 2), night=night_of())


@pytest.mark.parametrize("words", ["0/2", "3/2", "1", "one/2", "1/-2", ""])
def test_words_that_name_no_part_are_refused(words: str) -> None:
    """A part that nobody asked for would be built, or none."""
    with pytest.raises(UnusablePartError, match="names no part"):
        Part.parse(words)
