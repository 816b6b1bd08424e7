"""A version of the lake read as if it were the newest, and lakes that a later Nightdesk reads."""

from pathlib import Path

import duckdb
import pytest

from pipelines.table import Column, Table, create_statement
from pipelines.tables import TABLES, WATCHLISTS
from pipelines.watchlists import watchlist_rows
from resources import past_lake
from resources.lake import Lake
from resources.past_lake import PastLake
from resources.refill import columns_changed
from tests.support.lake import temporary_lake
from tests.support.quality_tables import AS_OF, NIGHT

LATER_TABLE = Table("later", "A table.", ("one",), (Column("one", "INTEGER", "A number."),))
SYMBOLS = "SELECT symbol FROM watchlists ORDER BY symbol"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake."""
    return temporary_lake(tmp_path)


def watch(lake: Lake, *symbols: str) -> None:
    """Put symbols on the watchlist."""
    rows = watchlist_rows(symbols, {}, as_of=AS_OF)
    lake.commit(lambda writer: writer.append(WATCHLISTS, rows), night=NIGHT, message="watch")


def past(lake: Lake, version: int) -> PastLake:
    """Return the lake at a version."""
    fields = {name: getattr(lake, name) for name in type(lake).model_fields}
    return PastLake(**fields, lake_version=version)


def symbols(lake: Lake) -> list[str]:
    """Return the symbols on the watchlist."""
    return lake.read(SYMBOLS)["symbol"].to_list()


def test_a_version_is_read_and_written_apart(lake: Lake) -> None:
    """A replay that saw later rows, or left some behind, would be no replay."""
    watch(lake, "IBM")
    then = past(lake, lake.version())
    watch(lake, "MSFT")
    assert symbols(then) == ["IBM"]
    with then.connect() as connection, pytest.raises(duckdb.CatalogException, match="watchlists"):
        connection.execute("INSERT INTO watchlists SELECT 'FB', now(), now()")
    then.close()
    assert symbols(lake) == ["IBM", "MSFT"]


def test_a_table_that_came_later_is_empty(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every upgrade brings tables: nights from before it could not be published again."""
    monkeypatch.setattr(past_lake, "TABLES", {**TABLES, "later": LATER_TABLE})
    then = past(lake, lake.version())
    assert then.read("SELECT * FROM later").is_empty()
    then.close()
    assert columns_changed(lake) == 0


def test_versions_from_before_a_table_was_changed_are_known(lake: Lake) -> None:
    """Their rows lack what documents are made of now."""
    watch(lake, "IBM")
    with lake.connect() as connection:
        connection.execute("ALTER TABLE watchlists ADD COLUMN colour VARCHAR")
    altered = lake.version()
    assert columns_changed(lake) == altered
    make_anew(lake)
    assert columns_changed(lake) > altered


def make_anew(lake: Lake) -> None:
    """Make the table anew, as an upgrade does where it can be derived again."""
    with lake.connect() as connection:
        connection.execute("DROP TABLE lake.watchlists")
        connection.execute(create_statement(WATCHLISTS, catalog="lake"))
