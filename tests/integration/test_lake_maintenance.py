"""Backup and compaction: smaller, and nothing that anyone needs is gone."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.nights import Night
from resources.lake import Lake
from resources.lake_maintenance import LakeMaintenance
from resources.market import Market
from resources.nights import Nights
from tests.support.lake import (
    DERIVATIONS,
    SESSIONS,
    copy_of,
    daily_rows,
    derive_all,
    night_of,
    put_bars,
    simulated_bars,
    table_of,
    temporary_lake,
)

DERIVED = DERIVATIONS[:3]
"""Anomalies, quarantine and clean prices: enough of a feed to break."""

AT = datetime(2013, 3, 3, 14, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake after four sessions, the second of which a night has published."""
    made = temporary_lake(tmp_path_factory.mktemp("lakes") / "lake")
    bars = simulated_bars(sessions=91)
    for day in range(86, 90):
        put_bars(made, daily_rows(bars.filter(pl.col("session") <= SESSIONS[day])))
        derive_all(made, DERIVED)
        if day == 87:
            night = night_of(SESSIONS[day])
            publish(made, night)
    return made


@pytest.fixture
def lake(made: Lake, tmp_path: Path) -> Lake:
    """A copy of it that a test may change."""
    return copy_of(made, tmp_path / "lake")


def publish(lake: Lake, night: Night) -> None:
    """Note that a night has published the lake as it stands."""
    nights = Nights(lake=lake, market=Market(name="sample"))
    nights.open([night.session])
    nights.fix_snapshots([night])


def maintenance_of(lake: Lake) -> LakeMaintenance:
    """Return the maintenance of a lake, with backups beside it."""
    home = Path(lake.catalog_path).parent.parent
    return LakeMaintenance(
        lake=lake, backup_folder=str(home / "backups"), models_folder=str(home / "mlflow")
    )


def contents(lake: Lake) -> dict[str, pl.DataFrame]:
    """Return every row of the tables that matter."""
    return {
        name: table_of(lake, name)
        for name in ("daily_prices", "quarantined_prices", "clean_prices")
    }


def test_compaction_changes_no_row_and_leaves_fewer_files(lake: Lake) -> None:
    """Maintenance that loses a row would be worse than a slow lake."""
    before = contents(lake)
    done = maintenance_of(lake).compact()
    after = contents(lake)
    assert all(after[name].equals(before[name]) for name in before)
    assert done.versions_expired > 0
    assert done.files_after < done.files_before


def test_what_a_night_has_published_can_still_be_read(lake: Lake) -> None:
    """Replay reads the lake at the version that its manifest names."""
    published = lake.read("SELECT lake_snapshot FROM nights").item()
    query = "SELECT * FROM clean_prices {at} ORDER BY symbol, session"
    before = lake.read(query, version=published)
    maintenance_of(lake).compact()
    assert lake.read(query, version=published).equals(before)
    assert before["session"].max() == SESSIONS[87]
    with pytest.raises(duckdb.Error):
        lake.read(query, version=published - 1)


def test_derived_tables_read_on_after_compaction(lake: Lake) -> None:
    """A broken change feed would derive everything anew, or nothing at all."""
    maintenance_of(lake).compact()
    put_bars(lake, daily_rows(simulated_bars(sessions=91)))
    updates = derive_all(lake, DERIVED)
    assert 0 < updates["clean_prices"].inserted <= 3
    assert updates["clean_prices"].updated == updates["clean_prices"].deleted == 0


def test_a_backup_put_back_is_the_lake_it_was_made_of(lake: Lake) -> None:
    """A backup that nobody has restored is a hope."""
    before = contents(lake)
    home = Path(lake.catalog_path).parent
    (home.parent / "mlflow").mkdir()
    (home.parent / "mlflow" / "mlflow.db").write_text("versions")
    backup = maintenance_of(lake).back_up(at=AT)
    assert (backup / "mlflow" / "mlflow.db").read_text() == "versions"
    shutil.rmtree(home)
    home.mkdir()
    shutil.copy(backup / "catalog.sqlite", home / "catalog.sqlite")
    shutil.copytree(backup / "data", home / "data")
    after = contents(temporary_lake(home))
    assert all(after[name].equals(before[name]) for name in before)


def test_only_the_newest_backups_are_kept(lake: Lake) -> None:
    """Backups that pile up fill the disk that they protect."""
    maintenance = maintenance_of(lake)
    made = [maintenance.back_up(at=AT.replace(hour=hour)) for hour in range(5)]
    assert sorted(Path(maintenance.backup_folder).iterdir()) == made[-3:]


def test_object_storage_is_left_to_its_own_versioning(tmp_path: Path) -> None:
    """Copying a bucket through this machine would be no backup plan."""
    remote = Lake(
        catalog_path=str(tmp_path / "catalog.sqlite"),
        data_path="s3://bucket/lake/",
        extension_directory=str(tmp_path),
        market="sample",
    )
    with pytest.raises(ValueError, match="own versioning"):
        maintenance_of(remote).back_up(at=AT)


def test_files_of_a_killed_build_are_removed_and_no_others(lake: Lake) -> None:
    """A build that is killed again and again would fill the disk, and nobody would know why."""
    folder = Path(lake.data_path) / "main" / "clean_prices" / "year=2013"
    known = next(folder.glob("*.parquet"))
    killed, at_work = folder / "nightdesk-killed.parquet", folder / "nightdesk-at-work.parquet"
    for path in (killed, at_work):
        shutil.copy(known, path)
    two_days_ago = datetime.now(UTC).timestamp() - 2 * 86_400
    for path in (killed, known):
        os.utime(path, (two_days_ago, two_days_ago))
    rows = table_of(lake, "clean_prices")
    maintenance_of(lake).compact()
    assert not killed.exists()
    assert at_work.exists()
    assert table_of(lake, "clean_prices").equals(rows)
