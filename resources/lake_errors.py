"""What can be wrong with the lake, in sentences that say what to do about it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

BUSY_SIGNS = (
    "Failed to commit DuckLake transaction",
    "database is locked",
    "Transaction conflict",
)
DISK_FULL_SIGNS = ("No space left on device", "database or disk is full")
UNCERTAIN_DISK_FULL_SIGNS = ("disk I/O error", "cannot rollback - no transaction is active")
"""What SQLite says on a full disk too: the second once it has rolled back by itself."""
SMALLEST_ROOM = 16 * 1024 * 1024
"""Bytes free below which an uncertain sign is taken for a full disk; a commit writes some MB."""


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


class UnreachableCatalogError(LakeError):
    """The database of the catalog can't be reached, or does not let us in."""

    def __init__(self, label: str, fault: str) -> None:
        """Name the database, what is wrong, and the way out."""
        first = fault.strip().partition("\n")[0]
        super().__init__(
            f"the lake's catalog {label} can't be used: {first}. Start the server or correct "
            "NIGHTDESK_LAKE_DATABASE (postgresql://user:password@host:5432/database, special "
            "characters in user and password percent-encoded), then run this again"
        )


class UnreachableStorageError(LakeError):
    """The bucket of the lake's files does not answer, or does not let us in."""

    def __init__(self, data_path: str, fault: str) -> None:
        """Name the bucket, what is wrong, and the way out."""
        super().__init__(
            f"the lake's files at {data_path} can't be reached: {fault}. Correct "
            "NIGHTDESK_LAKE_DATA, AWS_ENDPOINT_URL, AWS_REGION and the key (AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY), then run this again; nothing was committed"
        )


class UpgradeError(LakeError):
    """The lake was made by an older Nightdesk and can't be brought to this one's tables."""

    def __init__(self, catalog_path: str, fault: str) -> None:
        """Name the lake, what is missing, and the way out."""
        super().__init__(
            f"the lake {catalog_path} was made by an older Nightdesk and can't be upgraded: "
            f"{fault}. Nothing was changed; use the Nightdesk that made it, or give this one an "
            "empty NIGHTDESK_HOME, whose first night loads the history again"
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

    def __init__(self, catalog_path: str, data_path: str) -> None:
        """Name catalog and folder, which may lie on two disks, and the way out."""
        super().__init__(
            f"the disk of the lake ({catalog_path}, files in {data_path}) is full: free some space "
            "and run this again; the transaction was not committed, the lake is as it was before"
        )


def _tells_of_a_full_disk(text: str, catalog_path: str) -> bool:
    """Tell whether an error comes from a full disk, by its words or by the room that is left."""
    if any(sign in text for sign in DISK_FULL_SIGNS):
        return True
    folder = Path(catalog_path).parent
    is_full = folder.exists() and shutil.disk_usage(folder).free < SMALLEST_ROOM
    return is_full and any(sign in text for sign in UNCERTAIN_DISK_FULL_SIGNS)


@contextmanager
def explained(catalog_path: str, data_path: str) -> Iterator[None]:
    """Turn errors of DuckDB that a person can do something about into sentences.

    Raises:
        LakeBusyError, DiskFullError, ForeignLakeError, UnreachableStorageError: as the text of
            DuckDB's error tells.
    """
    try:
        yield
    except (duckdb.Error, OSError) as error:
        text = str(error)
        if _tells_of_a_full_disk(text, catalog_path):
            raise DiskFullError(catalog_path, data_path) from error
        if any(sign in text for sign in BUSY_SIGNS):
            raise LakeBusyError(catalog_path) from error
        if "catalog version mismatch" in text:
            fault = f"it was written by another DuckLake ({text.splitlines()[0]})"
            raise ForeignLakeError(catalog_path, fault) from error
        if "does not match existing data path" in text:
            fault = f"its files are not at {data_path}: set NIGHTDESK_LAKE_DATA to where they are"
            raise ForeignLakeError(catalog_path, fault) from error
        if isinstance(error, duckdb.HTTPException) or "for HTTP " in text:
            raise UnreachableStorageError(data_path, text.splitlines()[0]) from error
        raise
