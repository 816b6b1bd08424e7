"""The simulated market: any number of symbols and sessions, with the truth beside the data.

A chunk is some symbols over all sessions, and a symbol is the same in whatever chunk it comes.
Known prices are as traded, in cents; the vendor on loopback serves them like any recording.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.simulation.bars import bar_frames
from pipelines.markets.simulation.indexes import index_frame
from pipelines.markets.simulation.market_path import draw_market_path
from pipelines.markets.simulation.paths import walk
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.markets.simulation.symbols import (
    draw_symbols,
    index_seed,
    market_seed,
    symbol_frame,
)
from pipelines.markets.simulation.truth import MarketTruth, regime_frame

SYMBOLS_AT_ONCE = 200


@dataclass(frozen=True, eq=False)
class SimulatedChunk:
    """Some symbols over all sessions.

    Attributes:
        bars: BAR_SCHEMA, by symbol and session.
        chances: symbol, session, and the true `probability` that the session after ends higher.
        symbols: symbol, beta, volatility, listed, delisted.
    """

    bars: pl.DataFrame
    chances: pl.DataFrame
    symbols: pl.DataFrame


def simulate_chunks(
    settings: SimulationSettings, *, symbols_at_once: int = SYMBOLS_AT_ONCE
) -> Iterator[SimulatedChunk]:
    """Make the market some symbols at a time, in alphabetical order; one chunk is held at once."""
    market = draw_market_path(settings.sessions, seed=market_seed(settings.seed))
    for first in range(0, settings.symbols, symbols_at_once):
        ordinals = range(first, min(first + symbols_at_once, settings.symbols))
        traits, chances = draw_symbols(settings, ordinals)
        paths = walk(traits, chances, market, strength=settings.strength)
        bars, rises = bar_frames(traits, chances, paths, settings)
        yield SimulatedChunk(bars, rises, symbol_frame(traits, settings))


def simulate_market(settings: SimulationSettings) -> tuple[RecordedMarket, MarketTruth]:
    """Make a market that fits into memory, and its truth."""
    chunks = list(simulate_chunks(settings))
    path = draw_market_path(settings.sessions, seed=market_seed(settings.seed))
    truth = MarketTruth(
        settings=settings,
        regimes=regime_frame(path, settings),
        symbols=pl.concat(chunk.symbols for chunk in chunks),
        chances=pl.concat(chunk.chances for chunk in chunks),
    )
    bars = pl.concat(chunk.bars for chunk in chunks)
    indexes = index_frame(path, settings, seed=index_seed(settings.seed))
    return RecordedMarket("simulated", settings.exchange, bars, indexes), truth
