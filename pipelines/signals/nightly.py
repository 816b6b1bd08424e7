"""A night's signals as rows of the lake and as documents."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date

import polars as pl

from pipelines.documents.contribution import FeatureContribution, top_signals
from pipelines.documents.measured import measured
from pipelines.documents.signal import MLSignal, SignalChange, TrackRecord
from pipelines.documents.track_record import LiveRecord
from pipelines.nights import Night, Origin
from pipelines.signals.model import TrainedSignal
from pipelines.signals.scoring import score_signals
from pipelines.tables import SIGNAL_SCORES
from pipelines.universe import listed_on
from pipelines.validation.metrics import SignalMetrics

HORIZON_SESSIONS = 1
CALENDAR_DAYS_PER_SESSION = 365.25 / 252

VersionedModel = tuple[int, TrainedSignal]


def rewritable(nights: Iterable[Night], scored: pl.DataFrame) -> list[Night]:
    """Return the nights whose scores may be written: a live prediction is never rewritten.

    Args:
        nights: The nights to score.
        scored: Rows of `signal_scores` of their sessions.
    """
    is_live = pl.col("origin") == Origin.LIVE.value
    live = set(scored.filter(is_live)["session"].to_list())
    return [night for night in nights if night.session not in live]


def score_nights(
    nights: Sequence[Night],
    features: pl.DataFrame,
    *,
    universe: Sequence[str],
    first_sessions: Mapping[str, date],
    quarantined: pl.DataFrame,
    interrupted: pl.DataFrame,
    model_for: Callable[[date], VersionedModel | None],
) -> pl.DataFrame:
    """Return the rows of `signal_scores` of some nights.

    Args:
        nights: The nights to score, each by a model of its own time.
        features: Feature rows of their sessions.
        universe: Symbols to answer for.
        first_sessions: The session a symbol was first seen in; before it, it has no signal.
        quarantined: Rows of `quarantined_prices` of their sessions. A bar whose former revision is
            in force has features like any other.
        interrupted: Symbol and session of those that stand too near behind a hole.
        model_for: Gives the registry version and the model that may score a session.
    """
    frames = [SIGNAL_SCORES_EMPTY]
    without_bar = quarantined.filter(pl.col("in_force_revision").is_null())
    for night in nights:
        symbols = listed_on(night.session, universe, first_sessions)
        chosen = model_for(night.session)
        scores = score_signals(
            chosen[1] if chosen else None,
            features.filter(pl.col("session") == night.session),
            symbols,
            session=night.session,
            quarantined=without_bar.filter(pl.col("session") == night.session)["symbol"].to_list(),
            interrupted=interrupted.filter(pl.col("session") == night.session)["symbol"].to_list(),
        )
        frames.append(_score_rows(scores, night, chosen))
    return pl.concat(frames)


def signal_documents(
    scores: pl.DataFrame,
    nights: Iterable[Night],
    *,
    track_records: Mapping[int, SignalMetrics | None],
    live_records: Mapping[tuple[date, int], LiveRecord],
    look_back_sessions: int,
    changes: Mapping[tuple[object, ...], SignalChange],
) -> Iterator[MLSignal]:
    """Make the documents of scores.

    Args:
        scores: Rows of `signal_scores`.
        nights: The nights that they belong to.
        track_records: What each model version had shown out of sample when it was trained.
        live_records: What each version's live opinions were worth, as each night knew.
        look_back_sessions: How many sessions back the features reach.
        changes: What moved each symbol's probability since the session before, by symbol and
            session.
    """
    by_session = {night.session: night for night in nights}
    look_back_days = max(5, round(look_back_sessions * CALENDAR_DAYS_PER_SESSION))
    for row in scores.sort("session", "symbol").iter_rows(named=True):
        night = by_session[row["session"]]
        contributions = tuple(
            FeatureContribution.model_validate(part) for part in json.loads(row["contributions"])
        )
        yield MLSignal(
            symbol=row["symbol"],
            session=row["session"],
            horizon=row["horizon"],
            market=night.market,
            night_id=night.night_id,
            origin=night.origin,
            as_of=night.as_of,
            lookback_days=look_back_days,
            probability=row["probability"],
            base_rate=row["base_rate"],
            confidence=row["confidence"],
            recommendation=row["recommendation"],
            abstain_reason=row["abstain_reason"],
            model_version=row["model_version"],
            trained_through=row["trained_through"],
            track_record=track_record(track_records.get(row["model_version"])),
            live_record=live_records.get((night.session, row["model_version"])),
            baseline_log_odds=row["baseline_log_odds"],
            feature_contributions=contributions,
            top_signals=top_signals(contributions),
            change=changes.get((row["symbol"], row["session"])),
        )


def signal_scope(nights: Iterable[Night]) -> dict[str, object]:
    """Return which documents of `ml_signals` belong to some nights."""
    return {"session": [night.session for night in nights], "horizon": HORIZON_SESSIONS}


def track_record(metrics: SignalMetrics | None) -> TrackRecord | None:
    """Return out-of-sample metrics as a document shows them; an undefined figure is null there."""
    if metrics is None:
        return None
    return TrackRecord(
        auc=measured(metrics.auc),
        brier_skill=measured(metrics.brier_skill),
        calibration_slope=measured(metrics.calibration_slope),
        sessions=metrics.sessions,
        rows=metrics.rows,
    )


def _score_rows(scores: pl.DataFrame, night: Night, chosen: VersionedModel | None) -> pl.DataFrame:
    """Add to scores what the lake keeps beside them."""
    version, through = (chosen[0], chosen[1].trained_through) if chosen else (None, None)
    return scores.with_columns(
        session=pl.lit(night.session, dtype=pl.Date),
        horizon=pl.lit(HORIZON_SESSIONS, dtype=pl.Int32),
        night_id=pl.lit(night.night_id),
        origin=pl.lit(night.origin.value),
        model_version=pl.lit(version, dtype=pl.Int64),
        trained_through=pl.lit(through, dtype=pl.Date),
    ).select(SIGNAL_SCORES.column_names)


SIGNAL_SCORES_EMPTY = pl.DataFrame(
    schema={
        "symbol": pl.String,
        "session": pl.Date,
        "horizon": pl.Int32,
        "night_id": pl.String,
        "origin": pl.String,
        "model_version": pl.Int64,
        "trained_through": pl.Date,
        "raw_probability": pl.Float64,
        "probability": pl.Float64,
        "base_rate": pl.Float64,
        "confidence": pl.Float64,
        "recommendation": pl.String,
        "abstain_reason": pl.String,
        "contributions": pl.String,
        "baseline_log_odds": pl.Float64,
    }
)
"""No scores, in the columns of `signal_scores`."""
