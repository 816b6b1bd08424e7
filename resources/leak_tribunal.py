"""The leak tribunal in session: a few symbols and sessions of the lake, other ones each night."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import polars as pl

from pipelines.derivations import Derivation
from pipelines.features.catalogue import GROUPS
from pipelines.features.derivation import feature_derivation
from pipelines.features.groups import FeatureGroup
from pipelines.features.market_returns import MARKET_RETURNS_DERIVATION
from pipelines.features.tribunal import (
    Verdict,
    around_query,
    judge_look_ahead,
    judge_memory,
    sampled_sessions,
)
from pipelines.nights import Night
from pipelines.tables import CLEAN_PRICES, MARKET_RETURNS
from resources.derived_apart import derived_apart
from resources.lake import Lake

SYMBOLS, SESSIONS = 5, 2
"""How many of each the tribunal looks at in one night."""


def judge_features(
    lake: Lake,
    *,
    night: Night,
    groups: Sequence[FeatureGroup] = GROUPS,
    derivation_of: Callable[[FeatureGroup], Derivation] = feature_derivation,
) -> dict[str, Verdict]:
    """Return the verdict on every group that the lake holds, by name.

    What is looked at follows from the night's identity: a rerun looks at the same.
    """
    seed = int.from_bytes(hashlib.sha256(night.night_id.encode()).digest()[:8], "big")
    sessions = lake.read(
        "SELECT DISTINCT session FROM clean_prices WHERE session <= $session ORDER BY session",
        {"session": night.session},
    )["session"].to_list()
    verdicts = {}
    for number, group in enumerate(groups):
        trial = _Trial(lake, group, derivation_of(group), np.random.default_rng([seed, number]))
        if sessions and trial.is_held():
            verdicts[group.name] = trial.verdict(sessions)
    return verdicts


@dataclass(frozen=True)
class _Trial:
    """The trial of one group."""

    lake: Lake
    group: FeatureGroup
    derivation: Derivation
    rng: np.random.Generator

    def is_held(self) -> bool:
        """Return whether the lake holds a row of the group."""
        return not self.lake.read(f"SELECT 1 FROM {self.group.name} LIMIT 1").is_empty()

    def verdict(self, sessions: Sequence[date]) -> Verdict:
        """Judge some sessions of the past by their future, and the last one by its memory."""
        verdict = Verdict()
        for session in sampled_sessions(sessions, SESSIONS, self.rng):
            bars = self._bars(self._symbols(session, most=SYMBOLS), session)
            verdict.add(judge_look_ahead(self._computed, bars, session, self.rng))
        verdict.add(self._memory(sessions[-1]))
        return verdict

    def _memory(self, session: date) -> Verdict:
        """Judge the newest session against the store: of all symbols, where they are compared."""
        most = None if self.group.is_session_wide else SYMBOLS
        market = self.lake.read(f"FROM {MARKET_RETURNS.name}") if self._reads_market else None
        symbols = self._symbols(session, most=most)
        stored = self.lake.read(
            f"SELECT * FROM {self.group.name} WHERE session = $session "
            "AND list_contains($symbols, symbol) ORDER BY symbol",
            {"session": session, "symbols": symbols},
        )
        if stored.is_empty():
            return Verdict()
        bars = self._bars(symbols, session).filter(pl.col("session") <= session)
        look_back = self.group.look_back
        return judge_memory(
            partial(self._computed, market=market), bars, stored, look_back=look_back
        )

    def _symbols(self, session: date, *, most: int | None) -> list[str]:
        """Return symbols that trade on a session, some by chance or all."""
        trading = self.lake.read(
            "SELECT symbol FROM clean_prices WHERE session = $session ORDER BY symbol",
            {"session": session},
        )["symbol"].to_list()
        if most is None or len(trading) <= most:
            return trading
        return sorted(self.rng.choice(trading, size=most, replace=False).tolist())

    def _bars(self, symbols: Sequence[str], session: date) -> pl.DataFrame:
        """Return the bars of symbols around a session."""
        return self.lake.read(
            around_query(self.group.look_back), {"symbols": list(symbols), "session": session}
        )

    @property
    def _reads_market(self) -> bool:
        return MARKET_RETURNS in self.derivation.sources

    def _computed(self, bars: pl.DataFrame, *, market: pl.DataFrame | None = None) -> pl.DataFrame:
        """Compute the group as the lake does.

        Args:
            bars: Rows of clean prices.
            market: The market's returns; without them, they follow from the bars.
        """
        given, derivations = {CLEAN_PRICES.name: bars}, [self.derivation]
        if market is not None:
            given[MARKET_RETURNS.name] = market
        elif self._reads_market:
            derivations.insert(0, MARKET_RETURNS_DERIVATION)
        return derived_apart(given, derivations)[self.derivation.table.name]
