"""The agenda of a night: what the lake knows, the plan and the day's budget put together."""

from collections.abc import Collection, Iterable

from pipelines.calendar import ExchangeCalendar
from pipelines.nights import Night
from pipelines.vendor.agenda import Agenda
from pipelines.vendor.planning import plan_night
from pipelines.vendor.reactions import Reactions
from resources.alpha_vantage import AlphaVantage
from resources.clocks import Clock
from resources.vendor_archive import VendorArchive


def agenda_of(
    night: Night,
    universe: Iterable[str],
    *,
    archive: VendorArchive,
    vendor: AlphaVantage,
    calendar: ExchangeCalendar,
    clock: Clock,
    preferred: Collection[str] = (),
    indexes: Iterable[str] = (),
) -> Agenda:
    """Return what a night has to ask, given what is landed and what the key may still spend.

    Args:
        night: The night.
        universe: Symbols to keep up to date.
        archive: What was landed before.
        vendor: Who is asked, and by which plan.
        calendar: The exchange's sessions.
        clock: The market's clock.
        preferred: Symbols that somebody watches or holds.
        indexes: Indexes to keep up to date.
    """
    known, now = archive.knowledge(), clock.now()
    requests = plan_night(
        universe,
        known,
        night,
        calendar=calendar,
        plan=vendor.limits,
        now=now,
        preferred=preferred,
        indexes=indexes,
    )
    return vendor.agenda(
        requests,
        rules=Reactions(known, now, calendar),
        spent_today=archive.spent_today(now),
    )
