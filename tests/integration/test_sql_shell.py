"""`make sql`: the lake for people, with views, and nothing that could be written."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from commands.sql import _statements
from pipelines.features.catalogue import GROUPS, SIGNAL_GROUPS
from pipelines.features.groups import feature_names
from pipelines.features.market_relative import MARKET_RELATIVE
from pipelines.tables import TABLES
from pipelines.views import EXPOSURES, views
from resources.lake import Lake
from resources.lake_reading import NoLakeError, OldLakeError, reading
from tests.support.lake import (
    daily_rows,
    derive_all,
    put_bars,
    simulated_bars,
    table_of,
    temporary_lake,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake where a desk with this home keeps it."""
    made = temporary_lake(tmp_path_factory.mktemp("home") / "lake")
    put_bars(made, daily_rows(simulated_bars(sessions=91)))
    derive_all(made)
    return made


@pytest.fixture
def opened(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    """The lake, opened to be read."""
    with reading(lake) as connection:
        yield connection


def ask(lake: Lake, text: str) -> subprocess.CompletedProcess[str]:
    """Pipe text into the shell on the lake's home."""
    home = Path(lake.catalog_path).parent.parent
    return subprocess.run(
        [sys.executable, "-m", "commands.sql"],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "NIGHTDESK_HOME": str(home)},
        check=False,
    )


def test_statements_of_a_pipe_are_answered(lake: Lake) -> None:
    """`echo 'FROM latest_features' | make -s sql` is how a script asks."""
    done = ask(lake, "FROM latest_features LIMIT 5; SELECT 6 * 7 AS answer")
    assert done.returncode == 0, done.stderr
    assert "return_1" in done.stdout
    assert "42" in done.stdout


def test_a_wrong_statement_ends_with_its_reason(lake: Lake) -> None:
    """A script must not go on with half an answer."""
    done = ask(lake, "SELECT nothing FROM clean_prices")
    assert done.returncode == 1
    assert '"nothing" not found' in done.stderr


def test_help_names_every_view(lake: Lake) -> None:
    """Nobody uses a view that nobody tells of."""
    done = ask(lake, ".help")
    assert all(f"  {view.name}  " in done.stdout for view in views())


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM daily_prices",
        "CREATE TABLE lake.mine (one INTEGER)",
        "DROP TABLE clean_prices",
        "CALL ducklake_expire_snapshots('lake', versions => [1])",
    ],
)
def test_nothing_can_be_written(opened: duckdb.DuckDBPyConnection, statement: str) -> None:
    """A slip of the hand would change what the next night publishes."""
    before = opened.execute("SELECT id FROM lake.current_snapshot()").fetchone()
    with pytest.raises(duckdb.Error, match=r"read-only|read only"):
        opened.execute(statement)
    assert opened.execute("SELECT id FROM lake.current_snapshot()").fetchone() == before


def test_latest_features_are_each_symbols_newest(
    opened: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    """A stale row would be taken for tonight's."""
    newest = opened.sql("FROM latest_features").pl()
    expected = table_of(lake, "technical_features").group_by("symbol").last().sort("symbol")
    assert newest.select(expected.columns).equals(expected)
    assert newest.columns == [
        "symbol",
        "session",
        *feature_names((*SIGNAL_GROUPS, MARKET_RELATIVE)),
    ]


def test_monthly_prices_put_all_sessions_of_a_month_into_one_bar(
    opened: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    """Checked by hand for one month: first open, extremes, last close, all shares traded."""
    month = table_of(lake, "clean_prices").filter(
        pl.col("session").dt.year() == 2012, pl.col("session").dt.month() == 10, symbol="S0"
    )
    last = month["split_factor"][-1]
    per_share = month.with_columns(share=pl.col("split_factor") / last)
    bar = opened.sql(
        f"FROM monthly_bars WHERE symbol = 'S0' AND date = DATE '{month['session'][-1]}'"
    ).pl()
    assert bar["sessions"].item() == month.height
    assert bar["close"].item() == month["close"][-1]
    assert bar["open"].item() == pytest.approx((per_share["open"] * per_share["share"])[0])
    assert bar["high"].item() == pytest.approx((per_share["high"] * per_share["share"]).max())
    assert bar["low"].item() == pytest.approx((per_share["low"] * per_share["share"]).min())
    traded = (per_share["volume"] / per_share["share"]).sum()
    assert bar["volume"].item() == pytest.approx(traded, abs=1)


def test_exposures_are_deviations_from_the_session(
    opened: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    """Against numpy, on one session; and standard deviations they are on every one."""
    exposures = opened.sql("FROM factor_exposures ORDER BY session, symbol").pl()
    session = exposures["session"][-1]
    stored = table_of(lake, "technical_features").filter(session=session).sort("symbol")
    values = stored["volatility_20"].cast(pl.Float64).to_numpy()
    expected = (values - values.mean()) / values.std(ddof=1)
    tonight = exposures.filter(session=session)["volatility"].to_numpy()
    np.testing.assert_allclose(tonight, expected, rtol=1e-6)
    falling = exposures.filter(session=session)["reversal"].to_numpy()
    assert falling.argmax() == stored["return_5"].to_numpy().argmin()


def test_every_exposure_reads_a_feature_that_there_is() -> None:
    """A feature that is renamed must not take the shell along."""
    assert {value.removeprefix("-") for value in EXPOSURES.values()} <= set(feature_names(GROUPS))


def test_views_have_names_of_their_own() -> None:
    """A view named like a table would hide it."""
    assert not {view.name for view in views()} & set(TABLES)


def test_where_there_is_no_lake_none_is_made(tmp_path: Path) -> None:
    """Looking must leave no trace."""
    with pytest.raises(NoLakeError, match="make nightly"), reading(temporary_lake(tmp_path / "no")):
        pass
    assert not (tmp_path / "no").exists()


def test_a_lake_of_another_nightdesk_says_so(tmp_path: Path) -> None:
    """Before the first night of a new version its tables are not there yet."""
    made = temporary_lake(tmp_path / "old")
    with made.connect() as connection:
        connection.execute("ALTER TABLE lake.technical_features DROP COLUMN return_1")
    with pytest.raises(OldLakeError, match="return_1"), reading(made):
        pass


def test_a_person_may_write_a_statement_over_several_lines() -> None:
    """Statements end with a semicolon, dot commands with their line."""
    lines = iter(["", ".help", "SELECT 1", "  + 1;", ".quit", "SELECT 3;"])
    typed = list(_statements(lambda _: next(lines)))
    assert typed == ["\n", ".help\n", "SELECT 1\n  + 1;\n"]
