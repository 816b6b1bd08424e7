"""The leak tribunal in session: a few symbols and sessions of the lake, other ones each night."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby

import numpy as np
import polars as pl

from pipelines.derivations import Derivation
from pipelines.features.catalogue import GROUPS
from pipelines.features.derivation import joint_derivation
from pipelines.features.groups import FeatureGroup, longest_look_back
from pipelines.features.inputs import reads_market, reads_regimes
from pipelines.features.market_returns import MARKET_RETURNS_DERIVATION
from pipelines.features.regime_stand_ins import stand_in_states
from pipelines.features.tribunal import (
    Verdict,
    around_query,
    judge_look_ahead,
    judge_memory,
    sampled_sessions,
)
from pipelines.nights import Night
from pipelines.regimes.names import MARKET
from pipelines.regimes.tables import REGIME_STATES
from pipelines.tables import CLEAN_PRICES, MARKET_RETURNS
from pipelines.views import filled_tables_query
from resources.derived_apart import derived_apart
from resources.lake import Lake

DerivationOf = Callable[[Sequence[FeatureGroup]], Derivation]

SYMBOLS, SESSIONS = 5, 2
"""How many of each the tribunal looks at in one night."""


def judge_features(
    lake: Lake,
    *,
    night: Night,
    groups: Sequence[FeatureGroup] = GROUPS,
    derivation_of: DerivationOf = joint_derivation,
) -> dict[str, Verdict]:
    """Return the verdict on every group that the lake holds, by name.

    All are tried on the same symbols, sessions and futures. What these are follows from the
    night's identity: a rerun looks at the same.
    """
    seed = int.from_bytes(hashlib.sha256(night.night_id.encode()).digest()[:8], "big")
    sessions = lake.read(
        "SELECT DISTINCT session FROM clean_prices WHERE session <= $session ORDER BY session",
        {"session": night.session},
    )["session"].to_list()
    held = set(lake.read(filled_tables_query()).to_series())
    tried = tuple(group for group in groups if group.name in held)
    trial = _Trial(lake, tried, derivation_of, np.random.default_rng(seed))
    return trial.verdicts(sessions) if sessions and tried else {}


@dataclass(frozen=True)
class _Trial:
    """The trial of all groups."""

    lake: Lake
    groups: tuple[FeatureGroup, ...]
    derivation_of: DerivationOf
    rng: np.random.Generator

    def verdicts(self, sessions: Sequence[date]) -> dict[str, Verdict]:
        """Judge some sessions of the past by their future, and the last one by its memory."""
        verdicts = {group.name: Verdict() for group in self.groups}
        found = [
            *(self._look_ahead(day) for day in sampled_sessions(sessions, SESSIONS, self.rng)),
            *(self._memory(some, sessions[-1]) for some in _alike(self.groups, by=_memory_of)),
        ]
        for some in found:
            for name, verdict in some.items():
                verdicts[name].add(verdict)
        return verdicts

    def _look_ahead(self, session: date) -> dict[str, Verdict]:
        """Judge all groups by other futures of a session."""
        symbols = self._symbols(session, most=SYMBOLS)
        bars = self._bars(symbols, session, look_back=longest_look_back(self.groups))
        return judge_look_ahead(partial(self._computed, self.groups), bars, session, self.rng)

    def _memory(self, groups: Sequence[FeatureGroup], session: date) -> dict[str, Verdict]:
        """Judge groups that look equally far back, on the newest session, against the store."""
        is_wide, *_, look_back = _memory_of(groups[0])
        # Where symbols are compared, all of them are.
        symbols = self._symbols(session, most=None if is_wide else SYMBOLS)
        stored = {group.name: self._stored(group, symbols, session) for group in groups}
        bars = self._bars(symbols, session, look_back=look_back)
        return judge_memory(
            partial(self._computed, groups, told=self._told(groups[0], symbols, session)),
            bars.filter(pl.col("session") <= session),
            {name: rows for name, rows in stored.items() if not rows.is_empty()},
            look_back=look_back,
        )

    def _told(
        self, group: FeatureGroup, symbols: Sequence[str], session: date
    ) -> dict[str, pl.DataFrame]:
        """Return what the lake holds by a session of the tables that a group reads beside bars."""
        told = {}
        if reads_market(group.inputs):
            told[MARKET_RETURNS.name] = self.lake.read(f"FROM {MARKET_RETURNS.name}")
        if reads_regimes(group.inputs):
            told[REGIME_STATES.name] = self.lake.read(
                f"FROM {REGIME_STATES.name} WHERE session <= $session "
                "AND list_contains($symbols, symbol)",
                {"session": session, "symbols": [MARKET, *symbols]},
            )
        return told

    def _stored(self, group: FeatureGroup, symbols: Sequence[str], session: date) -> pl.DataFrame:
        """Return what the lake holds of some symbols' session."""
        return self.lake.read(
            f"SELECT * FROM {group.name} WHERE session = $session "
            "AND symbol IN (SELECT unnest($symbols)) ORDER BY symbol",
            {"session": session, "symbols": list(symbols)},
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

    def _bars(self, symbols: Sequence[str], session: date, *, look_back: int) -> pl.DataFrame:
        """Return the bars of symbols around a session."""
        return self.lake.read(
            around_query(look_back), {"symbols": list(symbols), "session": session}
        )

    def _computed(
        self,
        groups: Sequence[FeatureGroup],
        bars: pl.DataFrame,
        *,
        told: Mapping[str, pl.DataFrame] | None = None,
    ) -> dict[str, pl.DataFrame]:
        """Compute groups as the lake does, those of a kind from one reading.

        Args:
            groups: Of any kind.
            bars: Rows of clean prices.
            told: What else the groups read; without it, the market's returns follow from the
                bars, and so do stand-ins for regimes.
        """
        given = {CLEAN_PRICES.name: bars, **(told or {})}
        derivations = [self.derivation_of(some) for some in _alike(groups, by=_kind_of)]
        read = {source.name for one in derivations for source in one.sources} - given.keys()
        if MARKET_RETURNS.name in read:
            derivations.insert(0, MARKET_RETURNS_DERIVATION)
        if REGIME_STATES.name in read:
            given[REGIME_STATES.name] = stand_in_states(bars)
        made = derived_apart(given, derivations)
        return {group.name: made[group.name] for group in groups}


def _kind_of(group: FeatureGroup) -> tuple[bool, bool, bool]:
    """Return whether a group compares symbols, and whether it reads the market and regimes."""
    return group.is_session_wide, reads_market(group.inputs), reads_regimes(group.inputs)


def _memory_of(group: FeatureGroup) -> tuple[bool, bool, bool, int]:
    """Return the kind of a group, and how many earlier rows it says it needs."""
    return (*_kind_of(group), group.look_back)


def _alike(
    groups: Sequence[FeatureGroup], *, by: Callable[[FeatureGroup], tuple[int, ...]]
) -> Iterator[list[FeatureGroup]]:
    """Yield the groups that are equal in something."""
    for _, some in groupby(sorted(groups, key=by), key=by):
        yield list(some)
