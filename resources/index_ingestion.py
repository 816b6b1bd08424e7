"""Indexes out of the archive, read into `index_prices`."""

from dataclasses import dataclass

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.derivations import TableUpdate
from pipelines.nights import Night
from pipelines.prices.indexes import index_news
from pipelines.tables import INDEX_PRICES, VENDOR_RESPONSES
from pipelines.vendor.index_payloads import parse_index
from pipelines.vendor.landing import decompress
from pipelines.vendor.requests import INDEX_FUNCTION
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.unread_answers import unread_answers, when_unread


@dataclass(frozen=True)
class IndexIngestion:
    """What reading did to `index_prices`, and the bars that can't be and were not taken."""

    update: TableUpdate
    refused: list[str]


def ingest_indexes(lake: Lake, *, night: Night, calendar: ExchangeCalendar) -> IndexIngestion:
    """Make `index_prices` say what the vendor last said of each index."""
    refused: list[str] = []

    def work(writer: LakeWriter) -> TableUpdate:
        refused.clear()  # a commit that lost a race is tried again from the start
        stored = writer.read("SELECT * FROM index_prices")
        found, last = [stored.clear()], 0
        for row in unread_answers(writer, INDEX_PRICES.name, INDEX_FUNCTION):
            last, symbol = row["response_id"], row["subject"]
            sent = parse_index(decompress(row["body"]), symbol=symbol)
            of_index = stored.filter(symbol=symbol)
            news = index_news(of_index, sent, as_of=night.as_of, calendar=calendar)
            rows = news.rows.with_columns(pl.lit(last, dtype=pl.Int64).alias("response_id"))
            found.append(rows.select(stored.columns).cast(stored.schema))
            refused.extend(f"{row[0]} {row[1]}: {row[2]}" for row in news.refused.iter_rows())
        writer.advance(INDEX_PRICES.name, VENDOR_RESPONSES.name, position=last)
        return writer.merge(INDEX_PRICES, pl.concat(found))

    update = when_unread(lake, INDEX_PRICES, INDEX_FUNCTION, work, night=night)
    return IndexIngestion(update, refused)
