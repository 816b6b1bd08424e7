"""A night's training: models, controls, the challenge to the champion, and what is kept of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import dispensable_features, feature_names, features_version
from pipelines.lifecycle.promotion import (
    Decision,
    Incumbent,
    alpha_to_spend,
    decide,
    sessions_to_hold_back,
    silence_alpha,
)
from pipelines.lifecycle.versions import SignalVersion
from pipelines.nights import Night
from pipelines.signals.model import SignalTraining, TrainedSignal
from pipelines.signals.settings import SESSIONS_OF_YOUNGEST, SignalSettings
from resources.lake import Lake
from resources.model_registry import ModelRegistry, Registration
from resources.training_sets import note_training_set, read_training_set
from resources.window_challenge import train_and_decide_window


@dataclass(frozen=True)
class TrainedNight:
    """What a night's training made, what was decided of it, and what is kept of it.

    `reference` are rows of `model_references`: those of the window that forgets too, if it tried.
    """

    training: SignalTraining
    decision: Decision
    registration: Registration
    reference: pl.DataFrame


@dataclass(frozen=True)
class _Champion:
    """The champion before a training: its version and model, and sessions it has not seen."""

    version: SignalVersion
    model: TrainedSignal
    unseen: tuple[date, ...]


def train_and_decide(
    lake: Lake, registry: ModelRegistry, *, night: Night, progress: Callable[[str], None]
) -> TrainedNight:
    """Train on all labels that a night knows, and promote the model if the evidence is there.

    Raises:
        HistoryTooShortError: the sessions do not reach the first test block.
        LostRegistryError: the lake has seen versions that MLflow does not know.
    """
    from pipelines.lifecycle.canaries import run_canaries
    from pipelines.lifecycle.comparison import compare
    from pipelines.lifecycle.live_skill import judge, sessions_to_judge
    from pipelines.lifecycle.reference import numbered_reference
    from pipelines.signals.training import train_signals
    from resources.live_rollback import answer_live_results

    _require_whole_registry(lake, registry)
    named = read_training_set(lake, SIGNAL_GROUPS, night=night)
    panel = named.rows
    withdrawn = answer_live_results(
        registry,
        panel,
        night=night,
        features_version=features_version(SIGNAL_GROUPS),
        progress=progress,
    )
    champion = _champion(registry, night, panel)
    window = None
    if champion is None and withdrawn > 0:
        window = train_and_decide_window(
            registry,
            panel,
            night=night,
            lake_snapshot=named.training_set.lake_snapshot,
            progress=progress,
        )
        champion = _champion(registry, night, panel)
    is_silent = champion is None and withdrawn > 0
    held_back = sessions_to_hold_back(len(champion.unseen)) if champion else 0
    if is_silent:
        held_back = sessions_to_judge(panel.height / panel["session"].n_unique())
    training = train_signals(
        panel,
        features=feature_names(SIGNAL_GROUPS),
        dispensable=dispensable_features(SIGNAL_GROUPS, sessions=SESSIONS_OF_YOUNGEST),
        settings=SignalSettings(),
        progress=progress,
        held_back=held_back,
        scratch=lake.scratch,
    )
    comparison = None
    if champion and training.challenger:
        later = panel.filter(pl.col("session") >= champion.unseen[-held_back])
        comparison = compare(champion.model, training.challenger, later)
    elif training.challenger:
        unseen = panel.filter(pl.col("session") > training.challenger.trained_through)
        skill = judge(training.challenger, unseen)
        comparison = skill.against_silence if skill else None
    decision = decide(
        run_canaries(panel, training.final),
        comparison,
        incumbent=Incumbent.silence(
            alpha=silence_alpha(withdrawn=withdrawn, has_window=window is not None)
        )
        if is_silent
        else _incumbent(champion, registry.versions(night.market)),
        session=night.session,
    )
    progress(f"{decision.verdict.value}: {decision.reason}")
    registration = registry.register(
        training,
        market=night.market,
        features_version=features_version(SIGNAL_GROUPS),
        night_id=night.night_id,
        lake_snapshot=named.training_set.lake_snapshot,
        decision=decision,
        training_set_id=note_training_set(lake, named, night=night),
    )
    reference = numbered_reference(
        panel, training.final, version=registration.final, scratch=lake.scratch
    )
    references = [window.reference, reference] if window else [reference]
    return TrainedNight(training, decision, registration, pl.concat(references))


class LostRegistryError(RuntimeError):
    """MLflow does not know versions that the lake has seen."""


def _require_whole_registry(lake: Lake, registry: ModelRegistry) -> None:
    """Refuse to number new versions like old ones.

    Raises:
        LostRegistryError: the lake has seen versions that MLflow does not know.
    """
    seen: int | None = lake.read("SELECT max(model_version) FROM model_references").item()
    known = registry.newest_number()
    if seen is not None and seen > known:
        message = (
            f"the lake has seen signal models up to version {seen}, but MLflow at "
            f"{registry.tracking_uri_for_people} knows versions up to {known}: its database is "
            "lost or another one, and new versions would be mistaken for old ones. Make it again "
            "with make rebuild-registry, or restore it from the newest backup (docs/runbook.md, "
            "MLflow is lost)"
        )
        raise LostRegistryError(message)


def _champion(registry: ModelRegistry, night: Night, panel: pl.DataFrame) -> _Champion | None:
    """Return the champion that a night finds, None where no model knows today's features."""
    found = registry.champion(
        night.market, night.session, features_version=features_version(SIGNAL_GROUPS)
    )
    if found is None:
        return None
    version, model = found
    later = panel.filter(pl.col("session") > model.trained_through)["session"]
    return _Champion(version, model, tuple(later.unique().sort()))


def _incumbent(champion: _Champion | None, versions: Sequence[SignalVersion]) -> Incumbent | None:
    """Return the champion as a challenge sees it, with the budget that has accrued.

    It accrues from the last challenge on, or from the champion's own promotion.
    """
    if champion is None:
        return None
    spent = [
        one.decision.session
        for one in versions
        if one.decision and one.decision.alpha > 0 and one.market == champion.version.market
    ]
    since = [session for session in champion.unseen if not spent or session > max(spent)]
    return Incumbent(champion.version.number, len(champion.unseen), alpha_to_spend(len(since)))
