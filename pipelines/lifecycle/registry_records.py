"""What is kept beside the files of a training, so that a lost MLflow database can be made again.

A record holds in MLflow's own terms what its database knows of one run: figures, settings, models
and the versions made of them, instants included. `file_store` lays records out as MLflow keeps a
registry in files, which MLflow itself turns into a database.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict

from pipelines.lifecycle.versions import MODEL_NAME

RECORD = "registry_record.json"
"""Name of a record among the files of its run."""
READY = 2
"""MLflow's number of the status of a model whose files are complete."""


class _Kept(BaseModel):
    """A part of a record; a field that this code does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Figure(_Kept):
    """One value of a metric, `at` in milliseconds."""

    name: str
    value: float
    at: int
    step: int

    def line(self, *rest: str) -> str:
        """Return the figure as MLflow's files have it."""
        return " ".join([str(self.at), repr(self.value), str(self.step), *rest])


class KeptExperiment(_Kept):
    """The experiment of a run."""

    experiment_id: str
    name: str
    created_at: int
    changed_at: int


class KeptModel(_Kept):
    """A logged model of a run; its files lie in `models/<model_id>` beside the run's."""

    model_id: str
    name: str
    created_at: int
    changed_at: int
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    figures: tuple[Figure, ...]


class KeptVersion(_Kept):
    """A version of the registered model."""

    number: int
    model_id: str
    created_at: int
    changed_at: int
    description: str | None
    tags: Mapping[str, str]

    @property
    def file_sha256(self) -> str | None:
        """Return the hash of the model's file as registered; old versions have none."""
        return self.tags.get("file_sha256")


class RunRecord(_Kept):
    """All that MLflow's database knows of one run."""

    run_id: str
    name: str
    status: str
    user: str
    started_at: int
    ended_at: int | None
    experiment: KeptExperiment
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    figures: tuple[Figure, ...]
    models: tuple[KeptModel, ...]
    versions: tuple[KeptVersion, ...]

    @classmethod
    def from_text(cls, text: str | bytes) -> Self:
        """Return the record that `to_text` wrote.

        Raises:
            ValueError: it is none, or of another Nightdesk.
        """
        return cls.model_validate_json(text)

    def to_text(self) -> str:
        """Return the record as JSON; figures may be infinite or undefined."""
        return self.model_dump_json(indent=1)


def file_store(
    records: Sequence[RunRecord], *, location: str, aliases: Mapping[str, int]
) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield path and content of every file of a registry that MLflow keeps in files.

    Args:
        records: What is known.
        location: URI of the folder that the files of all runs lie in.
        aliases: The version that each alias names.
    """
    for record in records:
        kept = record.experiment
        yield (
            PurePosixPath(kept.experiment_id, "meta.yaml"),
            yaml.safe_dump(
                {
                    "name": kept.name,
                    "artifact_location": location,
                    "creation_time": kept.created_at,
                    "last_update_time": kept.changed_at,
                }
            ),
        )
        yield from _run_files(record, location)
        for model in record.models:
            yield from _model_files(record, model, location)
    yield from _registered_files(records, location, aliases)


def _run_files(record: RunRecord, location: str) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield the files of a run."""
    folder = PurePosixPath(record.experiment.experiment_id, record.run_id)
    meta = {
        "run_id": record.run_id,
        "run_name": record.name,
        "status": record.status,
        "user_id": record.user,
        "source_type": "UNKNOWN",
        "start_time": record.started_at,
        "end_time": record.ended_at,
        "artifact_uri": f"{location}/{record.run_id}/artifacts",
    }
    yield folder / "meta.yaml", yaml.safe_dump(meta)
    yield from _named_values(folder / "params", record.parameters)
    yield from _named_values(folder / "tags", record.tags)
    yield from _figure_files(folder / "metrics", record.figures)
    for model in record.models:
        yield folder / "outputs" / model.model_id / "meta.yaml", yaml.safe_dump({"step": 0})


def _model_files(
    record: RunRecord, model: KeptModel, location: str
) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield the files of a logged model."""
    folder = PurePosixPath(record.experiment.experiment_id, "models", model.model_id)
    meta = {
        "model_id": model.model_id,
        "name": model.name,
        "artifact_location": f"{location}/{model_folder(model.model_id)}",
        "creation_timestamp": model.created_at,
        "last_updated_timestamp": model.changed_at,
        "status": READY,
        "source_run_id": record.run_id,
    }
    yield folder / "meta.yaml", yaml.safe_dump(meta)
    yield from _named_values(folder / "params", model.parameters)
    yield from _named_values(folder / "tags", model.tags)
    yield from _figure_files(folder / "metrics", model.figures, record.run_id)


def _registered_files(
    records: Sequence[RunRecord], location: str, aliases: Mapping[str, int]
) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield the files of the registered model, its versions and its aliases."""
    versions = [(record.run_id, one) for record in records for one in record.versions]
    if not versions:
        return
    folder = PurePosixPath("models", MODEL_NAME)
    meta: dict[str, object] = {
        "name": MODEL_NAME,
        "creation_timestamp": min(one.created_at for _, one in versions),
        "last_updated_timestamp": max(one.changed_at for _, one in versions),
    }
    yield folder / "meta.yaml", yaml.safe_dump(meta)
    for alias, number in aliases.items():
        yield folder / "aliases" / alias, str(number)
    for run_id, one in versions:
        meta = {
            "version": one.number,
            "creation_timestamp": one.created_at,
            "last_updated_timestamp": one.changed_at,
            "description": one.description,
            "source": f"models:/{one.model_id}",
            "storage_location": f"{location}/{model_folder(one.model_id)}",
            "run_id": run_id,
        }
        yield folder / f"version-{one.number}" / "meta.yaml", yaml.safe_dump(meta)
        yield from _named_values(folder / f"version-{one.number}" / "tags", one.tags)


def model_folder(model_id: str) -> str:
    """Return where the files of a logged model lie, below those of all runs."""
    return f"models/{model_id}/artifacts"


def _named_values(
    folder: PurePosixPath, values: Mapping[str, str]
) -> Iterator[tuple[PurePosixPath, str]]:
    for name, value in values.items():
        yield folder / name, value


def _figure_files(
    folder: PurePosixPath, figures: Sequence[Figure], *rest: str
) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield a file for each metric, a line for each of its values."""
    lines: dict[str, list[str]] = {}
    for figure in figures:
        lines.setdefault(figure.name, []).append(figure.line(*rest))
    for name, values in lines.items():
        yield folder / name, "\n".join(values)
