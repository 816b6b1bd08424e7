"""A lost MLflow database, made again from the records beside its files and what the lake knows."""

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from commands.rebuild_registry import main as rebuild_registry
from pipelines.lifecycle.promotion import Decision, Verdict
from pipelines.lifecycle.registry_rebuild import model_files
from pipelines.lifecycle.registry_records import RECORD
from pipelines.lifecycle.tables import MODEL_FILES
from pipelines.lifecycle.versions import champion_of
from resources.lake import Lake
from resources.model_publishing import ModelPublisher
from resources.model_registry import ModelRegistry
from resources.nights import Nights
from resources.registry_rebuild import RebuildRefusedError, RegistryRebuild
from tests.support.desk import TRAINED_SESSION, Desk
from tests.support.lake import night_of, temporary_lake
from tests.support.lost_registry import lost, rebuilt
from tests.support.trained_signals import small_training

AT = datetime(2026, 1, 5, tzinfo=UTC)
DOCUMENT = "data/trained_signal.json"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Return a lake that knows the files of the registry's versions."""
    return temporary_lake(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def registry(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> ModelRegistry:
    """Return a registry after three trainings: promoted, promoted and taken back, and not."""
    folder = tmp_path_factory.mktemp("registry")
    registry = ModelRegistry(
        tracking_uri=f"sqlite:///{folder}/mlflow.db", artifact_location=str(folder / "artifacts")
    )
    first = train(registry, 0, Verdict.FIRST)
    train(registry, 7, Verdict.PROMOTED)
    registry.roll_back("sample", to=first, by="ann", reason="odd week", at=AT)
    train(registry, 14, Verdict.KEPT)
    files = model_files(registry.versions("sample"))
    lake.commit(lambda writer: writer.append(MODEL_FILES, files), night=night_of(), message="know")
    return registry


def train(registry: ModelRegistry, days: int, verdict: Verdict) -> int:
    """Register the small training as of some days later; return the number of its final model."""
    training = small_training()
    through = training.final.trained_through + timedelta(days=days)
    final = replace(training.final, trained_through=through, data_hash=f"{days}")
    decision = Decision(verdict, "because", through, ())
    return registry.register(
        replace(training, folds=training.folds[:1], final=final),
        market="sample",
        features_version="f",
        decision=decision,
    ).final


def test_a_lost_database_is_made_again_as_it_was(registry: ModelRegistry, lake: Lake) -> None:
    """A version, a figure or a withdrawal that was lost would let another model score."""
    stood, runs = registry.versions("sample"), registry.runs("sample")
    client = MlflowClient(registry.tracking_uri)
    history = client.get_metric_history(runs[0].run_id, "block_auc")
    logged = logged_models(client)
    assert [one.withdrawal is not None for one in stood] == [False, False, True, False]
    with rebuilt(registry, lake) as again:
        assert again.versions("sample") == stood
        assert again.runs("sample") == runs
        client = MlflowClient(again.tracking_uri)
        assert client.get_metric_history(runs[0].run_id, "block_auc") == history
        assert logged_models(client) == logged
        champion = client.get_model_version_by_alias("signal", "champion")
        assert int(champion.version) == 2
        challenger = client.get_model_version_by_alias("signal", "challenger")
        assert int(challenger.version) == stood[-1].number
        assert again.version(2) == registry.version(2)

        assert train(again, 21, Verdict.PROMOTED) == len(stood) + 1
        withdrawn = again.roll_back("sample", to=2, by="ann", reason="again", at=AT)
        assert [one.number for one in withdrawn] == [len(stood) + 1]
        forget_run(again, withdrawn[0].run_id)


def logged_models(client: MlflowClient) -> dict[str, dict[str, Any]]:
    """Return the logged models of all experiments with their figures in one order."""
    experiments = [one.experiment_id for one in client.search_experiments()]
    held = {one.model_id: one.to_dictionary() for one in client.search_logged_models(experiments)}
    for one in held.values():
        one["metrics"] = sorted(map(str, one["metrics"]))
    return held


def forget_run(registry: ModelRegistry, run_id: str) -> None:
    """Remove the record of a run that the registry's own database never knew."""
    (Path(registry.artifact_location) / run_id / "artifacts" / RECORD).unlink()


def file_of(registry: ModelRegistry, number: int) -> Path:
    """Return the model file of a version."""
    uri = MlflowClient(registry.tracking_uri).get_model_version_download_uri("signal", str(number))
    return Path(uri.removeprefix("file://")) / DOCUMENT


def record_of(registry: ModelRegistry, number: int) -> Path:
    """Return the record of the run that made a version."""
    run_id = {one.number: one.run_id for one in registry.versions("sample")}[number]
    return Path(registry.artifact_location) / run_id / "artifacts" / RECORD


@pytest.mark.parametrize(
    ("harmed", "kept", "named", "may_go_on"),
    [
        (record_of, None, r"version 3 is known to the lake, and \w+/artifacts/regis", False),
        (record_of, 99, r"registry_record.json is no record: ", False),
        (file_of, None, r"version 3: models/.*/trained_signal.json is missing", True),
        (file_of, 99, r"version 3: models/.*/trained_signal.json has SHA-256 \w+, not", True),
    ],
    ids=["no_record", "torn_record", "no_file", "torn_file"],
)
def test_what_is_missing_is_named_and_forbids_it(
    registry: ModelRegistry,
    lake: Lake,
    harmed: Callable[[ModelRegistry, int], Path],
    kept: int | None,
    named: str,
    *,
    may_go_on: bool,
) -> None:
    """Half a registry would score with whatever happens to be left."""
    path = harmed(registry, 3)
    whole = path.read_bytes()
    path.unlink()
    if kept is not None:
        path.write_bytes(whole[:kept])
    try:
        with lost(registry) as without:
            plan = RegistryRebuild(lake, without).plan()
    finally:
        path.write_bytes(whole)
    assert re.search(named, "\n".join(plan.obstacles(accepts_broken=False)))
    assert (plan.obstacles(accepts_broken=True) == ()) is may_go_on


def test_a_registry_that_is_there_is_left_alone(registry: ModelRegistry, lake: Lake) -> None:
    """A command for an emergency is also run by mistake."""
    with pytest.raises(RebuildRefusedError, match=r"versions up to 4, .* up to 4: nothing is lost"):
        RegistryRebuild(lake, registry).plan()
    server = ModelRegistry(**dict(registry) | {"tracking_uri": "https://mlflow.example"})
    with pytest.raises(RebuildRefusedError, match="a server of yours"):
        RegistryRebuild(lake, server).plan()


def test_a_desk_publishes_the_same_of_a_registry_that_was_made_again(
    trained_desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever lost a file must see the loss nowhere but in what the command tells."""
    registry: ModelRegistry = trained_desk.resources["model_registry"]
    nights: Nights = trained_desk.resources["nights"]
    (night,) = nights.find([TRAINED_SESSION])
    publisher = ModelPublisher(trained_desk.lake, registry, trained_desk.serving, night)
    stands = {one.collection: one.content_hash for one in publisher.publish()}
    monkeypatch.setenv("NIGHTDESK_HOME", str(trained_desk.folder))
    monkeypatch.setenv("DAGSTER_HOME", str(trained_desk.folder / "dagster"))
    with lost(registry) as without:
        RegistryRebuild(trained_desk.lake, without).database.write_text("no database any more")
        monkeypatch.setattr(sys, "argv", ["rebuild-registry"])
        monkeypatch.setenv("MLFLOW_TRACKING_URI", without.tracking_uri)
        rebuild_registry()
        again = replace(publisher, registry=ModelRegistry(**dict(without)))
        assert {one.collection: one.content_hash for one in again.publish()} == stands
    told = capsys.readouterr().out
    known = registry.versions("sample")
    champion = champion_of(known)
    assert champion is not None
    assert (
        f"{len(known)} of sample; champion: version {champion.number}, challenger: none\n" in told
    )
    assert "mlflow.db.lost1" in told
