"""A quiet connection to MLflow, safe to open from several processes at once.

MLflow is imported here on first use, since its import takes two seconds. Its telemetry, progress
bars and migration log are off: a night's log is for the night.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from filelock import FileLock

SQLITE = "sqlite:///"
TRACKING_VARIABLE = "MLFLOW_TRACKING_URI"
# Creating the tables takes three seconds; a process that waits longer than this is stuck.
CREATION_TIMEOUT_S = 120.0
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}


@contextmanager
def connected(tracking_uri: str, *, model: str | None) -> Iterator[Any]:
    """Open a client on a store that has its tables and the registered model of a name, if any.

    Fluent MLflow calls inside the block go to the same store.
    """
    with quiet_mlflow() as mlflow, _tracking(mlflow, tracking_uri):
        # MLflow creates SQLite tables without a lock: two first users would both try, and fail.
        with creation_lock(tracking_uri):
            client = mlflow.MlflowClient(tracking_uri, registry_uri=tracking_uri)
            if model and not client.search_registered_models(f"name = '{model}'"):
                client.create_registered_model(model)
        yield client


@contextmanager
def quiet_mlflow() -> Iterator[Any]:
    """Give the module of MLflow, without its telemetry, its logs and its own deprecations."""
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    with warnings.catch_warnings():
        # MLflow's own use of SQLAlchemy is deprecated there; nothing we could change.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        import mlflow

        for chatterbox in ("mlflow", "alembic"):
            logging.getLogger(chatterbox).setLevel(logging.WARNING)
        yield mlflow


def experiment_id(client: Any, name: str, *, artifact_location: str) -> str:
    """Return the id of the experiment `name`, created with `artifact_location` when missing.

    Args:
        client: the connected client.
        name: name of the experiment.
        artifact_location: URI or folder of the files of its runs.
    """
    experiment = client.get_experiment_by_name(name)
    if experiment is not None:
        return str(experiment.experiment_id)
    is_uri = "://" in artifact_location
    location = artifact_location if is_uri else Path(artifact_location).resolve().as_uri()
    return str(client.create_experiment(name, artifact_location=location))


def creation_lock(tracking_uri: str) -> Any:
    """Return the lock under which a database in SQLite is created; a server needs none."""
    if not tracking_uri.startswith(SQLITE):
        return nullcontext()
    database = Path(tracking_uri.removeprefix(SQLITE))
    database.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{database}.lock", timeout=CREATION_TIMEOUT_S)


@contextmanager
def _tracking(mlflow: Any, tracking_uri: str) -> Iterator[None]:
    """Point fluent calls at a store, and take it back.

    MLflow also writes its choice into the environment, where the settings would read it as a
    person's own: a desk opened afterwards would keep its models in this one's store.
    """
    before = os.environ.get(TRACKING_VARIABLE)
    mlflow.set_tracking_uri(tracking_uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None)
        if before is not None:
            os.environ[TRACKING_VARIABLE] = before
