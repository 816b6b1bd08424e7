"""What can be wrong with the lake, in sentences that say what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

BUSY_SIGNS = (
    "Failed to commit DuckLake transaction",
    "database is locked",
    "Transaction conflict",
)
DISK_FULL_SIGNS = ("No space left on device", "database or disk is full")


class LakeError(RuntimeError):
    """The lake can't be used as it stands."""


class MissingExtensionError(LakeError):
    """An extension of DuckDB is not installed, or does not fit."""

    def __init__(self, name: str, duckdb_version: str, fault: str) -> None:
        """Name the extension and the way out."""
        super().__init__(
            f"DuckDB {duckdb_version} can't load its extension {name!r} ({fault.splitlines()[0]}): "
            "run `make setup`, which installs the wheel of that version; nothing is downloaded at "
            "run time"
        )


class ForeignLakeError(LakeError):
    """The catalog is not one of ours, or not one this version may write."""

    def __init__(self, catalog_path: str, fault: str) -> None:
        """Name the file, what is wrong, and the way out."""
        super().__init__(
            f"the lake's catalog {catalog_path} can't be used: {fault}. Nothing was written to it; "
            "point NIGHTDESK_LAKE_CATALOG (or NIGHTDESK_HOME) somewhere else, or restore the file"
        )


class LakeBusyError(LakeError):
    """Another writer committed first."""

    def __init__(self, catalog_path: str) -> None:
        """Name the catalog and the way out."""
        super().__init__(
            f"the lake's catalog {catalog_path} is kept busy by another writer: see with "
            "`make status` what runs, let it end, and run this again; nothing was committed"
        )


class DiskFullError(LakeError):
    """There is no room for the lake's files."""

    def __init__(self, place: str) -> None:
        """Name the folder and the way out."""
        super().__init__(
            f"the disk that holds {place} is full: free some space and run this again; the "
            "transaction was not committed, the lake is as it was before"
        )


@contextmanager
def explained(catalog_path: str, data_path: str) -> Iterator[None]:
    """Turn errors of DuckDB that a person can do something about into sentences.

    Raises:
        LakeBusyError, DiskFullError, ForeignLakeError: as the text of DuckDB's error tells.
    """
    try:
        yield
    except (duckdb.Error, OSError) as error:
        text = str(error)
        if any(sign in text for sign in DISK_FULL_SIGNS):
            raise DiskFullError(data_path) from error
        if any(sign in text for sign in BUSY_SIGNS):
            raise LakeBusyError(catalog_path) from error
        if "catalog version mismatch" in text:
            fault = f"it was written by another DuckLake ({text.splitlines()[0]})"
            raise ForeignLakeError(catalog_path, fault) from error
        if "does not match existing data path" in text:
            fault = f"its files are not at {data_path}: set NIGHTDESK_LAKE_DATA to where they are"
            raise ForeignLakeError(catalog_path, fault) from error
        raise
