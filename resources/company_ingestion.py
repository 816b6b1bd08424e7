"""Listings and company overviews out of the archive, read into their tables."""

import polars as pl

from pipelines.companies import changed_rows
from pipelines.derivations import TableUpdate
from pipelines.nights import Night
from pipelines.tables import COMPANY_OVERVIEWS, LISTINGS, VENDOR_RESPONSES
from pipelines.vendor.landing import decompress
from pipelines.vendor.listings import parse_listings
from pipelines.vendor.overviews import parse_overview
from pipelines.vendor.requests import LISTING_FUNCTION, OVERVIEW_FUNCTION
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.unread_answers import unread_answers, when_unread


def ingest_listings(lake: Lake, *, night: Night) -> TableUpdate:
    """Make `listings` say what the vendor last listed, state by state."""

    def work(writer: LakeWriter) -> TableUpdate:
        total = TableUpdate(LISTINGS.name, 0, 0, 0, 0)
        for row in unread_answers(writer, LISTINGS.name, LISTING_FUNCTION):
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

    return when_unread(lake, LISTINGS, LISTING_FUNCTION, work, night=night)


def ingest_overviews(lake: Lake, *, night: Night) -> TableUpdate:
    """Make `company_overviews` say what the vendor last said of each company."""

    def work(writer: LakeWriter) -> TableUpdate:
        stored = writer.read("SELECT * FROM company_overviews")
        found, last = [stored.clear()], 0
        for row in unread_answers(writer, COMPANY_OVERVIEWS.name, OVERVIEW_FUNCTION):
            last = row["response_id"]
            sent = parse_overview(decompress(row["body"]), symbol=row["subject"])
            news = changed_rows(
                stored, sent, COMPANY_OVERVIEWS, as_of=night.as_of, response_id=last
            )
            found.append(news.select(stored.columns).cast(stored.schema))
        writer.advance(COMPANY_OVERVIEWS.name, VENDOR_RESPONSES.name, position=last)
        return writer.merge(COMPANY_OVERVIEWS, pl.concat(found))

    return when_unread(lake, COMPANY_OVERVIEWS, OVERVIEW_FUNCTION, work, night=night)
