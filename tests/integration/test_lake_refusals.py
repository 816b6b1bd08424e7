"""What is wrong with a lake is told in a sentence, with what to do about it."""

import contextlib
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from pipelines.tables import VENDOR_BODIES
from resources import lake_attachment
from resources.lake import Lake
from resources.lake_errors import (
    DiskFullError,
    ForeignLakeError,
    LakeBusyError,
    MissingExtensionError,
    explained,
)
from tests.support.lake import night_of, temporary_lake
from tests.support.lake_processes import bodies, write

MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake of the sample market."""
    lake = temporary_lake(tmp_path_factory.mktemp("lakes") / "lake")
    lake.version()
    return lake


def reopened(lake: Lake, **changes: str) -> Lake:
    """Return the same lake as other settings describe it."""
    return Lake.model_validate({**lake.model_dump(), **changes})


def test_a_missing_extension_says_to_set_up() -> None:
    """DuckDB would offer to download it, on a machine that has no network."""
    with (
        duckdb.connect() as connection,
        pytest.raises(MissingExtensionError, match=r"'never_released' .*run `make setup`"),
    ):
        lake_attachment.load_extensions(connection, "never_released")


@pytest.mark.parametrize(
    ("kind", "fault"),
    [("text", "not a SQLite file"), ("sqlite", "a SQLite file of something else")],
)
def test_a_file_that_is_no_catalog_is_refused_and_left_alone(
    tmp_path: Path, kind: str, fault: str
) -> None:
    """DuckLake adds its tables to any SQLite file that it is pointed at."""
    path = tmp_path / "lake" / "catalog.sqlite"
    path.parent.mkdir()
    if kind == "text":
        path.write_text("my thesis\n" * 100, encoding="utf-8")
    else:
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE of_mine (x)")
    before = path.read_bytes()
    with pytest.raises(ForeignLakeError) as caught:
        temporary_lake(tmp_path / "lake").version()
    assert fault in str(caught.value)
    assert "point NIGHTDESK_LAKE_CATALOG (or NIGHTDESK_HOME) somewhere else" in str(caught.value)
    assert path.read_bytes() == before


def test_a_lake_of_another_market_is_refused(made: Lake) -> None:
    """Recorded and live prices would mix in one history."""
    with pytest.raises(ForeignLakeError, match=r"'sample' and NIGHTDESK_MARKET is 'alpha_vantage'"):
        reopened(made, market="alpha_vantage").version()


def test_a_lake_whose_files_are_elsewhere_names_the_setting(made: Lake, tmp_path: Path) -> None:
    """DuckLake's own error advises an option that nobody can set."""
    with pytest.raises(ForeignLakeError, match=r"set NIGHTDESK_LAKE_DATA to where they are"):
        reopened(made, data_path=f"{tmp_path}/elsewhere/").version()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("UPDATE lake_identity SET format = 99", "its format is 99 and this Nightdesk knows up to"),
        ("DELETE FROM lake_identity", "its table lake_identity is empty"),
        ("DROP TABLE lake_identity", "it holds tables that Nightdesk did not make"),
    ],
)
def test_a_lake_that_this_version_may_not_write_is_refused(
    made: Lake, tmp_path: Path, change: str, fault: str
) -> None:
    """An old Nightdesk would write rows that a new one can't read."""
    with made.connect() as connection:
        connection.begin()
        connection.execute(change)
        with pytest.raises(ForeignLakeError, match=fault):
            lake_attachment._prepare_tables(connection, made.location)
        connection.rollback()


def test_a_catalog_of_another_ducklake_is_refused(tmp_path: Path) -> None:
    """The advice must not be to migrate a lake that other machines still read."""
    lake = temporary_lake(tmp_path / "lake")
    lake.version()
    with closing(sqlite3.connect(lake.catalog_path)) as catalog:
        catalog.execute("UPDATE ducklake_metadata SET value = '99.0' WHERE key = 'version'")
        catalog.commit()
    with pytest.raises(ForeignLakeError, match=r"written by another DuckLake .*99\.0"):
        reopened(lake, extension_directory=f"{tmp_path}/others").version()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two mebibytes, where the machine lets us have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root may mount a small disk; the sentences are tested without one too")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607


def fill(filler: Path) -> None:
    """Write a file until not a page is left."""
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass


def test_a_full_disk_is_told_and_the_lake_is_as_before(tiny_disk: Path, made: Lake) -> None:
    """First the disk of the files is full, then that of the catalog too."""
    lake = reopened(
        made, catalog_path=f"{tiny_disk}/catalog.sqlite", data_path=f"{tiny_disk}/data/"
    )
    version = lake.version()
    too_much = bodies(4, length=MEBIBYTE)
    with pytest.raises(DiskFullError, match="free some space and run this again"):
        lake.commit(
            lambda writer: writer.append(VENDOR_BODIES, too_much), night=night_of(), message="fill"
        )
    assert lake.version() == version
    fill(tiny_disk / "filler")
    with pytest.raises(DiskFullError):
        write(lake, "full", 1)
    subprocess.run(["mount", "-o", "remount,size=32m", str(tiny_disk)], check=True)  # noqa: S607
    write(lake, "room again", 1)
    assert lake.read("SELECT consumer FROM consumer_positions").rows() == [("room again",)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Could not write file "a.parquet": No space left on device', DiskFullError),
        ("Failed to execute query: database or disk is full", DiskFullError),
        ("Failed to commit DuckLake transaction: database is locked", LakeBusyError),
    ],
)
def test_duckdbs_words_become_a_sentence(text: str, expected: type[Exception]) -> None:
    """The words as DuckDB and SQLite were seen to say them."""
    with pytest.raises(expected, match=r"catalog\.sqlite"), explained("catalog.sqlite", "data/"):
        raise duckdb.IOException(text)


def test_an_error_that_nobody_can_mend_stays_as_it_is() -> None:
    """A sentence about disks would hide a fault of ours; a disk with room is not to blame."""
    error = duckdb.IOException("disk I/O error")
    with pytest.raises(duckdb.IOException, match="disk I/O error"), explained("catalog", "data"):
        raise error
