"""The leak tribunal: does a feature know what nobody could, or remember more than it says?

Two accusations, both by experiment on the very computation that fills the lake. *Looking ahead*:
change everything after a session, of all symbols, and compare every value by then bit for bit.
*Hidden memory*: compute a session's values from the rows that the look-back names and no others;
they must be those of the store.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from pipelines.features.futures import other_futures

Compute = Callable[[pl.DataFrame], Mapping[str, pl.DataFrame]]
"""From rows of clean_prices to the rows of feature tables, by name."""

KEY = ["symbol", "session"]
FUTURE_ROWS = 30
"""Rows of a symbol after the session that the nightly sample changes."""


@dataclass
class Verdict:
    """What was found of a table: by feature, the futures that moved it and the rows that differ."""

    leaks: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    differing: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    values: int = 0

    @property
    def is_innocent(self) -> bool:
        """Return whether nothing was found, and something was looked at."""
        return self.values > 0 and not self.leaks and not self.differing

    @property
    def faults(self) -> list[str]:
        """Say what was found, a sentence a feature."""
        ahead = [
            f"{name} looks ahead: with another future ({', '.join(sorted(futures))}) its past moves"
            for name, futures in sorted(self.leaks.items())
        ]
        apart = [
            f"{name} is not what its look-back gives: {rows} rows differ from the store"
            for name, rows in sorted(self.differing.items())
        ]
        return ahead + apart

    def add(self, other: "Verdict") -> None:
        """Count what another experiment found."""
        for name, futures in other.leaks.items():
            self.leaks[name] |= futures
        for name, rows in other.differing.items():
            self.differing[name] += rows
        self.values += other.values


def judge_look_ahead(
    compute: Compute, bars: pl.DataFrame, session: date, rng: np.random.Generator
) -> dict[str, Verdict]:
    """Return which features of each table move by a session when everything after it changes."""
    expected = {name: _by(table, session) for name, table in compute(bars).items()}
    verdicts = {name: Verdict(values=_count(table)) for name, table in expected.items()}
    for what, changed in other_futures(bars, session, rng):
        made = compute(changed)
        for name, table in expected.items():
            for feature in differing_columns(table, _by(made[name], session)):
                verdicts[name].leaks[feature].add(what)
    return verdicts


def judge_memory(
    compute: Compute, bars: pl.DataFrame, stored: Mapping[str, pl.DataFrame], *, look_back: int
) -> dict[str, Verdict]:
    """Return which features of a session differ from the store, computed from their look-back.

    All tables are made of the same rows: a table that needs fewer is to be tried for itself.

    Args:
        compute: The computation.
        bars: Rows of clean_prices up to the session.
        stored: Rows of the feature tables, all of one session; by table.
        look_back: Rows before the session's that the features say they need.
    """
    least = bars.sort(KEY).group_by("symbol", maintain_order=True).tail(look_back + 1)
    made = compute(least)
    return {name: _compared(table, made[name]) for name, table in stored.items()}


def _compared(stored: pl.DataFrame, made: pl.DataFrame) -> Verdict:
    """Return which features of the stored rows are not what was made."""
    pair = stored.join(made, on=KEY, how="left", suffix="_made", maintain_order="left")
    verdict = Verdict(values=_count(stored))
    for name in _features(stored):
        rows = pair.select((~pl.col(name).eq_missing(pl.col(f"{name}_made"))).sum()).item()
        if rows:
            verdict.differing[name] = rows
    return verdict


def differing_columns(expected: pl.DataFrame, actual: pl.DataFrame) -> list[str]:
    """Return the features in which two tables differ in any bit; all where rows do."""
    if not expected.select(KEY).equals(actual.select(KEY)):
        return _features(expected)
    return [name for name in _features(expected) if not expected[name].equals(actual[name])]


def around_query(look_back: int) -> str:
    """Return SQL for the bars of `$symbols` around `$session`: the look-back, and a future."""
    place = "row_number() OVER (PARTITION BY symbol ORDER BY session"
    rows = "SELECT * FROM clean_prices WHERE symbol IN (SELECT unnest($symbols)) AND session"
    return f"""
        ({rows} <= $session QUALIFY {place} DESC) <= {look_back + 1})
        UNION ALL
        ({rows} > $session QUALIFY {place}) <= {FUTURE_ROWS})
        ORDER BY symbol, session"""


def sampled_sessions(sessions: Sequence[date], number: int, rng: np.random.Generator) -> list[date]:
    """Return some sessions by chance, none of them the last one, which has no future."""
    if len(sessions) < 2:
        return []
    chosen = rng.choice(len(sessions) - 1, size=min(number, len(sessions) - 1), replace=False)
    return [sessions[place] for place in sorted(chosen)]


def _features(table: pl.DataFrame) -> list[str]:
    """Return the names of the features of a table."""
    return [name for name in table.columns if name not in KEY]


def _by(table: pl.DataFrame, session: date) -> pl.DataFrame:
    """Return the rows of a table that were known by a session, in order."""
    return table.filter(pl.col("session") <= session).sort(KEY)


def _count(table: pl.DataFrame) -> int:
    """Return how many values a table holds beside its key."""
    return sum(table[name].count() for name in _features(table))
