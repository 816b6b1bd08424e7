"""Bodies of prices out of the archive, read into `daily_prices`: new ones, or all of them anew."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.anomalies.body_anomalies import DATE_TWICE, OTHER_SYMBOL, BodyFinding
from pipelines.calendar import ExchangeCalendar
from pipelines.nights import Night
from pipelines.prices.bodies import LandedBody
from pipelines.prices.ingestion import (
    PARTS,
    PRICE_FUNCTIONS,
    KnownPrices,
    Newest,
    ingest_bodies,
    newest_of,
    replay_bodies,
)
from pipelines.tables import DAILY_PRICES, VENDOR_RESPONSES
from pipelines.vendor.landing import decompress
from pipelines.vendor.payloads import named_symbol
from pipelines.vendor.responses import DATA, FaultKind
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.price_journal import JournalReport, note_changes, note_rebuilt
from resources.vendor_archive import Progress

REBUILT_SYMBOLS = 50
"""Symbols a transaction when everything is read anew."""

READ_ANSWERS, READ_BYTES = 500, 4 * 1024**2
"""Answers, and bytes of compressed bodies, of a transaction. Each looks through the whole table of
prices several times: 10,000 answers, twenty at once, read it two thousand times."""

_BODY = """
    SELECT response_id, symbol, function, fetched_at, outcome, body
    FROM vendor_responses LEFT JOIN vendor_bodies USING (body_sha256)
"""


@dataclass
class IngestionReport:
    """What reading landed bodies did to `daily_prices`."""

    bodies: int = 0
    inserted: int = 0
    revised: int = 0
    deleted: int = 0
    unreadable: list[str] = field(default_factory=list)
    noted: JournalReport = field(default_factory=JournalReport)

    def add(self, other: "IngestionReport") -> None:
        """Count what another batch did."""
        self.bodies += other.bodies
        self.inserted += other.inserted
        self.revised += other.revised
        self.deleted += other.deleted
        self.unreadable += other.unreadable
        self.noted.add(other.noted)


def ingest_prices(
    lake: Lake, *, night: Night, calendar: ExchangeCalendar, progress: Progress
) -> IngestionReport:
    """Read every body that is not read yet into `daily_prices`."""
    report = IngestionReport()

    def work(writer: LakeWriter) -> IngestionReport:
        return _read_batch(writer, night, calendar)

    while _has_unread(lake):
        report.add(lake.commit(work, night=night, message="read vendor bodies"))
        progress(f"{report.bodies} bodies read, {report.inserted:,} new bars")
    return report


def _read_batch(writer: LakeWriter, night: Night, calendar: ExchangeCalendar) -> IngestionReport:
    """Read the next bodies into `daily_prices`, and note what they changed and lack."""
    batch = _unread(writer)
    symbols = sorted({body.symbol for body in batch.bodies})
    known = KnownPrices(
        _stored(writer, symbols),
        _newest_parts(writer, batch.bodies, batch.position),
        _doubted(writer, symbols),
    )
    done = ingest_bodies(known, batch.bodies, as_of=night.as_of, calendar=calendar)
    noted = note_changes(
        writer, known, done, night=night, calendar=calendar, refused=batch.of_others(night)
    )
    update = writer.merge(DAILY_PRICES, done.rows)
    writer.advance(DAILY_PRICES.name, VENDOR_RESPONSES.name, position=batch.position)
    return IngestionReport(
        len(batch.bodies), update.inserted, update.updated, 0, list(done.unreadable), noted
    )


def rebuild_prices(
    lake: Lake, *, night: Night, calendar: ExchangeCalendar, progress: Progress
) -> IngestionReport:
    """Make `daily_prices` anew from all landed bodies, without asking the vendor.

    For a parser that was mended: each body is read as on the night it came in. A symbol of which no
    body can be read keeps the rows it has.
    """
    report = IngestionReport()
    symbols = lake.read(
        "SELECT DISTINCT symbol FROM vendor_responses WHERE outcome = 'data' "
        "AND list_contains($functions, function) ORDER BY symbol",
        {"functions": list(PRICE_FUNCTIONS)},
    )["symbol"].to_list()
    for start in range(0, len(symbols), REBUILT_SYMBOLS):
        chunk = symbols[start : start + REBUILT_SYMBOLS]

        def work(writer: LakeWriter, chunk: list[str] = chunk) -> IngestionReport:
            return _rebuild(writer, chunk, night=night, calendar=calendar)

        report.add(lake.commit(work, night=night, message=f"read {len(chunk)} symbols anew"))
        progress(f"{start + len(chunk)} of {len(symbols)} symbols read anew")
    return report


def _rebuild(
    writer: LakeWriter, symbols: list[str], *, night: Night, calendar: ExchangeCalendar
) -> IngestionReport:
    """Replace the rows of some symbols by what their bodies make."""
    bodies = _all_bodies(writer, symbols)
    nothing = writer.read("SELECT * FROM daily_prices WHERE false")
    replayed = {
        symbol: replay_bodies(of_symbol, nothing, calendar) for symbol, of_symbol in bodies.items()
    }
    rows = pl.concat([nothing, *(rows for rows, _ in replayed.values())])
    nights = [one for _, of_symbol in replayed.values() for one in of_symbol]
    readable = rows["symbol"].unique().sort().to_list()
    removed = _delete_others(writer, rows, readable)
    noted = note_rebuilt(writer, readable, nights, night=night)
    update = writer.merge(DAILY_PRICES, rows)
    unreadable = [text for one in nights for text in one.done.unreadable]
    count = sum(map(len, bodies.values()))
    return IngestionReport(count, update.inserted, update.updated, removed, unreadable, noted)


def _delete_others(writer: LakeWriter, rows: pl.DataFrame, symbols: list[str]) -> int:
    """Delete the stored bars of some symbols that are not among the rows; return how many."""
    writer.connection.register("rebuilt_prices", rows.select("symbol", "session").to_arrow())
    deleted = writer.connection.execute(
        "DELETE FROM daily_prices AS stored WHERE symbol IN (SELECT unnest($symbols)) "
        "AND NOT EXISTS (SELECT 1 FROM rebuilt_prices AS rebuilt "
        "WHERE rebuilt.symbol = stored.symbol AND rebuilt.session = stored.session)",
        {"symbols": symbols},
    ).fetchone()
    writer.connection.unregister("rebuilt_prices")
    return int(deleted[0]) if deleted else 0


def _all_bodies(
    writer: LakeWriter, symbols: list[str]
) -> dict[str, list[tuple[datetime, LandedBody]]]:
    """Return every body of prices of some symbols, by symbol, with the instant of its night.

    That is the newest night opened when the answer came: its `as_of` is when the rows were known.
    """
    nights = writer.read("SELECT DISTINCT as_of FROM nights ORDER BY as_of")
    rows = writer.read(
        f"{_BODY} WHERE outcome = 'data' AND list_contains($functions, function) "
        "AND symbol IN (SELECT unnest($symbols)) ORDER BY symbol, response_id",
        {"functions": list(PRICE_FUNCTIONS), "symbols": symbols},
    )
    dated = (
        rows.sort("fetched_at")
        .join_asof(nights, left_on="fetched_at", right_on="as_of", strategy="backward")
        .with_columns(pl.coalesce("as_of", "fetched_at").alias("as_of"))
        .sort("symbol", "response_id")
    )
    found: dict[str, list[tuple[datetime, LandedBody]]] = {}
    for row in dated.iter_rows(named=True):
        found.setdefault(row["symbol"], []).append((row["as_of"], _landed(row)))
    return found


def _newest_parts(writer: LakeWriter, arrived: list[LandedBody], position: int) -> Newest:
    """Return the newest bodies of symbols of which a part arrived."""
    symbols = sorted({body.symbol for body in arrived if body.function in PARTS})
    if not symbols:
        return {}
    rows = writer.read(
        f"{_BODY} WHERE outcome = 'data' AND response_id <= $position "
        "AND list_contains($functions, function) AND symbol IN (SELECT unnest($symbols)) "
        "QUALIFY response_id = max(response_id) OVER (PARTITION BY symbol, function)",
        {"position": position, "functions": list(PARTS), "symbols": symbols},
    )
    return newest_of([_landed(row) for row in rows.iter_rows(named=True)])


def _stored(writer: LakeWriter, symbols: list[str]) -> pl.DataFrame:
    """Return the rows of `daily_prices` of some symbols."""
    return writer.read(
        "SELECT * FROM daily_prices WHERE symbol IN (SELECT unnest($symbols))", {"symbols": symbols}
    )


def _doubted(writer: LakeWriter, symbols: list[str]) -> pl.DataFrame:
    """Return the stored bars that a body told of twice, differently."""
    told = writer.read(
        "SELECT DISTINCT symbol, session, response_id FROM body_anomalies "
        "WHERE anomaly_type = $twice AND severity = 'high' AND symbol IN (SELECT unnest($symbols))",
        {"symbols": symbols, "twice": DATE_TWICE},
    )
    stored = _stored(writer, told["symbol"].unique().to_list()) if told.height else told
    return told.join(stored, on=told.columns, how="semi").select("symbol", "session")


def _has_unread(lake: Lake) -> bool:
    """Tell whether an answer came since `daily_prices` last read."""
    return bool(
        lake.read(
            """
            SELECT coalesce(max(response_id), 0) > coalesce((
                SELECT position FROM consumer_positions
                WHERE consumer = 'daily_prices' AND source = 'vendor_responses'
            ), 0) FROM vendor_responses
            """
        ).item()
    )


@dataclass(frozen=True)
class _Batch:
    """The next answers to read, and the number of the last one."""

    bodies: list[LandedBody]
    refused: list[LandedBody]
    position: int

    def of_others(self, night: Night) -> list[BodyFinding]:
        """Return the bodies that were refused because they name another symbol."""
        named = [(body, named_symbol(body.body)) for body in self.refused]
        return [
            BodyFinding(
                body.response_id,
                body.symbol,
                night.session,
                OTHER_SYMBOL,
                "medium",
                f"the body says that it is about {name!r}, not {body.symbol!r}; it is not taken",
                {"named": name},
            )
            for body, name in named
            if name is not None and name.upper() != body.symbol
        ]


def _unread(writer: LakeWriter) -> _Batch:
    """Return the next bodies to read."""
    position = writer.position(DAILY_PRICES.name, VENDOR_RESPONSES.name) or 0
    rows = writer.read(
        f"SELECT * FROM ({_BODY} WHERE response_id > $position ORDER BY response_id LIMIT $limit) "
        "QUALIFY coalesce(sum(octet_length(body)) OVER (ORDER BY response_id "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) < $bytes ORDER BY response_id",
        {"position": position, "limit": READ_ANSWERS, "bytes": READ_BYTES},
    )
    prices = rows.filter(pl.col("function").is_in(PRICE_FUNCTIONS) & pl.col("body").is_not_null())
    found = {
        outcome: [_landed(row) for row in prices.filter(outcome=outcome).iter_rows(named=True)]
        for outcome in (DATA, FaultKind.UNREADABLE.value)
    }
    return _Batch(found[DATA], found[FaultKind.UNREADABLE.value], rows["response_id"][-1])


def _landed(row: dict[str, Any]) -> LandedBody:
    """Return a row of the archive as a body."""
    return LandedBody(
        row["response_id"],
        row["symbol"],
        decompress(row["body"]),
        row["function"],
        row["fetched_at"],
    )
