"""Whether a night should train before it scores."""

from datetime import date

from pipelines.calendar import ExchangeCalendar

SESSIONS_UNTIL_STALE = 10
"""A model this many sessions behind is replaced: the weekly training has then been missed once."""


def reason_to_train(
    trained_through: date | None, session: date, *, calendar: ExchangeCalendar
) -> str | None:
    """Return why models should be trained before a session is scored; None where they need not.

    Args:
        trained_through: Last label end that the session's model has seen; None without a model,
            or where the models there are learned from other features than today's catalogue.
        session: The session to score.
        calendar: The exchange's sessions.
    """
    if trained_through is None:
        return "no model has been trained on today's features"
    behind = len(calendar.sessions(trained_through, session)) - 1
    if behind > SESSIONS_UNTIL_STALE:
        return f"the model was trained through {trained_through}, {behind} sessions ago"
    return None
