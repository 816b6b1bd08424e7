"""What live sessions make of champions: a refuted one scores no more, a confirmed one again."""

from collections.abc import Callable
from datetime import date

import polars as pl

from pipelines.lifecycle.live_skill import LiveSkill, judge
from pipelines.lifecycle.promotion import alpha_to_spend, silence_alpha
from pipelines.lifecycle.versions import (
    DESK,
    SignalVersion,
    Withdrawal,
    champion_of,
    restorable,
)
from pipelines.nights import Night
from pipelines.signals.model import TrainedSignal
from pipelines.signals.recent import window_of
from resources.model_registry import ModelRegistry
from resources.signal_files import CorruptVersionError

Progress = Callable[[str], None]


def answer_live_results(
    registry: ModelRegistry,
    panel: pl.DataFrame,
    *,
    night: Night,
    features_version: str,
    progress: Progress,
) -> int:
    """Withdraw champions that their newest sessions refute; bring back one that they confirm.

    A night of the past changes nothing: it knows less than those that decided since.

    Returns:
        How many withdrawn versions may come back; where no version scores, a challenger shares
        its level with them.
    """
    versions = _of_features(registry, night, features_version)
    decided = [one.decision.session for one in versions if one.decision]
    if decided and max(decided) >= night.session:
        return len(restorable(versions))
    alpha = alpha_to_spend(_sessions_since(panel, decided))
    while refuted := _refuted(registry, versions, panel, alpha=alpha):
        version, skill = refuted
        progress(f"version {version.number} is withdrawn: {skill}")
        registry.withdraw(version, Withdrawal(night.as_of, DESK, f"{skill}", None))
        versions = _of_features(registry, night, features_version)
    if champion_of(versions) is None:
        _bring_back(registry, restorable(versions), panel, progress)
        versions = _of_features(registry, night, features_version)
    return len(restorable(versions))


def _of_features(
    registry: ModelRegistry, night: Night, features_version: str
) -> list[SignalVersion]:
    """Return the versions of a night's market that learned from today's features."""
    known = registry.versions(night.market)
    return [one for one in known if one.features_version == features_version]


def _sessions_since(panel: pl.DataFrame, decided: list[date]) -> int:
    """Return how many sessions have come since the last training."""
    sessions = panel["session"].unique()
    return int((sessions > max(decided)).sum()) if decided else 0


def _refuted(
    registry: ModelRegistry,
    versions: list[SignalVersion],
    panel: pl.DataFrame,
    *,
    alpha: float,
) -> tuple[SignalVersion, LiveSkill] | None:
    """Return the champion where its newest sessions refute it."""
    champion = champion_of(versions)
    skill = champion and _judged(registry, champion, panel)
    return (champion, skill) if champion and skill and skill.refutes(alpha=alpha) else None


def _bring_back(
    registry: ModelRegistry,
    versions: list[SignalVersion],
    panel: pl.DataFrame,
    progress: Progress,
) -> None:
    """Restore the version that gains most of those that are confirmed."""
    has_window = window_of(panel) is not None
    alpha = silence_alpha(withdrawn=len(versions), has_window=has_window)
    judged = [(one, _judged(registry, one, panel)) for one in versions]
    able = [(one, skill) for one, skill in judged if skill and skill.confirms(alpha=alpha)]
    if able:
        version, skill = max(able, key=lambda pair: pair[1].gain)
        progress(f"version {version.number} scores again: {skill}")
        registry.restore(version)


def _judged(
    registry: ModelRegistry, version: SignalVersion, panel: pl.DataFrame
) -> LiveSkill | None:
    """Return what the sessions that a version has not seen say of it."""
    try:
        model: TrainedSignal = registry.version(version.number)
    except CorruptVersionError:
        return None  # the night's check names it
    return judge(model, panel.filter(pl.col("session") > model.trained_through))
