"""Answers of the vendor that a table has not read yet.

For functions whose newest answer about a subject says all that the ones before did.
"""

from collections.abc import Callable
from typing import Any

from pipelines.derivations import TableUpdate
from pipelines.nights import Night
from pipelines.table import Table
from pipelines.tables import VENDOR_RESPONSES
from resources.lake import Lake
from resources.lake_writer import LakeWriter

_UNREAD = """
    SELECT response_id, coalesce(symbol, json_extract_string(request, '$.state')) AS subject, body
    FROM vendor_responses JOIN vendor_bodies USING (body_sha256)
    WHERE outcome = 'data' AND function = $function AND response_id > $position
    QUALIFY response_id = max(response_id) OVER (PARTITION BY subject)
    ORDER BY response_id
"""
"""The newest answers about each subject, where they were not read before."""


def when_unread(
    lake: Lake,
    table: Table,
    function: str,
    work: Callable[[LakeWriter], TableUpdate],
    *,
    night: Night,
) -> TableUpdate:
    """Do the work where an answer came that the table has not read; most nights there is none."""
    with lake.connect() as connection:
        if not unread_answers(LakeWriter(connection), table.name, function):
            return TableUpdate(table.name, 0, 0, 0, 0)
    return lake.commit(work, night=night, message=f"read {table.name}")


def unread_answers(writer: LakeWriter, consumer: str, function: str) -> list[dict[str, Any]]:
    """Return the newest answers of a function that a table has not read."""
    position = writer.position(consumer, VENDOR_RESPONSES.name) or 0
    rows = writer.read(_UNREAD, {"function": function, "position": position})
    return list(rows.iter_rows(named=True))
