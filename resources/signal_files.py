"""The file of each version: one trained signal as JSON, logged with MLflow and read back whole."""

import json
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version as installed_version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipelines.lifecycle.versions import DOCUMENT, MODEL_NAME, SignalVersion
from pipelines.signals.model import TrainedSignal


class UnknownVersionError(LookupError):
    """The registry holds no such version."""


class CorruptVersionError(RuntimeError):
    """The file of a version is not what was registered."""


def load_version(client: Any, number: int) -> TrainedSignal:
    """Load one version.

    Raises:
        UnknownVersionError: the registry holds no version of that number.
        CorruptVersionError: its file is gone or not what was registered.
    """
    import mlflow

    try:
        files = client.get_model_version_download_uri(MODEL_NAME, str(number))
        wanted = SignalVersion.of(client.get_model_version(MODEL_NAME, str(number))).file_sha256
    except mlflow.MlflowException as error:
        message = f"MLflow has no version {number} of model {MODEL_NAME!r}: {error.message}"
        raise UnknownVersionError(message) from error
    with TemporaryDirectory() as folder:
        try:
            path = mlflow.artifacts.download_artifacts(
                artifact_uri=f"{files}/data/{DOCUMENT}", dst_path=folder
            )
        except (OSError, mlflow.MlflowException) as error:
            raise CorruptVersionError(_corrupt(number, f"its file is gone ({error})")) from error
        content = Path(path).read_bytes()
    found = sha256(content).hexdigest()
    if wanted is not None and found != wanted:
        raise CorruptVersionError(_corrupt(number, f"its SHA-256 is {found}, not {wanted}"))
    return TrainedSignal.from_document(json.loads(content))


def _corrupt(number: int, what: str) -> str:
    """Say which version is broken, how, and what to do."""
    return (
        f"the file of version {number} of model {MODEL_NAME!r} is broken: {what}. Restore it from "
        f"a backup, or withdraw it: make rollback VERSION=<an earlier one>"
    )


def add_version(client: Any, model: TrainedSignal, *, run_id: str, tags: Mapping[str, str]) -> None:
    """Log `model` into the active run and make it a version."""
    import mlflow.pyfunc

    with TemporaryDirectory() as folder:
        document = Path(folder) / DOCUMENT
        content = json.dumps(model.to_document(), allow_nan=False).encode()
        document.write_bytes(content)
        logged = mlflow.pyfunc.log_model(
            name=MODEL_NAME,
            loader_module="resources.signal_flavor",
            data_path=str(document),
            # Given, or MLflow installs the model elsewhere to infer them: 8.8 s against 0.09 s.
            pip_requirements=[
                f"{name}=={installed_version(name)}" for name in ("lightgbm", "catboost")
            ],
        )
    client.create_model_version(
        MODEL_NAME,
        source=logged.model_uri,
        run_id=run_id,
        model_id=logged.model_id,
        tags={
            **tags,
            "trained_through": model.trained_through.isoformat(),
            "data_hash": model.data_hash,
            "file_sha256": sha256(content).hexdigest(),
        },
    )
