"""The rows of a table that no check has seen yet."""

from datetime import date

from pipelines.derivations import written_query
from pipelines.table import Table
from resources.lake import Lake
from resources.nights import Nights


def unjudged_query(table: Table, *, lake: Lake, nights: Nights, session: date) -> str | None:
    """Return SQL for the rows that were written since a night was last published.

    None where the whole table is to be judged: see `Nights.judged_through`. A past version of the
    lake can't tell what was written when, so that a replay judges whole tables.
    """
    if not lake.tells_changes:
        return None
    since, until = nights.judged_through(session), lake.version()
    if since is None or since > until:  # of a lake that was put back, versions come again
        return None
    return written_query(table, since=since, until=until)
