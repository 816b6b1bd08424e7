"""A lake of an older Nightdesk: derived tables are made anew, the others only gain columns."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from pipelines.features.derivation import FEATURE_DERIVATIONS
from pipelines.tables import CLEAN_PRICES, NIGHTS
from resources import lake_attachment
from resources.lake import Lake
from resources.lake_errors import UpgradeError
from tests.support.lake import (
    copy_of,
    daily_rows,
    derive_all,
    night_of,
    put_bars,
    simulated_bars,
    table_of,
    temporary_lake,
)

TECHNICAL = FEATURE_DERIVATIONS["technical_features"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with everything derived."""
    made = temporary_lake(tmp_path_factory.mktemp("lakes") / "lake")
    put_bars(made, daily_rows(simulated_bars()))
    derive_all(made)
    return made


@pytest.fixture
def lake(made: Lake, tmp_path: Path) -> Lake:
    """A copy of it that a test may change."""
    return copy_of(made, tmp_path / "lake")


def change_as_older(lake: Lake, statement: str) -> None:
    """Change the lake as an older Nightdesk would have left it, and forget the attachment."""
    with lake.connect() as connection:
        connection.execute(statement)
    lake_attachment.detach(lake.catalog_path)


def test_a_derived_table_with_other_columns_is_made_anew(lake: Lake) -> None:
    """Its rows follow from others: keeping the old ones would mix two definitions."""
    table = TECHNICAL.table.name
    whole = table_of(lake, table)
    change_as_older(lake, f"ALTER TABLE {table} DROP COLUMN return_1")
    assert lake.read(f"SELECT count(*) FROM {table}").item() == 0
    derive_all(lake)
    assert table_of(lake, table).equals(whole)


def test_tables_downstream_of_a_remade_one_are_derived_again(lake: Lake) -> None:
    """A change feed that begins in another table's life can't be read on."""
    features = table_of(lake, "technical_features")
    change_as_older(lake, f"ALTER TABLE {CLEAN_PRICES.name} DROP COLUMN known_at")
    assert lake.read("SELECT count(*) FROM clean_prices").item() == 0
    updates = derive_all(lake)
    assert updates["clean_prices"].inserted > 0
    assert updates["technical_features"].touched == 0, "equal rows are not written again"
    assert table_of(lake, "technical_features").equals(features)


def test_a_table_that_cannot_be_had_again_gains_an_empty_column(lake: Lake) -> None:
    """Nights are history: they must survive, whatever a newer version wants to know of them."""
    before = lake.read("SELECT count(*) FROM nights").item()
    change_as_older(lake, f"ALTER TABLE {NIGHTS.name} DROP COLUMN lake_snapshot")
    assert lake.read("SELECT count(*) FROM nights").item() == before
    assert lake.read("SELECT count(lake_snapshot) FROM nights").item() == 0


def test_a_value_that_nobody_has_is_refused_in_words(lake: Lake) -> None:
    """A made-up revision number would be worse than a clear refusal."""
    change_as_older(lake, "ALTER TABLE daily_prices DROP COLUMN revision")
    with pytest.raises(UpgradeError, match=r"daily_prices\.revision has no value for old rows"):
        lake.version()
    with pytest.raises(UpgradeError, match="NIGHTDESK_HOME"):
        lake.version()


def test_an_up_to_date_lake_is_left_alone(lake: Lake) -> None:
    """An upgrade at every start would write a version each time."""
    version = lake.version()
    change_as_older(lake, "SELECT 1")
    assert lake.version() == version


def test_an_older_history_is_cut_by_year_from_then_on(lake: Lake) -> None:
    """A night would read all its files to see the newest sessions."""
    change_as_older(lake, "ALTER TABLE daily_prices RESET PARTITIONED BY")
    rows = daily_rows(simulated_bars(seed=2))
    put_bars(lake, rows)
    folders = {path.parent.name for path in Path(lake.data_path).glob("main/daily_prices/*/*")}
    assert folders >= {"year=2012", "year=2013"}
    held = table_of(lake, "daily_prices")
    assert held.join(rows, on=rows.columns, how="semi").height == rows.height


def test_another_recipe_derives_the_table_from_scratch(lake: Lake) -> None:
    """A formula that changes without its column's name must not leave old values behind."""

    def with_halves(rows: pl.DataFrame) -> pl.DataFrame:
        assert TECHNICAL.transform
        return TECHNICAL.transform(rows).with_columns(pl.col("return_1") / 2)

    halved = replace(TECHNICAL, transform=with_halves, revision="halves")
    before = table_of(lake, "technical_features")
    update = lake.bring_up_to_date(halved, night=night_of())
    after = table_of(lake, "technical_features")
    has_return = before.filter(before["return_1"].is_not_null() & (before["return_1"] != 0))
    assert update.updated == has_return.height
    assert after["return_20"].equals(before["return_20"])
    assert not after["return_1"].equals(before["return_1"])


def test_a_foreign_table_of_that_name_is_not_dropped(tmp_path: Path) -> None:
    """Only a lake of ours is upgraded: its identity is checked first."""
    lake = temporary_lake(tmp_path / "lake")
    lake.version()
    change_as_older(lake, "DROP TABLE lake_identity")
    with pytest.raises(RuntimeError, match="did not make"):
        lake.version()
