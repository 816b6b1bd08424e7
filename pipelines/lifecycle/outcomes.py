"""What came of live signals: entered when due, corrected while their prices are revised."""

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl

from pipelines.documents.prediction_outcome import PredictionOutcome
from pipelines.lifecycle.tables import PREDICTION_OUTCOMES
from pipelines.lifecycle.track_record import REMEMBERED_DAYS
from pipelines.nights import Night
from pipelines.signals.panel import trades
from pipelines.tables import NEXT_SESSION_LABELS, SIGNAL_SCORES

PUBLISHED_SESSIONS = 10
"""The newest sessions are compared with MongoDB each night: a night that failed to publish is
made good by the next."""

_SIGNAL = (
    *("symbol", "session", "horizon", "night_id", "model_version", "raw_probability"),
    *("probability", "base_rate", "recommendation", "abstain_reason"),
)
_OUTCOME = ("due_session", "next_session_return", "is_up", "exit_session", "next_open_return")

DUE_OUTCOMES_QUERY = f"""
    WITH {trades("session BETWEEN $since AND $session")}, due AS (
      SELECT {", ".join(f"signal.{name}" for name in _SIGNAL)}, label_end AS due_session,
             next_session_return, is_up, exit_session, next_open_return
      FROM {SIGNAL_SCORES.name} AS signal
      JOIN {NEXT_SESSION_LABELS.name} USING (symbol, session)
      LEFT JOIN trades USING (symbol, label_end)
      WHERE origin = 'live' AND session >= $since AND label_end <= $session
    )
    SELECT due.*, $as_of::TIMESTAMPTZ AS entered_at
    FROM due LEFT JOIN {PREDICTION_OUTCOMES.name} AS held USING (symbol, session, horizon)
    WHERE ({" OR ".join(f"due.{name} IS DISTINCT FROM held.{name}" for name in _OUTCOME)})
      AND (held.entered_at IS NULL OR held.entered_at <= $as_of)
    ORDER BY session, symbol
"""
"""Live signals of `$since` or later that are due by `$session` and are not entered as they are.

What a later night entered stands: it knew more than an older one that is run again."""


def due_parameters(night: Night) -> dict[str, object]:
    """Return the parameters with which a night asks for what is due."""
    since = night.session - timedelta(days=REMEMBERED_DAYS)
    return {"since": since, "session": night.session, "as_of": night.as_of}


def outcome_documents(outcomes: pl.DataFrame, night: Night) -> Iterator[PredictionOutcome]:
    """Make the documents of rows of `prediction_outcomes`."""
    for row in outcomes.sort("session", "symbol").iter_rows(named=True):
        yield PredictionOutcome(model_name="signal", market=night.market, **row)


def sessions_to_publish(
    outcomes: pl.DataFrame, night: Night, *, since: date | None = None
) -> list[date]:
    """Return the due sessions that a night publishes: the newest, and those it corrected.

    Args:
        outcomes: due_session and entered_at of all rows.
        night: The night; what came due after it is not its own.
        since: First session of a range in one run, which publishes all that came due in it.
    """
    due = outcomes.filter(pl.col("due_session") <= night.session)
    newest = due["due_session"].unique().sort(descending=True).head(PUBLISHED_SESSIONS)
    changed = due.filter(pl.col("entered_at") == night.as_of)["due_session"].unique()
    in_range = due.filter(pl.col("due_session") >= (since or night.session))["due_session"]
    return sorted({*newest, *changed, *in_range.unique()})
