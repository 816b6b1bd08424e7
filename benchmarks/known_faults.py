"""The faults that are known to be in the recordings: found or not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from benchmarks.anomaly_judges import Judge
from pipelines.anomalies.fault_scoring import HIGH, LOW, MEDIUM, alarm_levels
from pipelines.calendar import ExchangeCalendar
from pipelines.markets import samsung, sp500_year
from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.sample import load_sample_market

KEY = ["symbol", "session"]
FOUND_WITHOUT_VOLUME = 24
"""Of Samsung's 29. The others come within a quarter of several such bars: by then the rules take it
for a habit of the symbol, as it is for a thinly traded one."""
CRASH = ("AAPL", date(2000, 9, 29))


@dataclass(frozen=True)
class KnownFault:
    """One line of the report: what is asked about, how many of how many, and what was asked."""

    what: str
    count: int
    of: int
    asked: int

    @property
    def is_met(self) -> bool:
        """Whether as many as were asked for were found, or none where none may be."""
        return self.count >= self.asked if self.asked else self.count == 0


def known_faults(judge: Judge) -> Iterator[KnownFault]:
    """Judge the recordings as they are and look for what is known about them."""
    yield from _of_the_year(judge)
    yield from _of_samsung(judge)
    sample = load_sample_market()
    flagged = alarm_levels(judge(sample.bars, sample.exchange)).filter(pl.col("level") >= HIGH)
    crash = flagged.filter(symbol=CRASH[0], session=CRASH[1]).height
    yield KnownFault("AAPL's crash of 2000-09-29 taken for a fault", crash, 1, asked=0)
    yield KnownFault("bars of the sample market withheld", flagged.height, sample.bars.height, 0)


def _of_the_year(judge: Judge) -> Iterator[KnownFault]:
    """Look through the year of 524 symbols."""
    market = sp500_year.load_sp500_year()
    found = alarm_levels(judge(market.bars, market.exchange))
    yield from _missing_for_all(found)
    bad = _contradicting(market.bars)
    yield _found_of("bars that contradict themselves, withheld", bad, found, HIGH)
    for event in sp500_year.KNOWN_EVENTS:
        row = pl.DataFrame({"symbol": [event.symbol], "session": [event.session]})
        level = HIGH if event.is_split else MEDIUM
        words = "withheld" if event.is_split else "at MEDIUM or above"
        yield _found_of(f"{event.symbol} {event.session}, {event.what}, {words}", row, found, level)
    inner, ended = _absences(market)
    yield _found_of("gaps of one symbol alone (halts among them), any severity", inner, found, LOW)
    yield KnownFault(
        "members that left, taken for gaps",
        found.join(ended, on="symbol").filter(pl.col("session") > pl.col("last")).height,
        ended.height,
        asked=0,
    )


def _of_samsung(judge: Judge) -> Iterator[KnownFault]:
    """Look through Samsung's stale bars."""
    market = samsung.load_samsung()
    found = alarm_levels(judge(market.bars, market.exchange))
    sessions = set(ExchangeCalendar.of(market.exchange).sessions(*_ends(market.bars)))
    is_session = pl.col("session").is_in(list(sessions))
    stale = market.bars.filter(pl.col("volume") == 0)
    yield _found_of(
        "Samsung: bars on closed days, withheld", stale.filter(~is_session), found, HIGH
    )
    silent = _found_of(
        "Samsung: sessions without volume (at least 24 asked)", stale.filter(is_session), found, LOW
    )
    yield replace(silent, asked=FOUND_WITHOUT_VOLUME)


def _missing_for_all(found: pl.DataFrame) -> Iterator[KnownFault]:
    """Count the sessions without any bar that are flagged, for any symbol."""
    missing = pl.DataFrame({"session": sp500_year.MISSING_SESSIONS})
    flagged = missing.join(found, on="session", how="semi").height
    yield KnownFault("sessions missing for all", flagged, missing.height, asked=missing.height)


def _contradicting(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the bars whose high or low is beaten by another price."""
    return bars.filter(
        (pl.col("high") < pl.max_horizontal("open", "low", "close"))
        | (pl.col("low") > pl.min_horizontal("open", "high", "close"))
    )


def _absences(market: RecordedMarket) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the gaps of single symbols, and who left.

    The first frame has (symbol, session) where the bars of a symbol cease while others trade, each
    time that they come back; the second the symbols that end before the market does, with their
    `last` session.
    """
    lives = market.bars.group_by("symbol").agg(
        first=pl.col("session").min(), last=pl.col("session").max()
    )
    sessions = market.bars.select("session").unique()
    wanted = lives.join(sessions, how="cross").filter(pl.col("session").is_between("first", "last"))
    absent = wanted.join(market.bars, on=KEY, how="anti")
    ordinal = pl.col("session").rank("dense").cast(pl.Int64)
    numbered = absent.join(sessions.with_columns(number=ordinal), on="session").sort(KEY)
    is_first = (pl.col("number").diff() != 1).fill_null(value=True).over("symbol")
    inner = numbered.filter(is_first).select(KEY)
    return inner, lives.filter(pl.col("last") < market.last_session)


def _found_of(what: str, rows: pl.DataFrame, found: pl.DataFrame, level: int) -> KnownFault:
    """Count the rows that are flagged at a level."""
    hits = rows.join(found.filter(pl.col("level") >= level), on=KEY, how="semi").height
    return KnownFault(what, hits, rows.height, asked=rows.height)


def _ends(bars: pl.DataFrame) -> tuple[date, date]:
    """Return the first and the last session."""
    return bars["session"].sort()[0], bars["session"].sort()[-1]
