"""What baselines and groups read of prices: the textbook's values, and nothing of the future."""

import numpy as np
import polars as pl
import pytest

from pipelines.evaluation.contenders import context
from tests.support.clean_bars import simulated_clean_prices
from tests.support.mutation import assert_past_unmoved

BARS = simulated_clean_prices(np.random.default_rng(3), symbols=3, sessions=300).with_columns(
    sector=pl.lit("ENERGY")
)


def of(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the context of bars that may come in any order."""
    return context(bars.sort("symbol", "session"))


def test_the_values_are_the_textbooks() -> None:
    """A baseline of other look-backs would be none that anyone knows."""
    symbol = BARS["symbol"].unique().sort()[0]
    bars = BARS.filter(symbol=symbol).sort("session")
    row = of(BARS).filter(symbol=symbol).sort("session").row(-1, named=True)
    value = bars["total_return_index"].to_numpy()
    dollars = (bars["close"] * bars["volume"]).to_numpy()
    moved = np.abs(value[1:] / value[:-1] - 1)
    assert row["momentum"] == pytest.approx(value[-22] / value[-253] - 1)
    assert row["past_week"] == pytest.approx(value[-1] / value[-6] - 1)
    assert row["dollar_volume"] == pytest.approx(dollars[-63:].mean())
    assert row["illiquidity"] == pytest.approx((moved[-63:] / dollars[-63:]).mean())
    assert row["sector"] == "ENERGY"


def test_nothing_after_a_session_moves_its_row() -> None:
    """A baseline that sees tomorrow would make every model look poor."""
    day = BARS["session"].unique().sort()[270]
    assert_past_unmoved(of, BARS, day, np.random.default_rng(1))
