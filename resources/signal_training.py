"""A night's training: models, controls, the challenge to the champion, and what is kept of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import dispensable_features, feature_names, features_version
from pipelines.lifecycle.evidence import PairedComparison
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
from resources.training_sets import NamedRows, note_training_set, read_training_set
from resources.window_challenge import WindowNight, train_and_decide_window

Progress = Callable[[str], None]


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


@dataclass(frozen=True)
class _Contest:
    """What tonight's training is held against.

    Attributes:
        champion: The champion; None where no model scores.
        incumbent: The champion, or saying nothing, as a decision sees it.
        held_back: Newest sessions that the challenger is not fitted on; 0 for no challenger.
        window: What the window that forgets came to, where it tried.
    """

    champion: _Champion | None
    incumbent: Incumbent | None
    held_back: int
    window: WindowNight | None = None


def train_and_decide(
    lake: Lake, registry: ModelRegistry, *, night: Night, progress: Progress
) -> TrainedNight:
    """Train on all labels that a night knows, and promote the model if the evidence is there.

    Raises:
        HistoryTooShortError: the sessions do not reach the first test block.
        LostRegistryError: the lake has seen versions that MLflow does not know.
    """
    from pipelines.lifecycle.canaries import run_canaries
    from pipelines.lifecycle.reference import numbered_reference
    from pipelines.signals.training import train_signals

    _require_whole_registry(lake, registry)
    named = read_training_set(lake, SIGNAL_GROUPS, night=night)
    panel = named.rows
    contest = _contest(registry, named, night=night, progress=progress)
    training = train_signals(
        panel,
        features=feature_names(SIGNAL_GROUPS),
        dispensable=dispensable_features(SIGNAL_GROUPS, sessions=SESSIONS_OF_YOUNGEST),
        settings=SignalSettings(),
        progress=progress,
        held_back=contest.held_back,
        scratch=lake.scratch,
    )
    decision = decide(
        run_canaries(panel, training.final),
        _comparison(contest, training, panel),
        incumbent=contest.incumbent,
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
    references = [contest.window.reference, reference] if contest.window else [reference]
    return TrainedNight(training, decision, registration, pl.concat(references))


def _contest(
    registry: ModelRegistry, named: NamedRows, *, night: Night, progress: Progress
) -> _Contest:
    """Let live results answer first; return what then stands for tonight's training to beat."""
    from pipelines.lifecycle.live_skill import sessions_to_judge
    from resources.live_rollback import answer_live_results

    panel, version = named.rows, features_version(SIGNAL_GROUPS)
    withdrawn = answer_live_results(
        registry, panel, night=night, features_version=version, progress=progress
    )
    champion, window = _champion(registry, night, panel), None
    if champion is None and withdrawn:
        snapshot = named.training_set.lake_snapshot
        window = train_and_decide_window(
            registry, panel, night=night, lake_snapshot=snapshot, progress=progress
        )
        champion = _champion(registry, night, panel)
    if champion is None and withdrawn:
        alpha = silence_alpha(withdrawn=withdrawn, has_window=window is not None)
        held_back = sessions_to_judge(panel.height / panel["session"].n_unique())
        return _Contest(None, Incumbent.silence(alpha=alpha), held_back, window)
    incumbent = _incumbent(champion, registry.versions(night.market))
    held_back = sessions_to_hold_back(len(champion.unseen)) if champion else 0
    return _Contest(champion, incumbent, held_back, window)


def _comparison(
    contest: _Contest, training: SignalTraining, panel: pl.DataFrame
) -> PairedComparison | None:
    """Return the challenger beside what it is held against, on sessions that neither has seen."""
    from pipelines.lifecycle.comparison import compare
    from pipelines.lifecycle.live_skill import judge

    if training.challenger is None:
        return None
    if contest.champion is None:
        unseen = panel.filter(pl.col("session") > training.challenger.trained_through)
        skill = judge(training.challenger, unseen)
        return skill.against_silence if skill else None
    first = contest.champion.unseen[-contest.held_back]
    later = panel.filter(pl.col("session") >= first)
    return compare(contest.champion.model, training.challenger, later)


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
