"""Transactions of the lake: whole or not at all, named, tried again, and readable meanwhile."""

import signal
from pathlib import Path

import duckdb
import pytest

from resources.lake import Lake
from resources.lake_errors import LakeBusyError
from resources.lake_writer import LakeWriter
from tests.support.lake import night_of, temporary_lake
from tests.support.lake_processes import (
    COMMITS,
    NEW_LAKES,
    PROCESSES,
    commit_several,
    die_in_the_commit,
    open_new_lakes,
    write,
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """One lake for the module; each test writes under a consumer of its own."""
    lake = temporary_lake(tmp_path_factory.mktemp("lakes") / "lake")
    lake.version()
    return lake


def positions(lake: Lake, consumer: str, *, version: int | None = None) -> dict[str, int]:
    """Return the rows that a test wrote."""
    rows = lake.read(
        "SELECT source, position FROM consumer_positions {at} WHERE consumer = $consumer",
        {"consumer": consumer},
        version=version,
    )
    return dict(rows.iter_rows())


def test_a_version_is_read_as_it_was(lake: Lake) -> None:
    """A manifest names a version: it must still tell what was published."""
    write(lake, "versions", 1)
    then = lake.version()
    write(lake, "versions", 2)
    assert positions(lake, "versions", version=then) == {"source": 1}
    assert positions(lake, "versions") == {"source": 2}


def test_a_commit_names_its_night(lake: Lake) -> None:
    """Nobody could tell which night wrote what."""
    write(lake, "named", 1)
    told = lake.read(
        "SELECT author, commit_message, commit_extra_info FROM lake.snapshots() "
        "ORDER BY snapshot_id DESC LIMIT 1"
    )
    night = night_of()
    assert told.row(0) == ("nightdesk", "write named for 2013-03-01 of sample", night.night_id)


def test_work_that_fails_leaves_nothing_behind(lake: Lake) -> None:
    """Half a night would look like a whole one."""
    version = lake.version()

    def work(writer: LakeWriter) -> None:
        writer.advance("failing", "source", position=1)
        message = "the power went"
        raise ZeroDivisionError(message)

    with pytest.raises(ZeroDivisionError, match="the power went"):
        lake.commit(work, night=night_of(), message="fail")
    assert positions(lake, "failing") == {}
    assert lake.version() == version
    write(lake, "failing", 2)
    assert positions(lake, "failing") == {"source": 2}


def test_a_mistake_in_sql_is_not_tried_again(lake: Lake) -> None:
    """Only what can pass is worth waiting for."""
    calls = []

    def work(writer: LakeWriter) -> None:
        calls.append(1)
        writer.read("SELECT * FROM no_such_table")

    with pytest.raises(duckdb.CatalogException, match="no_such_table"):
        lake.commit(work, night=night_of(), message="mistake")
    assert calls == [1]


def test_a_reader_sees_one_version_while_another_writes(lake: Lake) -> None:
    """A reader that was locked out, or saw half a commit, would fail or mislead the night."""
    write(lake, "read", 1)
    with lake.connect() as reader:
        reader.begin()
        query = "SELECT position FROM consumer_positions WHERE consumer = 'read'"
        assert reader.execute(query).fetchall() == [(1,)]
        write(lake, "read", 2)
        assert reader.execute(query).fetchall() == [(1,)]
        reader.rollback()
        assert reader.execute(query).fetchall() == [(2,)]


def test_two_processes_that_commit_at_once_both_succeed(lake: Lake) -> None:
    """The catalog takes one writer at a time: the other one must come again."""
    folder = Path(lake.catalog_path).parent
    barrier = PROCESSES.Barrier(2)
    others = [
        PROCESSES.Process(target=commit_several, args=(folder, name, barrier))
        for name in ("a", "b")
    ]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    assert [other.exitcode for other in others] == [0, 0]
    expected = {f"source {number}": number for number in range(COMMITS)}
    assert positions(lake, "a") == positions(lake, "b") == expected


def test_two_processes_that_open_a_new_lake_at_once_both_succeed(tmp_path: Path) -> None:
    """Both would make its tables, and one of them would be told that the lake is busy."""
    barrier = PROCESSES.Barrier(2)
    others = [PROCESSES.Process(target=open_new_lakes, args=(tmp_path, barrier)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(120)
    assert [other.exitcode for other in others] == [0, 0]
    lakes = [temporary_lake(tmp_path / f"lake {number}") for number in range(NEW_LAKES)]
    identities = [lake.read("SELECT market FROM lake_identity").rows() for lake in lakes]
    assert identities == [[("sample",)]] * NEW_LAKES


def test_a_process_killed_in_the_middle_of_a_commit_leaves_the_lake_whole(lake: Lake) -> None:
    """A power cut would leave rows of half a night, or a lock that nobody gives back."""
    version = lake.version()
    killed = PROCESSES.Process(target=die_in_the_commit, args=(Path(lake.catalog_path).parent,))
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    assert lake.version() == version
    assert positions(lake, "killed") == {}
    assert lake.read("SELECT count(*) FROM vendor_bodies").item() == 0
    write(lake, "killed", 3)
    assert positions(lake, "killed") == {"source": 3}


def test_a_catalog_that_stays_busy_is_told_with_the_way_out(tmp_path: Path) -> None:
    """After its tries a commit gives up, and says that nothing was written."""
    busy = temporary_lake(tmp_path / "lake", busy_attempts=2)
    calls = []

    def overtaken(writer: LakeWriter) -> None:
        calls.append(writer.version())
        writer.advance("overtaken", "source", position=1)
        write(temporary_lake(tmp_path / "lake", busy_attempts=3), "overtaker", len(calls))

    with pytest.raises(LakeBusyError, match=r"kept busy by another writer: see with `make status`"):
        busy.commit(overtaken, night=night_of(), message="be overtaken")
    assert len(calls) == 2
    assert positions(busy, "overtaken") == {}
    assert positions(busy, "overtaker") == {"source": 2}
