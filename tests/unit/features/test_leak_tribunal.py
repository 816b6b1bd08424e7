"""The leak tribunal: every feature of every group is tried, and planted leaks are found guilty."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from pipelines.derivations import Derivation
from pipelines.features.catalogue import GROUPS
from pipelines.features.derivation import feature_derivation
from pipelines.features.groups import FeatureGroup
from pipelines.features.market_returns import MARKET_RETURNS_DERIVATION
from pipelines.features.regime_stand_ins import stand_in_states
from pipelines.features.technical import TECHNICAL
from pipelines.features.tribunal import (
    Compute,
    Verdict,
    judge_look_ahead,
    judge_memory,
    sampled_sessions,
)
from pipelines.regimes.tables import REGIME_STATES
from pipelines.tables import CLEAN_PRICES, MARKET_RETURNS
from resources.derived_apart import derived_apart
from tests.support.clean_bars import simulated_clean_prices
from tests.support.feature_queries import market_of

BARS = simulated_clean_prices(
    np.random.default_rng(5), symbols=4, sessions=470, missing_share=0.03
).with_columns(known_at=pl.col("session").cast(pl.Datetime("us", "UTC")))
DAYS = BARS["session"].unique().sort().to_list()
CUTS = [DAYS[place] for place in (0, 60, 300, 440)]
"""The first session too: what is filled backwards shows at the beginning of a series alone."""


def computing(derivation: Derivation, *, market: pl.DataFrame | None = None) -> Compute:
    """Return the computation of a derivation on rows of clean prices, and of the market's."""

    def compute(bars: pl.DataFrame) -> dict[str, pl.DataFrame]:
        rows, derivations = {CLEAN_PRICES.name: bars}, [derivation]
        if market is not None:
            rows[MARKET_RETURNS.name] = market
        elif MARKET_RETURNS in derivation.sources:
            derivations.insert(0, MARKET_RETURNS_DERIVATION)
        if REGIME_STATES in derivation.sources:
            rows[REGIME_STATES.name] = stand_in_states(bars)
        return derived_apart(rows, derivations)

    return compute


def tried(derivation: Derivation, *, look_back: int, cuts: list[date] = CUTS) -> Verdict:
    """Return the verdict on a derivation, on both charges."""
    compute, verdict, name = computing(derivation), Verdict(), derivation.table.name
    rng = np.random.default_rng(7)
    for session in cuts:
        verdict.add(judge_look_ahead(compute, BARS, session, rng)[name])
    stored = compute(BARS)[name]
    if MARKET_RETURNS in derivation.sources:
        compute = computing(derivation, market=market_of(BARS))
    for session in cuts:
        of_session = stored.filter(pl.col("session") == session)
        past = BARS.filter(pl.col("session") <= session)
        verdict.add(judge_memory(compute, past, {name: of_session}, look_back=look_back)[name])
    return verdict


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_no_feature_of_the_catalogue_leaks(group: FeatureGroup) -> None:
    """A model that learned from tomorrow is worthless from tomorrow on."""
    verdict = tried(feature_derivation(group), look_back=group.look_back)
    assert verdict.faults == []
    assert verdict.values > 500 * len(group.features)


def with_leak(leak: Callable[[pl.Expr], pl.Expr]) -> Derivation:
    """Return the technical features with return_1 made by a leak from the honest one."""
    honest = feature_derivation(TECHNICAL)

    def leaking(rows: pl.DataFrame) -> pl.DataFrame:
        assert honest.transform
        made = honest.transform(rows).sort("symbol", "session")
        return made.with_columns(leak(pl.col("return_1")).cast(pl.Float32).alias("return_1"))

    return replace(honest, transform=leaking, revision="leaks")


LEAKS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "tomorrow's value": lambda x: x.shift(-1).over("symbol"),
    "a centred window": lambda x: (x + x.shift(-1) + x.shift(1)).over("symbol"),
    "scaled by the whole history": lambda x: (x - x.mean()) / x.std(),
    "the rank in the whole history": lambda x: x.rank().over("symbol"),
    "another symbol's tomorrow": lambda x: x.mean().over("session").shift(-3),
    "gaps filled backwards": lambda x: x.fill_null(strategy="backward").over("symbol"),
    "whether it will be delisted": lambda x: x.len().over("symbol"),
}


@pytest.mark.parametrize("kind", LEAKS)
def test_a_planted_leak_is_found(kind: str) -> None:
    """A tribunal that finds no one guilty proves nothing. The other features stay innocent."""
    verdict = tried(with_leak(LEAKS[kind]), look_back=TECHNICAL.look_back)
    assert set(verdict.leaks) == {"return_1"}
    assert any("return_1 looks ahead" in fault for fault in verdict.faults)


@pytest.mark.parametrize(
    "memory",
    [lambda x: x.cum_sum().over("symbol"), lambda x: x.ewm_mean(span=200).over("symbol")],
    ids=["a running sum", "an endless exponential mean"],
)
def test_a_hidden_memory_is_found(memory: Callable[[pl.Expr], pl.Expr]) -> None:
    """An incremental night would give other values than a rebuild; no future moves these."""
    verdict = tried(with_leak(memory), look_back=TECHNICAL.look_back)
    assert verdict.leaks == {}
    assert set(verdict.differing) == {"return_1"}


def test_a_look_back_that_is_told_too_short_is_found() -> None:
    """The store would hold null or another value after each incremental night."""
    verdict = tried(feature_derivation(TECHNICAL), look_back=TECHNICAL.look_back - 1)
    assert verdict.differing
    assert verdict.leaks == {}


def test_no_evidence_is_no_acquittal() -> None:
    """Nothing compared, nothing proved."""
    assert not Verdict().is_innocent


def test_the_last_session_is_never_drawn() -> None:
    """It has no future to change; two sessions are the least that can be tried."""
    rng = np.random.default_rng(1)
    drawn = {day for _ in range(50) for day in sampled_sessions(DAYS[:4], 2, rng)}
    assert drawn == set(DAYS[:3])
    assert sampled_sessions(DAYS[:1], 2, rng) == []
