"""Judging bars: every rule on every bar, by what there was on the bar's own night.

`judge_bars` takes bars with all that is to be known of them; `judge_history` makes that from whole
histories held in memory. Judging a history in one pass and judging it night by night give the same
rows. The lake's form is `pipelines.anomalies.derivation`.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from pipelines.anomalies.absences import absences, sessions_missing_for_all
from pipelines.anomalies.adjustments import adjustment_findings, with_repeated_dividends
from pipelines.anomalies.findings import Finding, found, no_findings
from pipelines.anomalies.impossible import impossible_bars
from pipelines.anomalies.level_findings import level_findings
from pipelines.anomalies.levels import with_levels
from pipelines.anomalies.measures import with_measures
from pipelines.anomalies.panel import BAR_FACTS, missing_for_all, with_panel_facts
from pipelines.anomalies.repeats import repeat_findings, with_repeats
from pipelines.anomalies.strangers import strangers, with_strangers
from pipelines.anomalies.volumes import volume_findings
from pipelines.calendar import ExchangeCalendar

ROWS_AT_ONCE = 100_000
KEY = ("symbol", "session", "data_type", "anomaly_type")


def judge_bars(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `price_anomalies` for the bars that are no context.

    Args:
        bars: Bars by symbol and session with BAR_FACTS and PANEL_FACTS. Context are the last 64
            bars of the symbol that were not withheld, and all since the first of them.
    """
    judged = [_judge_symbols(some) for some in _some_symbols_at_once(bars)]
    return pl.concat([no_findings(), *judged]).sort(KEY)


def judge_history(bars: pl.DataFrame, *, exchange: str = "XNYS") -> pl.DataFrame:
    """Return the rows of `price_anomalies` for whole histories, judged from nothing.

    Args:
        bars: Bars of a market in any order, at least symbol, session, prices and volume. A day may
            come twice.
        exchange: ISO 10383 code of the calendar.
    """
    complete = with_all_columns(bars)
    sessions = _sessions_around(complete, exchange)
    early = (
        ExchangeCalendar.of(exchange).early_closes(sessions[0], sessions[-1]) if sessions else []
    )
    facts = with_panel_facts(complete, sessions, early)
    missing = sessions_missing_for_all(missing_for_all(complete, sessions))
    return pl.concat([judge_bars(facts), missing]).sort(KEY)


def _some_symbols_at_once(bars: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield the bars of some symbols at a time, so that the measures of all never stand at once."""
    ends = bars.select(
        pl.int_range(1, pl.len() + 1).filter(
            pl.col("symbol").ne_missing(pl.col("symbol").shift(-1))
        )
    ).to_series()
    first = 0
    for end in ends:
        if end - first >= ROWS_AT_ONCE or end == bars.height:
            yield bars[first:end]
            first = end


def _judge_symbols(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the findings of some symbols."""
    measured = bars.pipe(with_strangers).pipe(with_measures).pipe(with_repeats)
    judged = measured.pipe(with_repeated_dividends).pipe(with_levels)
    findings = [
        *impossible_bars(),
        *repeat_findings(),
        *strangers(),
        *level_findings(),
        *volume_findings(),
        *adjustment_findings(),
    ]
    rows = pl.concat([found(judged, findings), absences(judged)])
    one_each = rows.unique(list(KEY), keep="first", maintain_order=True)
    return pl.concat([one_each, _confirmed(judged, one_each)])


def withheld_keys(anomalies: pl.DataFrame) -> pl.DataFrame:
    """Return symbol and session of the daily bars that some anomaly withholds."""
    daily = anomalies.filter(pl.col("is_withheld") & (pl.col("data_type") == "daily"))
    return daily.select("symbol", "session").unique().sort("symbol", "session")


def with_all_columns(bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars with every column of BAR_FACTS, each key once, in order."""
    assumed = {
        "adjusted_close": pl.lit(None),
        "dividend_amount": pl.lit(0.0),
        "split_coefficient": pl.lit(1.0),
        "known_at": pl.col("session").cast(pl.Datetime("us", "UTC")),
        "revision": pl.lit(1),
        "is_context": pl.lit(value=False),
        "was_foreign": pl.lit(value=False),
        "is_doubted": pl.lit(value=False),
    }
    filled = bars.with_columns(
        assumed.get(name, pl.lit(None)).alias(name)
        for name in BAR_FACTS
        if name not in bars.columns
    )
    key = ["symbol", "session"]
    twice = pl.len().over(key) > 1
    return (
        filled.with_columns(is_date_twice=twice)
        .select(pl.col(name).cast(dtype) for name, dtype in BAR_FACTS.items())
        .unique(key, keep="first", maintain_order=True)
        .sort(key)
    )


def _sessions_around(bars: pl.DataFrame, exchange: str) -> Sequence[date]:
    """Return the sessions from the first bar to the last one."""
    if bars.is_empty():
        return []
    first, last = bars["session"].min(), bars["session"].max()
    return ExchangeCalendar.of(exchange).sessions(first, last)  # type: ignore[arg-type]


def _confirmed(bars: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return findings of bars that a person confirmed and no rule withholds."""
    kept = rows.filter("is_withheld").select("symbol", "session").unique()
    alone = bars.join(kept, on=["symbol", "session"], how="anti")
    finding = Finding(
        "confirmed_fault",
        pl.col("verdict").eq_missing("confirm"),
        pl.format("a person confirmed that the bar of {} is wrong", "session"),
        {"revision": pl.col("revision")},
    )
    return found(alone, [finding])
