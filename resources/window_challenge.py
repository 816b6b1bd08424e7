"""The window that forgets, in a night on which no model scores: trained, judged by its record."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import dispensable_features, feature_names, features_version
from pipelines.lifecycle.promotion import Decision, Incumbent, decide, window_alpha
from pipelines.nights import Night
from pipelines.signals.settings import SESSIONS_OF_YOUNGEST, SignalSettings
from pipelines.validation.splits import UnusableSliceError
from resources.model_registry import ModelRegistry


@dataclass(frozen=True)
class WindowNight:
    """What was decided of the window's model, its version, and rows of `model_references`."""

    decision: Decision
    version: int
    reference: pl.DataFrame


def train_and_decide_window(
    registry: ModelRegistry,
    panel: pl.DataFrame,
    *,
    night: Night,
    lake_snapshot: int,
    progress: Callable[[str], None],
) -> WindowNight | None:
    """Train on the newest sessions alone, and promote that model if its record ends the silence.

    The record is the recipe's walk over the last quarter; None where the market has no window.
    """
    from pipelines.lifecycle.canaries import run_canaries
    from pipelines.lifecycle.live_skill import judge_record
    from pipelines.lifecycle.reference import numbered_reference
    from pipelines.signals.recent import train_recent

    try:
        training = train_recent(
            panel,
            features=feature_names(SIGNAL_GROUPS),
            dispensable=dispensable_features(SIGNAL_GROUPS, sessions=SESSIONS_OF_YOUNGEST),
            settings=SignalSettings(),
            progress=progress,
        )
    except UnusableSliceError as error:
        progress(f"no window tonight: {error}")
        return None
    if training is None:
        return None
    skill = judge_record(training.predictions)
    decision = decide(
        run_canaries(panel, training.final),
        skill.against_silence if skill else None,
        incumbent=Incumbent.silence(alpha=window_alpha()),
        session=night.session,
    )
    progress(f"window, {decision.verdict.value}: {decision.reason}")
    version = registry.register(
        training,
        market=night.market,
        features_version=features_version(SIGNAL_GROUPS),
        night_id=night.night_id,
        lake_snapshot=lake_snapshot,
        decision=decision,
    ).final
    reference = numbered_reference(panel, training.final, version=version)
    return WindowNight(decision, version, reference)
