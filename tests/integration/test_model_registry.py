"""The registry on a real MLflow store in SQLite."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipelines.lifecycle.drift_rows import DRIFT_SCHEMA, SkillDecay, drift_rows
from pipelines.lifecycle.promotion import Decision, Verdict
from pipelines.lifecycle.versions import Withdrawal
from pipelines.nights import Night, Origin
from pipelines.signals.model import SignalTraining
from pipelines.validation.session_bootstrap import Estimate
from resources.live_rollback import answer_live_results
from resources.model_drift import roll_back_failed
from resources.model_registry import ModelRegistry, RollbackError, raise_corrupt
from resources.provenance import code_version
from resources.signal_files import CorruptVersionError, UnknownVersionError
from tests.support.panels import panel
from tests.support.trained_signals import small_training

ROOT = Path(__file__).resolve().parents[2]
FIRST_USE = """
import sys
from resources.model_registry import ModelRegistry
# Definitions load in two seconds; MLflow alone takes two, LightGBM one.
assert not {"mlflow", "lightgbm", "matplotlib", "scipy", "sklearn"} & set(sys.modules)
ModelRegistry(tracking_uri=sys.argv[1], artifact_location=sys.argv[2]).versions("sample")
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> ModelRegistry:
    """Return a registry that two processes opened for the first time at the same moment."""
    folder = tmp_path_factory.mktemp("registry")
    registry = ModelRegistry(
        tracking_uri=f"sqlite:///{folder}/state/mlflow.db",
        artifact_location=str(folder / "artifacts"),
    )
    arguments = [sys.executable, "-c", FIRST_USE]
    arguments += [registry.tracking_uri, registry.artifact_location]
    other = subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    assert registry.versions("sample") == []
    printed, complained = other.communicate(timeout=120)
    assert other.returncode == 0, complained.decode()
    # Migration logs and deprecation warnings of MLflow would drown the night's own lines.
    assert (printed, complained) == (b"", b"")
    return registry


def test_a_training_is_kept_once_and_found_by_session(registry: ModelRegistry) -> None:
    """Every session must find the model of its own time, exactly as it was trained."""
    training = small_training()
    registration = registry.register(
        training, market="sample", features_version="f1", night_id="night"
    )
    assert len(registration.added) == len(training.models)
    assert registration.champion == registration.added[-1]

    again = registry.register(training, market="sample", features_version="f1")
    assert (again.added, again.run_id) == ((), None)
    assert again.champion == registration.champion
    assert len(registry.versions("sample")) == len(training.models)

    assert registry.version(registration.champion) == training.final
    for model, number in zip(training.models, registration.added, strict=True):
        found = registry.signal_for(
            "sample", model.trained_through + timedelta(days=1), features_version="f1"
        )
        assert found == (number, model)
    for market, through in (
        ("sample", training.folds[0].trained_through),
        ("simulated", training.final.trained_through),
    ):
        assert registry.signal_for(market, through, features_version="f1") is None


def test_a_model_of_other_features_scores_no_session(registry: ModelRegistry) -> None:
    """A column whose formula changed keeps its name; the old model would read it all the same."""
    training = small_training()
    tonight = training.final.trained_through + timedelta(days=1)
    old = registry.register(training, market="changed", features_version="f1")
    assert registry.signal_for("changed", tonight, features_version="f2") is None

    new = registry.register(training, market="changed", features_version="f2")
    assert len(new.added) == len(old.added)
    assert new.champion > old.champion
    found = registry.signal_for("changed", tonight, features_version="f2")
    assert found is not None
    assert found[0] == new.champion


def test_the_run_of_a_training_tells_its_story(registry: ModelRegistry) -> None:
    """A person opens MLflow to see how good a version is and what it was made with."""
    from mlflow import MlflowClient

    registration = registry.register(small_training(), market="told", features_version="f2")
    assert registration.run_id is not None
    client = MlflowClient(registry.tracking_uri)
    run = client.get_run(registration.run_id)
    metrics = small_training().metrics
    assert metrics is not None
    assert metrics.auc is not None
    assert run.info.status == "FINISHED"
    assert run.data.metrics["auc"] == metrics.auc.value
    assert run.data.metrics["auc_lower"] == metrics.auc.lower
    assert run.data.params["splits.embargo"] == "3"
    assert {file.path for file in client.list_artifacts(run.info.run_id, "plots")} == {
        "plots/calibration.png",
        "plots/auc_by_block.png",
    }
    champion = client.get_model_version_by_alias("signal", "champion")
    assert int(champion.version) == registration.champion
    assert champion.tags == {
        "market": "told",
        "features_version": "f2",
        "trained_through": small_training().final.trained_through.isoformat(),
        "data_hash": small_training().final.data_hash,
        "code_version": code_version(ROOT),
        "file_sha256": sha256(file_of(registry, champion).read_bytes()).hexdigest(),
    }


def test_an_unknown_version_is_named(registry: ModelRegistry) -> None:
    """A manifest may name a version that someone deleted; replay must say so."""
    with pytest.raises(UnknownVersionError, match="no version 999"):
        registry.version(999)


def test_a_store_is_not_left_in_the_environment(
    registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow writes it there; the next desk of this process would take it for a setting."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    registry.register(small_training(), market="left", features_version="f1")
    assert "MLFLOW_TRACKING_URI" not in os.environ
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////chosen/by/a/person.db")
    registry.register(small_training(), market="left", features_version="f1")
    assert os.environ["MLFLOW_TRACKING_URI"] == "sqlite:////chosen/by/a/person.db"


def test_a_version_is_a_model_that_mlflow_itself_can_load(
    registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens the registry without our code's readers must get the same probabilities."""
    import mlflow.pyfunc

    training = small_training()
    champion = registry.register(training, market="loaded", features_version="f1").champion
    generator = np.random.default_rng(3)
    rows = pl.DataFrame(
        {name: generator.standard_normal(20).astype("float32") for name in training.final.features}
    )
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.tracking_uri)
    loaded = mlflow.pyfunc.load_model(f"models:/signal/{champion}")
    expected = training.final.calibration.probability(training.final.margins(rows))
    assert np.array_equal(loaded.predict(rows.to_pandas()), expected)


def retrained(days: int, verdict: Verdict) -> tuple[SignalTraining, Decision]:
    """Return the small training as of some days later, and what became of it."""
    training = small_training()
    through = training.final.trained_through + timedelta(days=days)
    final = replace(training.final, trained_through=through, data_hash=f"{days}")
    return replace(training, final=final), Decision(verdict, "because", through, ())


@pytest.fixture
def champions(registry: ModelRegistry, request: pytest.FixtureRequest) -> tuple[str, list[int]]:
    """A market of its own with three trainings: promoted, promoted, and kept from promotion."""
    market = request.node.name
    numbers = []
    for days, verdict in ((0, Verdict.FIRST), (7, Verdict.PROMOTED), (14, Verdict.KEPT)):
        training, decision = retrained(days, verdict)
        made = registry.register(training, market=market, features_version="f", decision=decision)
        numbers.append(made.added[-1])
    return market, numbers


def scoring(registry: ModelRegistry, market: str, *, complaints: list[str] | None = None) -> int:
    """Return the version that scores a night after all trainings."""
    tonight = small_training().final.trained_through + timedelta(days=30)
    found = registry.model_by_session(
        market,
        features_version="f",
        complain=raise_corrupt if complaints is None else complaints.append,
    )(tonight)
    assert found is not None
    return found[0]


def test_only_what_was_promoted_scores_and_a_rollback_brings_back_the_one_before(
    registry: ModelRegistry, champions: tuple[str, list[int]]
) -> None:
    """The newest training is not the champion because it is the newest."""
    market, (first, second, kept) = champions
    assert scoring(registry, market) == second
    told = {one.number: one for one in registry.versions(market)}
    assert told[kept].decision == retrained(14, Verdict.KEPT)[1]
    assert not told[kept].may_be_champion
    late = told[kept].trained_through + timedelta(days=1)
    assert registry.trained_through(market, late, features_version="f") == (
        told[kept].trained_through
    ), "a training that was not promoted is not repeated every night"

    at = datetime(2026, 1, 5, tzinfo=UTC)
    with pytest.raises(RollbackError, match=rf"version {kept} .* take one of .*{first}, {second}"):
        registry.roll_back(market, to=kept, by="ann", reason="?", at=at)
    withdrawn = registry.roll_back(market, to=first, by="ann", reason="odd week", at=at)
    assert [one.number for one in withdrawn] == [second]
    assert scoring(registry, market) == first
    told = {one.number: one for one in registry.versions(market)}
    assert told[second].withdrawal == Withdrawal(at, "ann", "odd week", first)
    from mlflow import MlflowClient

    alias = MlflowClient(registry.tracking_uri).get_model_version_by_alias("signal", "champion")
    assert int(alias.version) == first
    assert named_challenger(registry) == kept, "a rollback says nothing of who waits"


def named_challenger(registry: ModelRegistry) -> int | None:
    """Return the version that MLflow's alias `challenger` names."""
    from mlflow import MlflowClient

    aliases = MlflowClient(registry.tracking_uri).get_registered_model("signal").aliases
    return int(aliases["challenger"]) if "challenger" in aliases else None


def test_the_newest_training_that_was_not_promoted_is_the_challenger(
    registry: ModelRegistry, champions: tuple[str, list[int]]
) -> None:
    """Who opens MLflow asks what wants the champion's place; a stale alias would name the wrong."""
    market, (_, second, kept) = champions
    assert named_challenger(registry) == kept
    waiting: int | None = kept
    for days, verdict, is_waiting in (
        (21, Verdict.BLOCKED, True),
        (10, Verdict.KEPT, False),  # of a night of the past: who waits, waits on
        (28, Verdict.PROMOTED, False),
        (35, Verdict.KEPT, True),
    ):
        training, decision = retrained(days, verdict)
        made = registry.register(training, market=market, features_version="f", decision=decision)
        if is_waiting:
            waiting = made.final
        elif verdict is Verdict.PROMOTED:
            waiting = None
        assert made.challenger == named_challenger(registry) == waiting
    champion = {one.number: one for one in registry.versions(market)}[made.champion or 0]
    registry.withdraw(champion, Withdrawal(datetime(2026, 1, 5, tzinfo=UTC), "ann", "?", None))
    assert scoring(registry, market) == second
    assert named_challenger(registry) == made.final

    training, decision = retrained(1, Verdict.FIRST)
    other = registry.register(training, market="another", features_version="f", decision=decision)
    assert other.challenger is None
    assert named_challenger(registry) == made.final, "another market's challenger stays"


def test_a_broken_file_is_named_and_the_champion_before_it_scores(
    registry: ModelRegistry, champions: tuple[str, list[int]]
) -> None:
    """A disk error must cost neither the night nor the certainty of what scored it."""
    market, (first, second, _) = champions
    assert scoring(registry, market) == second
    path = newest_file(registry, "7")
    content = path.read_text()
    path.write_text(content.replace("0.", "1.", 1))
    with pytest.raises(CorruptVersionError, match=f"version {second} of model 'signal' is broken"):
        registry.version(second)
    complaints: list[str] = []
    assert scoring(registry, market, complaints=complaints) == first
    assert len(complaints) == 1
    assert f"version {second}" in complaints[0]
    path.unlink()
    with pytest.raises(CorruptVersionError, match="its file is gone"):
        registry.version(second)
    assert scoring(registry, market, complaints=[]) == first
    assert_a_failing_champion_is_taken_back(registry, market, failing=second, before=first)


def assert_a_failing_champion_is_taken_back(
    registry: ModelRegistry, market: str, *, failing: int, before: int
) -> None:
    """Require that a live record surely below a coin takes its version back, once and told."""
    night = Night(market, date(2026, 1, 5), datetime(2026, 1, 6, tzinfo=UTC), Origin.LIVE)
    live = Estimate(0.45, 0.42, 0.48)
    for decay, done in (
        (SkillDecay(Estimate(0.5, 0.45, 0.55), Estimate(0.56, 0.54, 0.58)), None),
        (SkillDecay(live, live), f"version {before} scores from now on"),
        (SkillDecay(live, live), None),
    ):
        nothing = pl.DataFrame(schema=DRIFT_SCHEMA)
        rows = drift_rows([], decay, night=night, model_version=failing, before=nothing)
        told = roll_back_failed(registry, rows, night=night)
        assert (told is None) == (done is None)
        assert (done or "") in (told or "")
    withdrawn = {one.number: one.withdrawal for one in registry.versions(market)}[failing]
    assert withdrawn is not None
    assert withdrawn.by == "nightdesk"
    assert withdrawn.reason.startswith("live AUC 0.450 [0.420, 0.480]")


def test_live_results_withdraw_every_refuted_champion_and_bring_a_confirmed_one_back(
    registry: ModelRegistry, champions: tuple[str, list[int]]
) -> None:
    """The promoted version before a refuted one learned from the same signal: it goes too."""
    market, (first, second, _) = champions
    rows = panel(strength=1.0, seed=5, symbols=60, sessions=60)
    rows = rows.with_columns(pl.col("session", "label_end", "exit_session") + timedelta(days=3650))
    tonight = max(rows["label_end"].to_list())
    night = Night(market, tonight, datetime(2026, 1, 6, tzinfo=UTC), Origin.LIVE)
    told: list[str] = []

    def answer(lived: pl.DataFrame) -> list[int]:
        count = answer_live_results(
            registry, lived, night=night, features_version="f", progress=told.append
        )
        withdrawn = [one.number for one in registry.versions(market) if one.withdrawal]
        assert count == len(withdrawn)
        return withdrawn

    assert answer(rows) == []
    assert answer(rows.with_columns(~pl.col("is_up"))) == [first, second]
    assert registry.champion(market, tonight, features_version="f") is None
    assert answer(rows) == [first]
    assert scoring(registry, market) == second
    assert [line.split(":")[0] for line in told] == [
        f"version {second} is withdrawn",
        f"version {first} is withdrawn",
        f"version {second} scores again",
    ]


def file_of(registry: ModelRegistry, version: Any) -> Path:
    """Return the file of one of MLflow's versions."""
    (path,) = (
        path
        for path in Path(registry.artifact_location).rglob("trained_signal.json")
        if version.source.removeprefix("models:/") in str(path)
    )
    return path


def newest_file(registry: ModelRegistry, data_hash: str) -> Path:
    """Return the newest file of a model: other tests made such models too."""
    return max(
        (
            path
            for path in Path(registry.artifact_location).rglob("trained_signal.json")
            if json.loads(path.read_text())["data_hash"] == data_hash
        ),
        key=lambda path: path.stat().st_mtime_ns,
    )
