"""Cursors that are lent to one reading statement after the other."""

import shutil
from pathlib import Path

import pytest

from resources.lake import Lake
from resources.lake_attachment import detach, lent_cursor
from tests.support.lake import temporary_lake
from tests.support.lake_processes import write

HELD = "SELECT max(position) FROM consumer_positions"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with one commit."""
    lake = temporary_lake(tmp_path_factory.mktemp("lakes") / "lake")
    write(lake, "cursors", 1)
    return lake


def test_a_cursor_is_lent_again_and_never_to_two_at_once(lake: Lake) -> None:
    """Two statements on one cursor would end each other."""
    with lent_cursor(lake.location) as first, lent_cursor(lake.location) as second:
        assert first is not second
    with lent_cursor(lake.location) as again:
        assert again in {first, second}


def test_a_kept_cursor_sees_what_was_committed_since(lake: Lake) -> None:
    """A step would read the lake as an earlier step found it."""
    before = lake.read(HELD).item()
    write(lake, "cursors", before + 1)
    assert lake.read(HELD).item() == before + 1


def test_a_statement_that_fails_takes_its_cursor_along(lake: Lake) -> None:
    """The next statement would begin in whatever state that one has left."""
    with pytest.raises(ZeroDivisionError), lent_cursor(lake.location) as failing:
        _ = 1 / 0
    with lent_cursor(lake.location) as other:
        assert other is not failing
        assert other.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)


def test_a_detached_lake_is_read_anew(lake: Lake, tmp_path: Path) -> None:
    """A kept cursor would go on reading files that were replaced."""
    write(lake, "cursors", 100)
    folder, kept = Path(lake.catalog_path).parent, tmp_path / "kept"
    detach(lake.catalog_path)
    shutil.copytree(folder, kept)
    write(lake, "cursors", 200)
    assert lake.read(HELD).item() == 200
    detach(lake.catalog_path)
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)
    assert lake.read(HELD).item() == 100
