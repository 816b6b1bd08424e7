"""Listings and company overviews out of the archive, read into their tables."""

from collections.abc import Callable
from typing import Any

import polars as pl

from pipelines.companies import changed_rows
from pipelines.derivations import TableUpdate
from pipelines.nights import Night
from pipelines.tables import COMPANY_OVERVIEWS, LISTINGS, VENDOR_RESPONSES, Table
from pipelines.vendor.landing import decompress
from pipelines.vendor.listings import parse_listings
from pipelines.vendor.overviews import parse_overview
from pipelines.vendor.requests import LISTING_FUNCTION, OVERVIEW_FUNCTION
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


def ingest_listings(lake: Lake, *, night: Night) -> TableUpdate:
    """Make `listings` say what the vendor last listed, state by state."""

    def work(writer: LakeWriter) -> TableUpdate:
        total = TableUpdate(LISTINGS.name, 0, 0, 0, 0)
        for row in _unread(writer, LISTINGS.name, LISTING_FUNCTION):
            sent = parse_listings(decompress(row["body"]), state=row["subject"])
            stored = writer.read(
                "SELECT * FROM listings WHERE lower(status) = $state", {"state": row["subject"]}
            )
            news = changed_rows(
                stored, sent, LISTINGS, as_of=night.as_of, response_id=row["response_id"]
            )
            gone = sorted(set(stored["symbol"]) - set(sent["symbol"]))
            writer.connection.execute(
                "DELETE FROM listings WHERE lower(status) = $state "
                "AND list_contains($symbols, symbol)",
                {"state": row["subject"], "symbols": gone},
            )
            done = writer.merge(LISTINGS, news)
            total = TableUpdate(
                LISTINGS.name,
                total.inserted + done.inserted,
                total.updated + done.updated,
                total.deleted + len(gone),
                total.symbols + done.symbols,
            )
            writer.advance(LISTINGS.name, VENDOR_RESPONSES.name, position=row["response_id"])
        return total

    return _if_unread(lake, LISTINGS, LISTING_FUNCTION, work, night=night)


def ingest_overviews(lake: Lake, *, night: Night) -> TableUpdate:
    """Make `company_overviews` say what the vendor last said of each company."""

    def work(writer: LakeWriter) -> TableUpdate:
        stored = writer.read("SELECT * FROM company_overviews")
        found, last = [stored.clear()], 0
        for row in _unread(writer, COMPANY_OVERVIEWS.name, OVERVIEW_FUNCTION):
            last = row["response_id"]
            sent = parse_overview(decompress(row["body"]), symbol=row["subject"])
            news = changed_rows(
                stored, sent, COMPANY_OVERVIEWS, as_of=night.as_of, response_id=last
            )
            found.append(news.select(stored.columns).cast(stored.schema))
        writer.advance(COMPANY_OVERVIEWS.name, VENDOR_RESPONSES.name, position=last)
        return writer.merge(COMPANY_OVERVIEWS, pl.concat(found))

    return _if_unread(lake, COMPANY_OVERVIEWS, OVERVIEW_FUNCTION, work, night=night)


def _if_unread(
    lake: Lake,
    table: Table,
    function: str,
    work: Callable[[LakeWriter], TableUpdate],
    *,
    night: Night,
) -> TableUpdate:
    """Do the work where an answer came that the table has not read; most nights there is none."""
    with lake.connect() as connection:
        if not _unread(LakeWriter(connection), table.name, function):
            return TableUpdate(table.name, 0, 0, 0, 0)
    return lake.commit(work, night=night, message=f"read {table.name}")


def _unread(writer: LakeWriter, consumer: str, function: str) -> list[dict[str, Any]]:
    """Return the newest answers of a function that a table has not read."""
    position = writer.position(consumer, VENDOR_RESPONSES.name) or 0
    rows = writer.read(_UNREAD, {"function": function, "position": position})
    return list(rows.iter_rows(named=True))
