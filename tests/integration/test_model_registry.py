"""The registry on a real MLflow store in SQLite."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from resources.model_registry import ModelRegistry, UnknownVersionError
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
        found = registry.signal_for("sample", model.trained_through + timedelta(days=1))
        assert found == (number, model)
    assert registry.signal_for("sample", training.folds[0].trained_through) is None
    assert registry.signal_for("simulated", training.final.trained_through) is None


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
    }


def test_an_unknown_version_is_named(registry: ModelRegistry) -> None:
    """A manifest may name a version that someone deleted; replay must say so."""
    with pytest.raises(UnknownVersionError, match="no version 999"):
        registry.version(999)


def test_a_version_is_a_model_that_mlflow_itself_can_load(registry: ModelRegistry) -> None:
    """Whoever opens the registry without our code's readers must get the same probabilities."""
    import mlflow.pyfunc

    training = small_training()
    champion = registry.register(training, market="loaded", features_version="f1").champion
    generator = np.random.default_rng(3)
    rows = pl.DataFrame(
        {name: generator.standard_normal(20).astype("float32") for name in training.final.features}
    )
    mlflow.set_tracking_uri(registry.tracking_uri)
    loaded = mlflow.pyfunc.load_model(f"models:/signal/{champion}")
    expected = training.final.calibration.probability(training.final.margins(rows))
    assert np.array_equal(loaded.predict(rows.to_pandas()), expected)
