"""Whether a night should train before it tells regimes."""

from datetime import date

from pipelines.calendar import ExchangeCalendar
from pipelines.regimes.settings import RegimeSettings


def reason_to_fit(
    first: date | None,
    session: date,
    *,
    fits: int,
    calendar: ExchangeCalendar,
    settings: RegimeSettings,
) -> str | None:
    """Return why regimes should be fitted before a session is told; None where they need not.

    A desk that has fits gets each year's by its weekly training; until then last year's tells.

    Args:
        first: First session of prices or indexes; None without any.
        session: The session to tell of.
        fits: How many fits there are that apply from no later session.
        calendar: The exchange's sessions.
        settings: How much history a fit takes.
    """
    if fits or first is None:
        return None
    if len(calendar.sessions(first, session)) <= settings.fewest_sessions:
        return None
    return "no model of regimes has been fitted"
