"""Which versions of the lake may go."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.maintenance import expendable_versions

VERSIONS = st.sets(st.integers(0, 60), min_size=1)


def test_versions_before_the_slowest_reader_go() -> None:
    """They are what compaction is for."""
    assert expendable_versions(range(10), named=[3], oldest_read=6) == [0, 1, 2, 4, 5]


def test_nothing_goes_before_anything_was_derived() -> None:
    """A first load that was cut off still has all its feed to read."""
    assert expendable_versions(range(10), named=[], oldest_read=None) == []


@given(versions=VERSIONS, named=VERSIONS, oldest_read=st.integers(0, 60))
def test_what_is_needed_is_never_expendable(
    versions: set[int], named: set[int], oldest_read: int
) -> None:
    """Neither a named version, nor the newest, nor one that a reader goes on from."""
    gone = set(expendable_versions(versions, named=named, oldest_read=oldest_read))
    assert not gone & named
    assert max(versions) not in gone
    assert all(version < oldest_read for version in gone)
