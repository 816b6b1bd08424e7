"""Drift in a real lake: the sensor obeys the log, and the log says why."""

from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from pipelines.lifecycle.reference import REFERENCE_SCHEMA
from pipelines.lifecycle.tables import MODEL_REFERENCES, RETRAINING_DECISIONS
from resources.lake import Lake
from resources.model_drift import drift_since
from resources.model_registry import ModelRegistry
from resources.signal_training import LostRegistryError, train_and_decide
from schedules.retraining import drift_retraining
from tests.support.lake import SESSIONS, night_of, temporary_lake


def decide(lake: Lake, at: int, *, trains: bool) -> None:
    """Write what a night decided."""
    night = night_of(SESSIONS[at])
    row = pl.DataFrame(
        [
            {
                "session": night.session,
                "night_id": night.night_id,
                "trains": trains,
                "reason": "grave drift of volume" if trains else "no grave drift",
                "weighted_psi": 0.1,
                "drifting": int(trains),
                "trained_through": SESSIONS[0],
            }
        ]
    )
    lake.commit(
        lambda writer: writer.merge(RETRAINING_DECISIONS, row), night=night, message="decide"
    )


def test_a_lost_registry_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """Versions that are counted from one again would take over the records of old ones."""
    lake = temporary_lake(tmp_path)
    reference = pl.DataFrame(
        [{"feature": "trend", "edges": "[]", "shares": "[]", "months": 12}],
        schema=REFERENCE_SCHEMA,
    ).with_columns(
        pl.col("log_ks_mean", "log_ks_deviation").fill_null(1.0), model_version=pl.lit(7)
    )
    night = night_of(SESSIONS[-1])
    lake.commit(
        lambda writer: writer.append(MODEL_REFERENCES, reference), night=night, message="refer"
    )
    empty = ModelRegistry(
        tracking_uri=f"sqlite:///{tmp_path}/mlflow.db", artifact_location=str(tmp_path / "files")
    )
    with pytest.raises(
        LostRegistryError, match=r"up to version 7, but MLflow .* up to 0: .*backup"
    ):
        train_and_decide(lake, empty, night=night, progress=str)


def test_the_sensor_trains_where_the_newest_night_asks_for_it(tmp_path: Path) -> None:
    """A drift that nobody acts on is only a table; without a daemon `make nightly` acts on it."""
    lake = temporary_lake(tmp_path)

    def answer() -> dg.RunRequest | dg.SkipReason:
        told = drift_retraining(dg.build_sensor_context(resources={"lake": lake}))
        assert isinstance(told, dg.RunRequest | dg.SkipReason)
        return told

    assert answer() == dg.SkipReason("no night has measured drift yet")
    decide(lake, -2, trains=True)
    asked = answer()
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_key == f"drift-{SESSIONS[-2]}", "one run a night, however often it looks"
    assert asked.tags["nightdesk/reason"] == "grave drift of volume"
    assert drift_since(lake, SESSIONS[-3], SESSIONS[-1]) == (
        f"grave drift of volume in the night of {SESSIONS[-2]}"
    )
    assert drift_since(lake, SESSIONS[-2], SESSIONS[-1]) is None, "a training has come since"
    assert drift_since(lake, SESSIONS[-3], SESSIONS[-2]) is None, "that night had not decided yet"
    decide(lake, -1, trains=False)
    assert answer() == dg.SkipReason(f"{SESSIONS[-1]}: no grave drift")
