"""Keeping a lake small and safe: a backup, fewer files, and no versions that nobody needs.

What is kept: every version that a night has published (its replay reads it), the last one of every
set of feature definitions (old values stay readable), those of training sets (they can be made
again), and every version from the oldest that a derived table still has to read on.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.maintenance import expendable_versions
from resources.lake import Lake
from resources.object_storage import is_object_storage

MEGABYTE = 1024**2


@dataclass(frozen=True)
class Compaction:
    """What compacting a lake did to its versions and files."""

    versions_expired: int
    versions_kept: int
    files_before: int
    files_after: int


class LakeMaintenance(dg.ConfigurableResource[Any]):
    """Compaction and backup of the lake. No night may run meanwhile: the pool `lake` sees to it."""

    lake: dg.ResourceDependency[Lake]
    backup_folder: str = Field(description="Folder that backups go into, one folder each.")
    models_folder: str = Field(
        default="", description="Folder of MLflow, backed up beside the lake; empty: a server's."
    )
    backups_kept: int = Field(default=3, ge=1, description="Older backups than these are removed.")

    def compact(self) -> Compaction:
        """Expire versions that nobody needs, merge small files, delete what is left over."""
        before = self._file_count()
        with self.lake.connect() as connection:
            versions = [number for (number,) in connection.execute(_VERSIONS).fetchall()]
            named = [number for (number,) in connection.execute(_NAMED).fetchall()]
            (oldest_read,) = connection.execute(_OLDEST_READ).fetchone() or (None,)
            expendable = expendable_versions(versions, named=named, oldest_read=oldest_read)
            if expendable:
                connection.execute(
                    f"CALL ducklake_expire_snapshots('lake', versions => {expendable})"
                )
            connection.execute("CALL ducklake_merge_adjacent_files('lake')")
            connection.execute("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
            connection.execute(_REMOVE_ORPHANS)
        return Compaction(
            versions_expired=len(expendable),
            versions_kept=len(versions) - len(expendable),
            files_before=before,
            files_after=self._file_count(),
        )

    def back_up(self, *, at: datetime) -> Path:
        """Copy the lake and MLflow into a folder named by the instant, and drop the oldest backups.

        The catalog is copied first: files are never changed, so that every one it names is there.
        MLflow is not written meanwhile, since training is in the pool `lake` too.

        Raises:
            ValueError: the files are in object storage, which keeps its own versions.
            UnreachableCatalogError: a catalog in PostgreSQL could not be copied.
        """
        if is_object_storage(self.lake.data_path):
            message = (
                f"the lake's files are at {self.lake.data_path}: back up the bucket with its own "
                "versioning, and the catalog with the database's tools"
            )
            raise ValueError(message)
        target = Path(self.backup_folder) / at.strftime("%Y-%m-%dT%H%M%SZ")
        target.mkdir(parents=True)
        self.lake.catalog.copy_into(target)
        copytree(self.lake.data_path, target / "data")
        if self.models_folder and Path(self.models_folder).exists():
            copytree(self.models_folder, target / "mlflow")
        for old in sorted(Path(self.backup_folder).iterdir())[: -self.backups_kept]:
            rmtree(old)
        return target

    def size_megabytes(self) -> float:
        """Return how much room the lake's files take."""
        return sum(path.stat().st_size for path in self._files()) / MEGABYTE

    def _file_count(self) -> int:
        """Return how many files the lake's data folder holds."""
        return len(self._files())

    def _files(self) -> list[Path]:
        """Return the lake's data files; none where they lie in object storage."""
        if is_object_storage(self.lake.data_path):
            return []
        return list(Path(self.lake.data_path).rglob("*.parquet"))


_REMOVE_ORPHANS = (
    "CALL ducklake_delete_orphaned_files('lake', older_than => now() - INTERVAL 1 DAY)"
)
"""What a build that was killed had written; younger files may be another machine's at work."""
_VERSIONS = "SELECT snapshot_id FROM lake.snapshots() ORDER BY snapshot_id"
_NAMED = """
    SELECT lake_snapshot FROM nights WHERE lake_snapshot IS NOT NULL
    UNION SELECT last_snapshot FROM feature_table_versions
    UNION SELECT lake_snapshot FROM training_sets
"""
"""Versions that something names, to be read again."""
_OLDEST_READ = "SELECT min(position) FROM consumer_positions WHERE recipe IS NOT NULL"
"""Positions without a recipe count vendor answers, not versions."""
