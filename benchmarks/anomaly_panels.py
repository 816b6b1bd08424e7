"""Panels of clean bars to put faults into: simulated ones, and the clean parts of recordings."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from pipelines.anomalies.fault_injection.injection import sliced
from pipelines.markets import samsung, sp500_year
from pipelines.markets.sample import load_sample_market
from pipelines.markets.simulated import simulate_market
from pipelines.markets.simulation.settings import SimulationSettings

SAMPLE_ROWS, SAMSUNG_ROWS = 250, 150
"""Long histories are cut into symbols of so many bars: one fault each, and many in all."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Clean bars of one market, and the seed that its faults are drawn with."""

    name: str
    exchange: str
    bars: pl.DataFrame
    seed: int


@dataclass(frozen=True)
class Sizes:
    """How much is asked for; `seeds` counts panels of each market."""

    simulated_seeds: int
    recorded_seeds: int
    first_seed: int
    symbols: int
    sessions: int


def panels(sizes: Sizes) -> Iterator[Panel]:
    """Make the panels, one after the other."""
    for seed in range(sizes.first_seed, sizes.first_seed + sizes.simulated_seeds):
        yield simulated_panel(seed, symbols=sizes.symbols, sessions=sizes.sessions)
    for seed in range(sizes.first_seed, sizes.first_seed + sizes.recorded_seeds):
        yield from recorded_panels(seed)


def simulated_panel(seed: int, *, symbols: int, sessions: int) -> Panel:
    """Make a simulated market of a seed, splits, dividends, listings and delistings included."""
    market, _ = simulate_market(SimulationSettings(symbols, sessions, seed=seed))
    return Panel("simulated", market.exchange, market.bars, seed)


def recorded_panels(seed: int) -> tuple[Panel, ...]:
    """Return the clean parts of the recorded markets, cut into pieces where they are long."""
    sample, year, seoul = load_sample_market(), sp500_year.load_sp500_year(), samsung.load_samsung()
    return (
        Panel("sample", sample.exchange, sliced(sample.bars, rows=SAMPLE_ROWS), seed),
        Panel("sp500_year", year.exchange, sp500_year.clean_part(year), seed),
        Panel(
            "samsung", seoul.exchange, sliced(samsung.clean_part(seoul), rows=SAMSUNG_ROWS), seed
        ),
    )
