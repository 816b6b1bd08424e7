"""Dagster's own home under the state folder, with the repository's `dagster.yaml` in it.

At the project's root Dagster would write its databases into our package `schedules`.
"""

import fcntl
import os
from pathlib import Path

import dagster as dg

from resources.settings import PROJECT_ROOT, Settings

POSTGRES_STORAGE = """
storage:
  postgres:
    postgres_url:
      env: NIGHTDESK_DAGSTER_DATABASE
"""
"""The address goes in by the name of its variable: this file and the UI show no password."""


def prepare_dagster_home(settings: Settings) -> Path:
    """Create DAGSTER_HOME where it is not there yet, and point this process and its children at it.

    An instance of the user's own, set in DAGSTER_HOME, is left as it is.
    """
    if os.environ.get("DAGSTER_HOME"):
        return Path(os.environ["DAGSTER_HOME"])
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    _put_configuration(home / "dagster.yaml", PROJECT_ROOT / "dagster.yaml", settings)
    if settings.dagster_database is None:
        _create_databases(home)
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def _put_configuration(target: Path, source: Path, settings: Settings) -> None:
    """Link the configuration in; where Dagster's storage is PostgreSQL, write it with that."""
    if settings.dagster_database is None:
        if not (target.is_symlink() and target.exists()):
            target.unlink(missing_ok=True)  # of other settings, or of a project that was moved
            target.symlink_to(source)
        return
    target.unlink(missing_ok=True)
    target.write_text(source.read_text(encoding="utf-8") + POSTGRES_STORAGE, encoding="utf-8")


def _create_databases(home: Path) -> None:
    """Create Dagster's SQLite databases, in one process at a time.

    Where a daemon and a command open a new home at once, both create the tables and stamp their
    revision; a database with two stamps can never be opened again.
    """
    created = home / "databases_created"
    with (home / "create.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not created.exists():
            with dg.DagsterInstance.from_config(str(home)):
                created.touch()
