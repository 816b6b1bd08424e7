"""Where every champion was withdrawn, the window that forgets may score, by its record alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.lifecycle_market import fading_market
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import feature_names, features_version
from pipelines.lifecycle.promotion import Verdict
from pipelines.nights import Night, Origin
from resources.model_registry import ModelRegistry
from resources.window_challenge import train_and_decide_window

SYMBOLS, SESSIONS = 100, 140


def turned_market() -> pl.DataFrame:
    """Return a panel of the night's features, one of which has turned its sign halfway."""
    rows = fading_market(symbols=SYMBOLS, weeks=1, strength=0.3, seed=4).between(0, SESSIONS)
    rng = np.random.default_rng(4)
    noise = rng.standard_normal((rows.height, len(feature_names(SIGNAL_GROUPS))), dtype=np.float32)
    columns = dict(zip(feature_names(SIGNAL_GROUPS), noise.T, strict=True))
    turned = rows["session"].unique().sort()[SESSIONS // 3]
    sign = pl.when(pl.col("session") < turned).then(-1).otherwise(1)
    planted = {feature_names(SIGNAL_GROUPS)[0]: sign * pl.col("planted")}
    return rows.with_columns(**columns).with_columns(**planted)


@pytest.mark.slow
def test_a_window_scores_by_its_record_and_noise_does_not(tmp_path: Path) -> None:
    """All of history would say the old sign for years; luck must not end a silence either."""
    registry = ModelRegistry(
        tracking_uri=f"sqlite:///{tmp_path}/mlflow.db", artifact_location=str(tmp_path / "files")
    )
    rows = turned_market()
    tonight = max(rows["label_end"].to_list())
    night = Night("turned", tonight, datetime(2026, 1, 6, tzinfo=UTC), Origin.LIVE)
    told: list[str] = []
    labels = pl.col("is_up", "next_session_return")
    shuffled = rows.with_columns(labels.shuffle(seed=1).over("session"))
    kept, scores = (
        train_and_decide_window(registry, panel, night=night, lake_snapshot=1, progress=told.append)
        for panel in (shuffled, rows)
    )
    assert kept is not None
    assert scores is not None
    assert (kept.decision.verdict, scores.decision.verdict) == (Verdict.KEPT, Verdict.PROMOTED)
    assert "saying nothing" in scores.decision.reason
    assert [line for line in told if line.startswith("window, promoted")]
    found = registry.champion(
        "turned", tonight + timedelta(days=1), features_version=features_version(SIGNAL_GROUPS)
    )
    assert found is not None
    version, model = found
    assert version.number == scores.version
    assert set(scores.reference["model_version"]) == {scores.version}
    assert model.has_skill
    assert (tonight - model.first_session).days <= 50
    assert [one.serves_through for one in registry.versions("turned")] == [None, None]
    small = rows.filter(pl.col("symbol").is_in(["S000", "S001"]))
    assert (
        train_and_decide_window(registry, small, night=night, lake_snapshot=1, progress=str) is None
    )
