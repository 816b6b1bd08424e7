"""Which versions of the lake may go."""

from collections.abc import Iterable


def expendable_versions(
    versions: Iterable[int], *, named: Iterable[int], oldest_read: int | None
) -> list[int]:
    """Return the versions that neither a replay nor a derived table will ever read again.

    Args:
        versions: All versions, the newest included, which is never expendable.
        named: Versions that nights have published, or that something else names.
        oldest_read: The version up to which the slowest derived table has read its source; its
            change feed goes on from there. None before anything was derived.
    """
    known = sorted(versions)
    if not known or oldest_read is None:
        return []
    kept = {*named, known[-1]}
    return [version for version in known if version < oldest_read and version not in kept]
