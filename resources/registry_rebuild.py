"""Making a lost MLflow database again, from the records beside its files and what the lake knows.

MLflow itself turns the records, laid out as its files, into a database of its version. That grows
beside the lost one and takes its place whole.
"""

import sqlite3
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.lifecycle.registry_rebuild import KnownVersion, RebuildPlan, Remains, rebuild_plan
from pipelines.lifecycle.registry_records import RECORD, RunRecord, file_store, model_folder
from pipelines.lifecycle.versions import DOCUMENT, aliases_of
from resources.lake import Lake
from resources.mlflow_session import SQLITE, creation_lock, quiet_mlflow
from resources.model_registry import ModelRegistry

KNOWN_QUERY = """
    WITH seen AS (
        SELECT model_version FROM model_references
        UNION SELECT model_version FROM model_files
        UNION SELECT model_version FROM signal_scores WHERE model_version IS NOT NULL
    )
    SELECT model_version, run_id, file_sha256
    FROM seen LEFT JOIN model_files USING (model_version) ORDER BY model_version
"""


class RebuildRefusedError(RuntimeError):
    """The registry can't be made again as things stand, or need not be."""


@dataclass(frozen=True)
class RegistryRebuild:
    """The registry of a desk whose MLflow database is lost."""

    lake: Lake
    registry: ModelRegistry

    @property
    def database(self) -> Path:
        """Path of MLflow's database.

        Raises:
            RebuildRefusedError: it is a server's.
        """
        if not self.registry.tracking_uri.startswith(SQLITE):
            message = (
                f"MLflow at {self.registry.tracking_uri_for_people} is a server of yours: restore "
                "its database from its own backup"
            )
            raise RebuildRefusedError(message)
        return Path(self.registry.tracking_uri.removeprefix(SQLITE)).resolve()

    @property
    def files(self) -> Path:
        """Folder of the files of all runs."""
        return Path(self.registry.artifact_location).resolve()

    def plan(self) -> RebuildPlan:
        """Hold what is left against what the lake knows.

        Raises:
            RebuildRefusedError: nothing is lost, or MLflow is a server.
        """
        known = [KnownVersion(*row) for row in self.lake.read(KNOWN_QUERY).iter_rows()]
        plan = rebuild_plan(self._remains(), known)
        if not plan.remains.records and not known:
            message = f"neither the lake nor {self.files} knows of any model: there is none to lose"
            raise RebuildRefusedError(message)
        held = _newest_number(self.database)
        newest = max([0, *plan.remains.claims, *(one.number for one in known)])
        if held is not None and held >= newest:
            message = (
                f"MLflow at {self.registry.tracking_uri_for_people} knows versions up to {held}, "
                f"and the lake and the records up to {newest}: nothing is lost"
            )
            raise RebuildRefusedError(message)
        return plan

    def rebuild(self, plan: RebuildPlan) -> Path | None:
        """Make the database again; return where what was left of it is now, None without any."""
        named = aliases_of(plan.remains.versions(self.lake.market))
        files = file_store(
            plan.remains.records,
            location=self.files.as_uri(),
            aliases={alias: one.number for alias, one in named.items() if one},
        )
        made = self.database.with_name(f"{self.database.name}.rebuilt")
        with creation_lock(self.registry.tracking_uri), TemporaryDirectory() as folder:
            made.unlink(missing_ok=True)
            for path, text in files:
                target = Path(folder) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            _migrate(Path(folder), made)
            lost = _move_aside(self.database)
            made.rename(self.database)
        return lost

    def _remains(self) -> Remains:
        """Read the records, and hash the files of the models that they name."""
        records, unreadable = [], {}
        for path in sorted(self.files.glob(f"*/artifacts/{RECORD}")):
            try:
                records.append(RunRecord.from_text(path.read_bytes()))
            except ValueError as error:
                unreadable[str(path.relative_to(self.files))] = str(error).splitlines()[0]
        told = {one.run_id for one in records} | {path.split("/")[0] for path in unreadable}
        runs = {path.parent.name for path in self.files.glob("*/artifacts")}
        models = {one.model_id for record in records for one in record.versions}
        return Remains(
            records,
            unreadable,
            hashes={model: self._hash(model) for model in models},
            unrecorded=sorted(runs - told),
        )

    def _hash(self, model_id: str) -> str | None:
        """Return the SHA-256 of a model's file; None where it is gone."""
        path = self.files / model_folder(model_id) / "data" / DOCUMENT
        return sha256(path.read_bytes()).hexdigest() if path.exists() else None


def _newest_number(database: Path) -> int | None:
    """Return the newest version in a database of MLflow; None where it can't be read as one."""
    if not database.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            (number,) = connection.execute("SELECT max(version) FROM model_versions").fetchone()
    except sqlite3.DatabaseError:
        return None
    return number or 0


def _migrate(folder: Path, database: Path) -> None:
    """Turn a registry in files into a database.

    MLflow writes it in WAL mode and leaves it open: what is kept is a copy, whole in one file.
    """
    with quiet_mlflow(), redirect_stdout(StringIO()):
        from mlflow.store.fs2db import migrate

        migrate(folder, f"{SQLITE}{folder}/{database.name}", progress=False)
    with closing(sqlite3.connect(folder / database.name)) as connection:
        connection.execute("VACUUM INTO ?", [str(database)])


def _move_aside(database: Path) -> Path | None:
    """Rename what is left of a database, so that nothing is deleted; return its new name."""
    if not database.exists():
        return None
    number = 1
    while (aside := database.with_name(f"{database.name}.lost{number}")).exists():
        number += 1
    return database.rename(aside)
