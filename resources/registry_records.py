"""Records of runs, written into MLflow beside the files they tell of, and read back."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipelines.lifecycle.registry_records import (
    RECORD,
    Figure,
    KeptExperiment,
    KeptModel,
    KeptVersion,
    RunRecord,
)
from pipelines.lifecycle.versions import MODEL_NAME


def record_runs(client: Any, run_ids: Iterable[str]) -> None:
    """Write the records of runs anew where they are missing, or their versions' tags changed."""
    versions = _versions_by_run(client)
    for run_id in run_ids:
        own = versions.get(run_id, [])
        if _recorded_tags(client, run_id) != {int(one.version): dict(one.tags) for one in own}:
            _write(client, run_record(client, run_id, own))


def run_record(client: Any, run_id: str, versions: Sequence[Any]) -> RunRecord:
    """Return all that MLflow knows of a run.

    Args:
        client: the connected client.
        run_id: the run.
        versions: MLflow's model versions that were made of it.
    """
    run = client.get_run(run_id)
    outputs = run.outputs.model_outputs if run.outputs else []
    return RunRecord(
        run_id=run_id,
        name=run.info.run_name,
        status=run.info.status,
        user=run.info.user_id or "",
        started_at=run.info.start_time,
        ended_at=run.info.end_time,
        experiment=_experiment(client.get_experiment(run.info.experiment_id)),
        parameters=run.data.params,
        tags=run.data.tags,
        figures=tuple(
            _figure(one)
            for name in sorted(run.data.metrics)
            for one in client.get_metric_history(run_id, name)
        ),
        models=tuple(_model(client.get_logged_model(one.model_id)) for one in outputs),
        versions=tuple(_version(one) for one in sorted(versions, key=lambda one: int(one.version))),
    )


def _write(client: Any, record: RunRecord) -> None:
    """Log a record among the files of its run."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / RECORD
        path.write_text(record.to_text())
        client.log_artifact(record.run_id, str(path))


def _recorded_tags(client: Any, run_id: str) -> Mapping[int, Mapping[str, str]] | None:
    """Return the tags of each version as a run's record has them; None without a whole record."""
    from mlflow.artifacts import load_text

    if RECORD not in {file.path for file in client.list_artifacts(run_id)}:
        return None
    try:
        held = RunRecord.from_text(load_text(f"runs:/{run_id}/{RECORD}"))
    except ValueError:
        return None  # written anew
    return {one.number: one.tags for one in held.versions}


def _versions_by_run(client: Any) -> Mapping[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for one in client.search_model_versions(f"name = '{MODEL_NAME}'"):
        found.setdefault(str(one.run_id), []).append(one)
    return found


def _experiment(found: Any) -> KeptExperiment:
    return KeptExperiment(
        experiment_id=found.experiment_id,
        name=found.name,
        created_at=found.creation_time,
        changed_at=found.last_update_time,
    )


def _model(found: Any) -> KeptModel:
    return KeptModel(
        model_id=found.model_id,
        name=found.name,
        created_at=found.creation_timestamp,
        changed_at=found.last_updated_timestamp,
        parameters=found.params,
        tags=found.tags,
        figures=tuple(_figure(one) for one in found.metrics or ()),
    )


def _version(found: Any) -> KeptVersion:
    return KeptVersion(
        number=int(found.version),
        model_id=found.source.removeprefix("models:/"),
        created_at=found.creation_timestamp,
        changed_at=found.last_updated_timestamp,
        description=found.description,
        tags=found.tags,
    )


def _figure(found: Any) -> Figure:
    return Figure(name=found.key, value=found.value, at=found.timestamp, step=found.step)
