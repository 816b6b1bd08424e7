"""What the desk says when a night did not happen: silence is a failure.

Alerts are plain data for whoever listens to the webhook; none of their texts holds a secret.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from pipelines.calendar import ExchangeCalendar

PUBLISHING_TIME = timedelta(hours=2)
"""How long after its bars are final a night may take to be published."""


class AlertKind(StrEnum):
    """Why someone is called."""

    RUN_FAILED = "run_failed"
    NIGHT_MISSING = "night_missing"


@dataclass(frozen=True)
class Alert:
    """One call: what happened to which session of which market, in words."""

    kind: AlertKind
    market: str
    session: date | None
    message: str
    occurred_at: datetime

    def to_document(self) -> dict[str, str | None]:
        """Return the alert as the webhook's JSON body."""
        return {
            **asdict(self),
            "session": self.session.isoformat() if self.session else None,
            "occurred_at": self.occurred_at.isoformat(),
        }


def run_failed(job: str, *, market: str, session: date | None, message: str, at: datetime) -> Alert:
    """Return the alert of a run that ended in failure."""
    text = f"the job {job} failed: {message}"
    return Alert(AlertKind.RUN_FAILED, market, session, text, at)


def night_missing(
    market: str, *, calendar: ExchangeCalendar, published: date | None, at: datetime
) -> Alert | None:
    """Return the alert of a night that is past its deadline; None while all is well.

    Args:
        market: The market.
        calendar: The exchange's sessions.
        published: The newest session whose night was published to the end.
        at: Now.
    """
    due = calendar.last_completed(at - PUBLISHING_TIME)
    if published is not None and published >= due:
        return None
    deadline = calendar.known_at(due) + PUBLISHING_TIME
    message = (
        f"the night of {due} was due at {deadline.isoformat()} and is not published; the newest "
        f"published session is {published or 'none'}"
    )
    return Alert(AlertKind.NIGHT_MISSING, market, due, message, at)
