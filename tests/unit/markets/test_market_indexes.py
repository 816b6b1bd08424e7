"""Indexes of the sample and of the simulated market."""

from datetime import date

import polars as pl
import pytest

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.indexes import INDEX_SCHEMA
from pipelines.markets.sample import load_sample_market
from pipelines.markets.sample_indexes import load_sample_indexes
from pipelines.markets.simulated import simulate_market
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.prices.indexes import index_faults

KEY = ["symbol", "session"]


def test_the_sample_has_the_recorded_indexes_of_every_session_and_no_other() -> None:
    """The Nasdaq of the recording is the Composite: as NDX it would be another index."""
    indexes = load_sample_indexes()
    days = ExchangeCalendar.of("XNYS").sessions(date(1999, 1, 4), date(2013, 3, 1))
    for symbol in ("SPX", "COMP"):
        assert indexes.filter(symbol=symbol)["session"].to_list() == days
    assert indexes.height == 2 * len(days)
    last = indexes.filter(symbol="SPX").row(-1, named=True)
    assert last["close"] == 1518.2, "the S&P 500's close of 2013-03-01"
    assert index_faults(indexes, days[-1]) == []


def test_a_market_shows_its_indexes_up_to_a_day() -> None:
    """The vendor's today is the night's: a later level would be looked ahead to."""
    market = load_sample_market()
    assert market.index_symbols == ("COMP", "SPX")
    assert market.indexes_seen_on(date(2004, 9, 1))["session"].max() == date(2004, 9, 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_longer_simulation_begins_with_the_shorter_ones_indexes(seed: int) -> None:
    """Nothing at a session may depend on a later draw: the VIX would see the future."""
    short, longer = (
        simulate_market(SimulationSettings(symbols=2, sessions=sessions, seed=seed))[0].indexes
        for sessions in (90, 140)
    )
    assert short.schema == INDEX_SCHEMA
    assert short.equals(longer.join(short, on=KEY, how="semi", maintain_order="left"))


def test_simulated_indexes_follow_the_shared_path_and_could_be_a_vendors() -> None:
    """Regimes are judged on them: the market index must move as the market does."""
    market, truth = simulate_market(SimulationSettings(symbols=60, sessions=900, seed=4))
    indexes = market.indexes
    assert index_faults(indexes, market.last_session) == []
    assert indexes.filter(pl.min_horizontal("open", "high", "low", "close") <= 0).is_empty()
    inside = pl.col("high") >= pl.max_horizontal("open", "close")
    assert indexes.select(
        (inside & (pl.col("low") <= pl.min_horizontal("open", "close"))).all()
    ).item()
    spx = indexes.filter(symbol="SPX").with_columns(move=pl.col("close").pct_change())
    symbols = market.bars.with_columns(
        move=pl.col("close").pct_change().over("symbol", order_by="session")
    )
    mean = symbols.group_by("session").agg(pl.col("move").median().alias("median"))
    together = spx.join(mean, on="session").join(truth.regimes, on="session").drop_nulls()
    assert together.select(pl.corr("move", "median")).item() > 0.9
    vix = indexes.filter(symbol="VIX").join(truth.regimes, on="session")
    by_regime = vix.group_by("regime").agg(pl.col("close").mean())
    levels = dict(by_regime.iter_rows())
    assert levels["bearish"] > levels["bullish"]
