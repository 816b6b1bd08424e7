"""Prophet is asked of suspects alone, and its residual sees nothing after the bar."""

import logging
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from pipelines.anomalies.prophet_residual import (
    FEWEST_BARS,
    OUT_OF_SAMPLE,
    SUSPICIOUS_P_VALUE,
    residual_score,
    suspects,
)

DAYS = [date(2020, 1, 1) + timedelta(days=day) for day in range(FEWEST_BARS + OUT_OF_SAMPLE + 1)]
LEVELS = np.cumsum(np.random.default_rng(3).standard_normal(len(DAYS)) * 0.01)


def test_a_fault_stands_out_and_gives_the_same_figure_twice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A replayed night would have another score; and every fit would tell the log of its chains."""
    fault = LEVELS.copy()
    fault[-1] -= np.log(1.5)
    with caplog.at_level(logging.INFO):
        scores = [residual_score(DAYS, levels) for levels in (LEVELS, fault, fault)]
    usual, first, second = scores
    assert usual is not None
    assert first is not None
    assert first == second
    assert first < usual - 5
    assert "Chain" not in caplog.text


def test_a_short_past_or_a_price_that_is_none_gives_no_score() -> None:
    """A forecast from a few bars would call anything a fault."""
    assert residual_score(DAYS[1:], LEVELS[1:]) is None
    assert residual_score(DAYS, np.append(LEVELS[:-1], np.nan)) is None


def test_only_suspects_are_forecast_the_most_suspect_first() -> None:
    """At 10,000 symbols a forecast of each would take the night."""
    tonight = date(2020, 1, 2)
    p_values = [0.5, SUSPICIOUS_P_VALUE, 0.8, None, SUSPICIOUS_P_VALUE / 2, None, 0.01]
    rows = pl.DataFrame(
        {"symbol": list("ABCDEFG"), "session": tonight, "p_value": p_values},
        schema_overrides={"p_value": pl.Float64},
    ).with_columns(is_alert=pl.col("symbol") == "G")
    ruled = pl.DataFrame({"symbol": ["C", "D"], "session": [tonight, tonight]})
    assert suspects(rows, ruled)["symbol"].to_list() == ["E", "B", "G", "C", "D"]
    assert suspects(rows, ruled.clear())["symbol"].to_list() == ["E", "B", "G"]
