"""Random histories of a desk: sessions that arrive night after night, with revisions of old bars.

What a night may bring to the past: corrected prices, dividends and splits that were forgotten,
adjusted closes that moved, bars that are withheld or released, bars that vanish, a new symbol.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from pipelines.anomalies.tables import PRICE_ANOMALIES
from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.tables import DAILY_PRICES, EXCHANGE_SESSIONS
from resources.lake_writer import LakeWriter
from tests.support.clean_bars import FIRST_SESSION, simulated_clean_prices
from tests.support.lake import CALENDAR, daily_rows, exchange_sessions
from tests.support.quality_tables import rows_of

SESSIONS = CALENDAR.sessions(date(2011, 9, 1), date(2013, 3, 1))
"""Enough that the longest look-back ends before the newest session."""
CHANGED_A_NIGHT = 4


@dataclass(frozen=True)
class RandomNight:
    """What one night brings: the newest bars, and what it does to older ones."""

    bars: pl.DataFrame
    gone: pl.DataFrame
    withheld: pl.DataFrame
    released: pl.DataFrame

    def write(self, writer: LakeWriter) -> None:
        """Write it as the stages before the derived tables would."""
        writer.merge(EXCHANGE_SESSIONS, exchange_sessions(SESSIONS))
        writer.merge(DAILY_PRICES, self.bars)
        for table, keys in (("daily_prices", self.gone), ("price_anomalies", self.released)):
            writer.connection.register("keys", keys.to_arrow())
            writer.connection.execute(
                f"DELETE FROM {table} AS old USING keys "
                "WHERE old.symbol = keys.symbol AND old.session = keys.session"
            )
            writer.connection.unregister("keys")
        if self.withheld.height:
            anomalies = rows_of("price_anomalies", *self.withheld.iter_rows(named=True))
            writer.merge(PRICE_ANOMALIES, anomalies)


def random_history(seed: int, *, nights: int = 2) -> Iterator[RandomNight]:
    """Yield the nights of a history; the first one brings most of the past."""
    rng = np.random.default_rng(seed)
    stored = _market(rng)
    lasts = [*np.sort(rng.choice(np.arange(300, len(SESSIONS) - 1), nights - 1, False)), -1]
    late = rng.choice(["S0", "S1", "S2"])
    before, withheld = date.min, stored.select("symbol", "session").clear()
    for number, last in enumerate(SESSIONS[index] for index in lasts):
        is_due = pl.col("session").is_between(before + timedelta(days=1), last)
        new = stored.filter(is_due)
        if number == 0:
            new = new.filter(pl.col("symbol") != late)
        if number == 1:
            new = pl.concat([new, stored.filter(pl.col("session") <= before, symbol=late)])
        known = stored.filter(pl.col("session") <= before)
        changed = known.sample(min(CHANGED_A_NIGHT, known.height), seed=seed + number)
        revised = _revised(rng, changed)
        stored = stored.update(revised, on=["symbol", "session"])
        gone = known.sample(min(2, known.height), seed=seed + 100 + number)
        gone = gone.select("symbol", "session").join(revised, on=["symbol", "session"], how="anti")
        stored = stored.join(gone, on=["symbol", "session"], how="anti")
        suspects = stored.filter(pl.col("session") <= last).sample(3, seed=seed + 200 + number)
        yield RandomNight(
            pl.concat([new, revised]).unique(["symbol", "session"], keep="last"),
            gone,
            suspects.select("symbol", "session"),
            withheld.head(2),
        )
        withheld, before = suspects.select("symbol", "session"), last


def _market(rng: np.random.Generator) -> pl.DataFrame:
    """Return bars of three symbols as rows of `daily_prices`."""
    made = simulated_clean_prices(rng, sessions=len(SESSIONS))
    days = {FIRST_SESSION + timedelta(days=row): day for row, day in enumerate(SESSIONS)}
    on_sessions = pl.col("session").replace_strict(days, return_dtype=pl.Date)
    return daily_rows(made.with_columns(on_sessions).select(BAR_SCHEMA.names()))


def _revised(rng: np.random.Generator, bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars as the vendor sends them now, each changed in a way of its own."""
    kind = pl.Series(rng.integers(0, 4, bars.height))
    return bars.with_columns(
        close=pl.when(kind == 0).then(pl.col("close") * 0.999).otherwise("close"),
        dividend_amount=pl.when(kind == 1).then(0.7).otherwise("dividend_amount"),
        split_coefficient=pl.when(kind == 2).then(2.0).otherwise("split_coefficient"),
        adjusted_close=pl.col("adjusted_close") * 0.97,
        revision=pl.col("revision") + 1,
    )
