"""A night's drift in the lake: the last month beside what the champion learned from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import features_version
from pipelines.lifecycle.drift import Drift, Severity, measure_drift
from pipelines.lifecycle.drift_rows import LIVE_AREA, SkillDecay, drift_rows, retraining_row
from pipelines.lifecycle.reference import LABEL, MONTH, watched_values
from pipelines.lifecycle.tables import MODEL_DRIFT, RETRAINING_DECISIONS, TRACK_RECORDS
from pipelines.lifecycle.track_record import WINDOWS, Basis, live_figures
from pipelines.lifecycle.versions import champion_of
from pipelines.nights import Night, Origin
from pipelines.signals.model import TrainedSignal, finite_features
from pipelines.signals.panel import features_query
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.model_registry import ModelRegistry

MONTH_QUERY = f"""
    WITH month AS (
      SELECT session FROM exchange_sessions WHERE session <= $session
      ORDER BY session DESC LIMIT {MONTH}
    )
    SELECT session FROM month ORDER BY session
"""
RETURNS_QUERY = """
    SELECT next_session_return FROM next_session_labels
    WHERE list_contains($sessions, session) AND label_end <= $session ORDER BY session, symbol
"""


@dataclass(frozen=True, eq=False)
class DriftReport:
    """A night's rows of `model_drift`, and its row of `retraining_decisions`."""

    rows: pl.DataFrame
    decision: Mapping[str, Any]


def keep_drift(
    lake: Lake, registry: ModelRegistry, *, night: Night, complain: Callable[[str], None]
) -> DriftReport:
    """Measure the drift of a night and keep it, with what it means for training.

    What a live night has measured is never rewritten. `complain` is told of a broken model file;
    the version before it is then the one that is watched, since it scores.
    """
    held = lake.of_sessions(RETRAINING_DECISIONS, [night.session])
    if held.height and night.origin is Origin.LIVE:
        rows = lake.of_sessions(MODEL_DRIFT, [night.session])
        return DriftReport(rows, held.row(0, named=True))
    report = _measure(lake, registry, night, complain)
    kept = pl.DataFrame([report.decision], schema_overrides={"trained_through": pl.Date})

    def work(writer: LakeWriter) -> None:
        writer.replace(MODEL_DRIFT, report.rows, sessions=[night.session])
        writer.merge(RETRAINING_DECISIONS, kept)

    lake.commit(work, night=night, message="measure drift")
    return report


def _measure(
    lake: Lake, registry: ModelRegistry, night: Night, complain: Callable[[str], None]
) -> DriftReport:
    """Return what a night measures beside the model that scores it."""
    version = features_version(SIGNAL_GROUPS)
    model_for = registry.model_by_session(night.market, features_version=version, complain=complain)
    found = model_for(night.session)
    drifts = measured(lake, *found, night=night) if found else []
    rows = drift_rows(
        drifts,
        skill_decay(lake, *found, night=night) if found else None,
        night=night,
        model_version=found[0] if found else 0,
        before=_night_before(lake, night.session),
    )
    through = registry.trained_through(night.market, night.session, features_version=version)
    decision = retraining_row(
        rows,
        drifts,
        night=night,
        trained_through=through,
        sessions_since=_sessions_after(lake, through, night.session) if through else 0,
    )
    return DriftReport(rows, decision)


def roll_back_failed(registry: ModelRegistry, rows: pl.DataFrame, *, night: Night) -> str | None:
    """Take a champion back whose live opinions are surely worse than a coin; say what was done.

    The promoted version before it scores the next night. Only a live night may do so.
    """
    failed = rows.filter(metric=LIVE_AREA, is_significant=True, severity=Severity.CRITICAL.value)
    if failed.is_empty() or night.origin is not Origin.LIVE:
        return None
    number, message = failed["model_version"][0], failed["message"][0]
    versions = registry.versions(night.market)
    champion = champion_of(versions)
    if champion is None or champion.number != number:
        return None
    standing_by = [one for one in versions if one.may_be_champion and one != champion]
    if not standing_by:
        return f"version {number} fails ({message}), and no other stands by"
    before = max(standing_by, key=lambda one: one.age_order)
    registry.roll_back(
        night.market, to=before.number, by="nightdesk", reason=message, at=night.as_of
    )
    return f"version {number} fails ({message}): version {before.number} scores from now on"


def measured(lake: Lake, version: int, model: TrainedSignal, *, night: Night) -> list[Drift]:
    """Return the drift of the last month beside a version's reference."""
    reference = lake.read(
        "SELECT * FROM model_references WHERE model_version = $version ORDER BY feature",
        {"version": version},
    )
    if reference.is_empty():
        return []
    sessions = lake.read(MONTH_QUERY, {"session": night.session})["session"].to_list()
    features = lake.read(features_query(SIGNAL_GROUPS), {"sessions": sessions})
    known = features.select("session", *finite_features(model.features))
    needed = [name for name in model.features if name not in model.may_lack]
    values = dict(watched_values(known.drop_nulls(needed), model))
    returns = lake.read(RETURNS_QUERY, {"sessions": sessions, "session": night.session})
    values[LABEL] = returns["next_session_return"].to_numpy()
    return measure_drift(reference, values)


def skill_decay(
    lake: Lake, version: int, model: TrainedSignal, *, night: Night
) -> SkillDecay | None:
    """Return a version's live AUC beside its trained one; None where one is not known."""
    trained = model.track_record.auc if model.track_record else None
    rows = lake.of_sessions(TRACK_RECORDS, [night.session]).filter(
        basis=Basis.MODEL.value, model_version=str(version), window_sessions=min(WINDOWS)
    )
    live = live_figures(rows.row(0, named=True)).get("auc") if rows.height else None
    return SkillDecay(live, trained) if live and trained else None


def _night_before(lake: Lake, session: date) -> pl.DataFrame:
    """Return the drift of the newest night before a session."""
    return lake.read(
        "SELECT * FROM model_drift WHERE session = "
        "(SELECT max(session) FROM model_drift WHERE session < $session)",
        {"session": session},
    )


def _sessions_after(lake: Lake, trained_through: date, session: date) -> int:
    """Return how many sessions a training has not seen."""
    return int(
        lake.read(
            "SELECT count(*) FROM exchange_sessions "
            "WHERE session > $trained_through AND session <= $session",
            {"trained_through": trained_through, "session": session},
        ).item()
    )


def drift_since(lake: Lake, trained_through: date, session: date) -> str | None:
    """Return why a night before a session asked for a training that has not come; None if none did.

    Args:
        lake: The lake.
        trained_through: How far the newest training has seen.
        session: The session that is about to be scored.
    """
    asked = lake.read(
        "SELECT session, reason FROM retraining_decisions "
        "WHERE trains AND session > $trained_through AND session < $session "
        "ORDER BY session DESC LIMIT 1",
        {"trained_through": trained_through, "session": session},
    )
    return (
        None if asked.is_empty() else f"{asked['reason'][0]} in the night of {asked['session'][0]}"
    )


def newest_retraining_decision(lake: Lake) -> tuple[date, bool, str] | None:
    """Return session, verdict and reason of the newest night that measured drift; None of none."""
    rows = lake.read(
        "SELECT session, trains, reason FROM retraining_decisions ORDER BY session DESC LIMIT 1"
    )
    if rows.is_empty():
        return None
    session, trains, reason = rows.row(0)
    return session, trains, reason
