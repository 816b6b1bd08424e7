"""What goes into the lake beside new prices: what the vendor changed, what is wrong with bodies.

All of it is written in the transaction that writes `daily_prices`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from pipelines.anomalies.body_anomalies import (
    NEARLY_ALL,
    BodyFinding,
    corrupted_bodies,
    finding_rows,
    judge_days,
    judge_series,
    replaced_share,
)
from pipelines.anomalies.tables import BODY_ANOMALIES, PRICE_REVISIONS
from pipelines.calendar import ExchangeCalendar
from pipelines.nights import Night
from pipelines.prices.bodies import ReadBody
from pipelines.prices.ingestion import IngestedBodies, KnownPrices, ReplayedNight
from pipelines.prices.journal import as_in_force, journal_rows, rebuilt_journal
from resources.lake_writer import LakeWriter

TWIN_SESSIONS, FEWEST_SESSIONS = 20, 5
"""The newest sessions by which two series are compared, and how many there must be."""

_TWINS = """
    WITH others AS (
        SELECT symbol, session, close, volume FROM daily_prices
        WHERE session >= (SELECT min(session) FROM newest_sent)
        UNION SELECT symbol, session, close, volume FROM newest_sent
    )
    SELECT sent.response_id, others.symbol
    FROM newest_sent AS sent JOIN others USING (session, close, volume)
    WHERE others.symbol <> sent.symbol AND sent.is_asked
    GROUP BY sent.response_id, others.symbol, sent.bars
    HAVING count(*) = sent.bars
    ORDER BY sent.response_id, others.symbol DESC
"""


@dataclass
class JournalReport:
    """What was noted beside the prices."""

    revisions: Counter[str] = field(default_factory=Counter)
    body_anomalies: list[str] = field(default_factory=list)

    def add(self, other: "JournalReport") -> None:
        """Count what another batch noted."""
        self.revisions.update(other.revisions)
        self.body_anomalies += other.body_anomalies


def note_changes(
    writer: LakeWriter,
    known: KnownPrices,
    done: IngestedBodies,
    *,
    night: Night,
    calendar: ExchangeCalendar,
    refused: Iterable[BodyFinding] = (),
) -> JournalReport:
    """Write what bodies changed in history, and what is wrong with them.

    Args:
        writer: The transaction that writes the prices.
        known: What was known of their symbols before.
        done: What was read from them.
        night: The night that reads them.
        calendar: The exchange's sessions.
        refused: What is wrong with bodies of which nothing was read.
    """
    in_force = _in_force(writer, done.rows)
    journal = journal_rows(done.rows, in_force, night_id=night.night_id, as_of=night.as_of)
    findings = [
        *refused,
        *judge_days(done.bodies, known.rows, _final_sessions(known, night, calendar)),
        *judge_series(done.bodies, in_force, _twins(writer, known, done.bodies, in_force)),
        *corrupted_bodies(journal),
    ]
    if not journal.is_empty():
        writer.append(PRICE_REVISIONS, journal)
    if findings:
        writer.merge(BODY_ANOMALIES, finding_rows(findings, known_at=night.as_of))
    return _report(journal, findings)


def note_rebuilt(
    writer: LakeWriter, symbols: Sequence[str], replayed: Sequence[ReplayedNight], *, night: Night
) -> JournalReport:
    """Write the journal of symbols anew whose bodies were all read again.

    What is wrong with bodies is kept as it was found when they came.
    """
    night_ids = dict(
        writer.read(
            "SELECT as_of, arg_max(night_id, session) FROM nights GROUP BY as_of"
        ).iter_rows()
    )
    of_symbols = {"symbols": list(symbols)}
    where = "WHERE symbol IN (SELECT unnest($symbols))"
    kept = writer.read(f"SELECT * FROM price_revisions {where}", of_symbols)
    journal = [
        journal_rows(
            one.done.rows,
            as_in_force(one.before),
            night_id=night_ids.get(one.as_of, night.night_id),
            as_of=one.as_of,
        )
        for one in replayed
    ]
    rows = rebuilt_journal(pl.concat([kept.clear(), *journal]), kept)
    key = list(PRICE_REVISIONS.key)
    if not rows.sort(key).equals(kept.sort(key)):
        writer.connection.execute(f"DELETE FROM price_revisions {where}", of_symbols)
        writer.append(PRICE_REVISIONS, rows)
    return _report(rows, [])


def _report(journal: pl.DataFrame, findings: Iterable[BodyFinding]) -> JournalReport:
    """Return what was noted, in counts and words."""
    kinds = Counter(dict(journal.group_by("kind").len().iter_rows()))
    return JournalReport(
        kinds, [f"{one.symbol}: {one.anomaly_type}, {one.message}" for one in findings]
    )


def _in_force(writer: LakeWriter, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the clean bars of symbols of which a bar became another revision."""
    is_revised = pl.col("revision_before").is_not_null() & ~pl.col("is_readjusted").fill_null(
        value=False
    )
    symbols = rows.filter(is_revised)["symbol"].unique().sort().to_list()
    # Most nights revise nothing: an empty list would still be looked for in the whole table.
    where = "symbol IN (SELECT unnest($symbols))" if symbols else "$symbols IS NULL"
    return writer.read(f"SELECT * FROM clean_prices WHERE {where}", {"symbols": symbols})


def _final_sessions(known: KnownPrices, night: Night, calendar: ExchangeCalendar) -> set[date]:
    """Return the exchange's sessions of the stored bars that the vendor could show tonight."""
    first: date | None = known.rows.select(pl.col("session").min()).item()
    last = calendar.last_completed(night.as_of)
    return set(calendar.sessions(max(first, calendar.first_session), last)) if first else set()


def _twins(
    writer: LakeWriter, known: KnownPrices, bodies: Sequence[ReadBody], in_force: pl.DataFrame
) -> dict[int, str]:
    """Return, by response, the other symbol whose newest bars a body has down to the volume.

    Asked of bodies of new symbols, and of those that look like another's.
    """
    seen, revised = set(known.rows["symbol"].unique()), set(in_force["symbol"].unique())
    asked = {
        body.response_id
        for body in bodies
        if body.symbol not in seen
        or (body.symbol in revised and replaced_share(body, in_force)[0] >= NEARLY_ALL)
    }
    if not asked:
        return {}
    newest = [_newest_bars(body, is_asked=body.response_id in asked) for body in bodies]
    writer.connection.register("newest_sent", pl.concat(newest).to_arrow())
    found = dict(writer.read(_TWINS).iter_rows())
    writer.connection.unregister("newest_sent")
    return found


def _newest_bars(body: ReadBody, *, is_asked: bool) -> pl.DataFrame:
    """Return the newest traded bars of a body, as they are compared with others'."""
    traded = body.bars.filter(pl.col("volume") > 0).sort("session").tail(TWIN_SESSIONS)
    return traded.select(
        pl.lit(body.response_id, dtype=pl.Int64).alias("response_id"),
        "symbol",
        "session",
        "close",
        "volume",
        bars=pl.len().cast(pl.Int64),
        is_asked=pl.lit(value=is_asked) & (pl.len() >= FEWEST_SESSIONS),
    )
