"""The long-short earns what its weights say, after what its trades cost."""

from datetime import date

import polars as pl
import pytest

from pipelines.validation.long_short import LONG_SHORT_SCHEMA, long_short_returns

FIRST, SECOND, THIRD = date(2020, 1, 2), date(2020, 1, 3), date(2020, 1, 6)


def _predictions() -> pl.DataFrame:
    """Return two symbols over three sessions: an opinion, its opposite, and none."""
    return pl.DataFrame(
        {
            "symbol": ["A", "B"] * 3,
            "session": [FIRST] * 2 + [SECOND] * 2 + [THIRD] * 2,
            "probability": [0.56, 0.50, 0.48, 0.54, 0.5, 0.5],
            "next_open_return": [0.02, -0.01, 0.02, -0.01, 0.5, 0.1],
        }
    )


def test_returns_turnover_and_costs_are_those_of_the_weights() -> None:
    """Worked by hand: half long, half short; then turned round; then closed."""
    portfolio = long_short_returns(_predictions(), cost_basis_points=10)
    assert portfolio.schema == LONG_SHORT_SCHEMA
    assert portfolio["gross_return"].to_list() == pytest.approx([0.015, -0.015, 0.0])
    assert portfolio["turnover"].to_list() == pytest.approx([1.0, 2.0, 1.0])
    assert portfolio["net_return"].to_list() == pytest.approx([0.014, -0.017, -0.001])
    assert portfolio["positions"].to_list() == [2, 2, 0]


def test_a_return_that_is_not_known_is_not_held() -> None:
    """A null that counts as zero would flatter every trade that could not be closed."""
    rows = _predictions().with_columns(
        pl.when(pl.col("symbol") != "A").then("next_open_return").alias("next_open_return")
    )
    assert long_short_returns(rows, cost_basis_points=10)["positions"].to_list() == [0, 0, 0]
    nothing = rows.with_columns(pl.lit(None, pl.Float64).alias("next_open_return"))
    assert long_short_returns(nothing, cost_basis_points=10).is_empty()


def test_a_market_that_moves_as_a_whole_earns_nothing() -> None:
    """Else a rising market would pass for skill."""
    rows = _predictions().with_columns(next_open_return=pl.lit(0.03))
    gross = long_short_returns(rows, cost_basis_points=0)["gross_return"]
    assert gross.to_list() == pytest.approx([0.0, 0.0, 0.0])
