"""Signal models in MLflow: a run for each training, a version of model `signal` for each model.

A version is the whole `TrainedSignal` as one JSON file, all boosters of its ensemble included. The
desk reads that back; `mlflow.pyfunc.load_model` gives it as a model that predicts probabilities
(`resources.signal_flavor`). Training the same data again adds nothing.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.metadata import version as installed_version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.signals.model import SignalTraining, TrainedSignal
from pipelines.signals.scoring import select_model
from pipelines.validation.metrics import SignalMetrics
from resources.mlflow_session import connected, experiment_id

MODEL_NAME = "signal"
EXPERIMENT = "signals"
CHAMPION = "champion"
DOCUMENT = "trained_signal.json"


class UnknownVersionError(LookupError):
    """The registry holds no such version."""


@dataclass(frozen=True)
class SignalVersion:
    """What the registry's tags say of one version, without loading it."""

    number: int
    market: str
    trained_through: date
    data_hash: str
    features_version: str

    @property
    def identity(self) -> tuple[date, str]:
        """Return what two versions of one market never share."""
        return self.trained_through, self.data_hash


@dataclass(frozen=True)
class Registration:
    """What a registration did: versions added, the champion's number, the run (None: no news)."""

    added: tuple[int, ...]
    champion: int
    run_id: str | None


class ModelRegistry(dg.ConfigurableResource[Any]):
    """The MLflow that keeps signal models."""

    tracking_uri: str = Field(description="Tracking and registry store: sqlite:///… or a server.")
    artifact_location: str = Field(description="Folder or URI for the files of the runs.")

    def register(
        self,
        training: SignalTraining,
        *,
        market: str,
        features_version: str,
        night_id: str | None = None,
    ) -> Registration:
        """Keep every model of `training` that is not there yet.

        The version that has seen most becomes champion: training for a night of the past must not
        take the place of tonight's model. A model is there already when market, trained_through
        and data_hash are the same.

        Args:
            training: what `train_signals` made.
            market: the market it was trained on.
            features_version: hash of the feature definitions.
            night_id: the night that asked for it, kept as a tag of the run.
        """
        tags = {"market": market, "features_version": features_version}
        if night_id is not None:
            tags["night_id"] = night_id
        with self._client() as client:
            known = {version.identity: version.number for version in _versions(client, market)}
            fresh = [model for model in training.models if _identity(model) not in known]
            run_id = self._log_run(client, training, fresh=fresh, tags=tags) if fresh else None
            kept = _versions(client, market)
            champion = max(kept, key=lambda one: (one.trained_through, one.number)).number
            client.set_registered_model_alias(MODEL_NAME, CHAMPION, str(champion))
        added = sorted({version.number for version in kept} - set(known.values()))
        return Registration(added=tuple(added), champion=champion, run_id=run_id)

    def versions(self, market: str) -> list[SignalVersion]:
        """Return the versions of a market, oldest number first, without loading any."""
        with self._client() as client:
            return _versions(client, market)

    def version(self, number: int) -> TrainedSignal:
        """Load one version.

        Raises:
            UnknownVersionError: the registry holds no version of that number.
        """
        with self._client() as client:
            return _load(client, number)

    def signal_for(self, market: str, session: date) -> tuple[int, TrainedSignal] | None:
        """Return number and model of the session's own time, None when nothing was trained yet.

        It is the version with the greatest trained_through before `session`; where data were
        revised and several have it, the newest.
        """
        return self.model_by_session(market)(session)

    def model_by_session(self, market: str) -> Callable[[date], tuple[int, TrainedSignal] | None]:
        """Return a look-up of the model that may score a session; each model is loaded once."""
        with self._client() as client:
            versions = _versions(client, market)
        load = lru_cache(self.version)

        def model_for(session: date) -> tuple[int, TrainedSignal] | None:
            number = _version_for(versions, session)
            return None if number is None else (number, load(number))

        return model_for

    def track_records(self, numbers: Iterable[int | None]) -> dict[int, SignalMetrics | None]:
        """Return what each version had shown out of sample when it was trained."""
        wanted = {number for number in numbers if number is not None}
        return {number: self.version(number).track_record for number in wanted}

    def _client(self) -> AbstractContextManager[Any]:
        return connected(self.tracking_uri, model=MODEL_NAME)

    def _log_run(
        self,
        client: Any,
        training: SignalTraining,
        *,
        fresh: Sequence[TrainedSignal],
        tags: Mapping[str, str],
    ) -> str:
        """Write the run of a training with a version for each of its `fresh` models."""
        import mlflow

        experiment = experiment_id(client, EXPERIMENT, artifact_location=self.artifact_location)
        name = f"{tags['market']} through {training.final.trained_through}"
        with mlflow.start_run(experiment_id=experiment, run_name=name, tags=dict(tags)) as run:
            run_id = str(run.info.run_id)
            mlflow.log_params(_parameters(training.final))
            for model in fresh:
                _add_version(client, model, run_id=run_id, tags=tags)
            # After the models: MLflow copies the figures a run already has to each model, and
            # these measure the whole training.
            _log_metrics(training)
            _log_plots(client, training, run_id=run_id)
        return run_id


def _identity(model: TrainedSignal) -> tuple[date, str]:
    return model.trained_through, model.data_hash


def _versions(client: Any, market: str) -> list[SignalVersion]:
    found = client.search_model_versions(f"name = '{MODEL_NAME}' and tags.market = '{market}'")
    versions = [
        SignalVersion(
            number=int(version.version),
            market=version.tags["market"],
            trained_through=date.fromisoformat(version.tags["trained_through"]),
            data_hash=version.tags["data_hash"],
            features_version=version.tags["features_version"],
        )
        for version in found
    ]
    return sorted(versions, key=lambda version: version.number)


def _version_for(versions: Sequence[SignalVersion], session: date) -> int | None:
    """Return the version of a session's own time: the newest of the latest trained before it."""
    through = select_model((version.trained_through for version in versions), session)
    numbers = [version.number for version in versions if version.trained_through == through]
    return max(numbers, default=None)


def _load(client: Any, number: int) -> TrainedSignal:
    import mlflow

    try:
        files = client.get_model_version_download_uri(MODEL_NAME, str(number))
    except mlflow.MlflowException as error:
        message = f"MLflow has no version {number} of model {MODEL_NAME!r}: {error.message}"
        raise UnknownVersionError(message) from error
    with TemporaryDirectory() as folder:
        path = mlflow.artifacts.download_artifacts(
            artifact_uri=f"{files}/data/{DOCUMENT}", dst_path=folder
        )
        return TrainedSignal.from_document(json.loads(Path(path).read_text()))


def _add_version(
    client: Any, model: TrainedSignal, *, run_id: str, tags: Mapping[str, str]
) -> None:
    """Log `model` into the active run and make it a version."""
    import mlflow.pyfunc

    with TemporaryDirectory() as folder:
        document = Path(folder) / DOCUMENT
        document.write_text(json.dumps(model.to_document(), allow_nan=False))
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
        },
    )


def _parameters(model: TrainedSignal) -> dict[str, Any]:
    settings = model.settings.to_document()
    splits = {f"splits.{name}": value for name, value in settings.pop("splits").items()}
    return {**settings, **splits, "features": ", ".join(model.features)}


def _log_metrics(training: SignalTraining) -> None:
    """Log every figure with its interval, and the AUC of each test block as a step."""
    import mlflow

    figures = training.metrics.estimates() if training.metrics else {}
    for name, estimate in figures.items():
        bounds = {"": estimate.value, "_lower": estimate.lower, "_upper": estimate.upper}
        mlflow.log_metrics({f"{name}{suffix}": value for suffix, value in bounds.items()})
    for block, metrics in enumerate(training.block_metrics):
        if metrics is not None and metrics.auc is not None:
            mlflow.log_metric("block_auc", metrics.auc.value, step=block)


def _log_plots(client: Any, training: SignalTraining, *, run_id: str) -> None:
    from pipelines.signals.plots import area_plot, calibration_plot

    with TemporaryDirectory() as folder:
        for name, plot in (("calibration", calibration_plot), ("auc_by_block", area_plot)):
            picture = Path(folder) / f"{name}.png"
            picture.write_bytes(plot(training))
            client.log_artifact(run_id, str(picture), "plots")
