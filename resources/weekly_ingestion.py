"""Weekly bars out of the archive, read into `weekly_prices`."""

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.derivations import TableUpdate
from pipelines.nights import Night
from pipelines.prices.weekly import weekly_news
from pipelines.tables import VENDOR_RESPONSES, WEEKLY_PRICES
from pipelines.vendor.landing import decompress
from pipelines.vendor.payloads import parse_weekly_adjusted
from pipelines.vendor.requests import WEEKLY_FUNCTION
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.unread_answers import unread_answers, when_unread


def ingest_weekly_prices(lake: Lake, *, night: Night, calendar: ExchangeCalendar) -> TableUpdate:
    """Make `weekly_prices` say what the vendor last said of each symbol's weeks."""

    def work(writer: LakeWriter) -> TableUpdate:
        answers = unread_answers(writer, WEEKLY_PRICES.name, WEEKLY_FUNCTION)
        stored = writer.read(
            "SELECT * FROM weekly_prices WHERE list_contains($symbols, symbol)",
            {"symbols": [row["subject"] for row in answers]},
        )
        found, replaced = [stored.clear()], [stored.clear().select("symbol", "session")]
        for row in answers:
            sent = parse_weekly_adjusted(decompress(row["body"]), symbol=row["subject"])
            of_symbol = stored.filter(symbol=row["subject"])
            news = weekly_news(of_symbol, sent, as_of=night.as_of, calendar=calendar)
            number = pl.lit(row["response_id"], dtype=pl.Int64).alias("response_id")
            rows = news.rows.with_columns(number)
            found.append(rows.select(stored.columns).cast(stored.schema))
            replaced.append(news.replaced)
        deleted = writer.delete(WEEKLY_PRICES, pl.concat(replaced))
        last = answers[-1]["response_id"]
        writer.advance(WEEKLY_PRICES.name, VENDOR_RESPONSES.name, position=last)
        done = writer.merge(WEEKLY_PRICES, pl.concat(found))
        return TableUpdate(done.table, done.inserted, done.updated, deleted, done.symbols)

    return when_unread(lake, WEEKLY_PRICES, WEEKLY_FUNCTION, work, night=night)
