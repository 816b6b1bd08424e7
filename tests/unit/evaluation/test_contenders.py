"""The baselines: rules that anyone could follow, on the same rows as the model."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from pipelines.evaluation.contenders import Contender, opinions
from pipelines.evaluation.measures import compare
from pipelines.validation.long_short import SESSIONS_PER_YEAR
from pipelines.validation.session_bootstrap import resample_sessions
from tests.support.panels import weekdays

DAYS = weekdays(40)


def rows_of(symbols: int = 4, *, daily: float = 0.001) -> pl.DataFrame:
    """Return replayed rows in which every second symbol rises by so much each session."""
    rows = [
        {
            "symbol": f"S{number}",
            "session": day,
            "probability": 0.6 if number % 2 else 0.4,
            "base_rate": 0.5,
            "recommendation": "strong_buy" if number % 2 else "sell",
            "momentum": 0.1 if number % 2 else -0.1,
            "past_week": 0.1 if number % 2 else -0.1,
            "is_up": bool(number % 2),
            "next_open_return": daily if number % 2 else -daily,
        }
        for day in DAYS
        for number in range(symbols)
    ]
    return pl.DataFrame(rows)


def figures(rows: pl.DataFrame, *, cost: float) -> dict[str, dict[Contender, float]]:
    """Return the value of every figure of every contender."""
    drawn = resample_sessions(
        rows["session"].to_numpy(), resamples=50, rng=np.random.default_rng(1)
    )
    return {
        one.metric: {who: value.value for who, value in one.values.items()}
        for one in compare(rows, opinions(rows), drawn, cost_basis_points=cost)
    }


def test_contenders_earn_what_their_rule_says() -> None:
    """A baseline that is weaker than its rule would make any model look good."""
    earned = figures(rows_of(), cost=0.0)["net_return"]
    year = 0.001 * SESSIONS_PER_YEAR
    assert earned[Contender.MODEL] == pytest.approx(year)
    assert earned[Contender.MOMENTUM] == pytest.approx(year)
    assert earned[Contender.MEAN_REVERSION] == pytest.approx(-year)
    assert earned[Contender.BUY_AND_HOLD] == pytest.approx(0.0, abs=1e-12)
    right = figures(rows_of(), cost=0.0)["accuracy"]
    assert right[Contender.MOMENTUM] == 1.0
    assert right[Contender.BUY_AND_HOLD] == 0.5
    assert right[Contender.COIN] == pytest.approx(0.5, abs=0.12)
    found = figures(rows_of(), cost=0.0)
    held = Contender.BUY_AND_HOLD
    assert (found["precision"][held], found["recall"][held]) == (0.5, 1.0)
    assert found["f1"][held] == pytest.approx(2 / 3)


def test_holding_pays_once_and_tossing_pays_daily() -> None:
    """Costs are what a coin loses by; who holds pays for the entry alone."""
    cost = 10.0
    free, paid = (figures(rows_of(), cost=one)["net_return"] for one in (0.0, cost))
    entry = cost / 10_000 / len(DAYS) * SESSIONS_PER_YEAR
    held = Contender.BUY_AND_HOLD
    assert free[held] - paid[held] == pytest.approx(entry)
    assert free[Contender.COIN] - paid[Contender.COIN] > 20 * entry


def test_a_hold_is_no_position() -> None:
    """A model without an opinion must neither earn nor pay."""
    rows = rows_of().with_columns(recommendation=pl.lit("hold"))
    assert figures(rows, cost=10.0)["net_return"][Contender.MODEL] == 0.0


def test_a_toss_depends_on_its_symbol_and_session_alone() -> None:
    """Tossed in turn, a row more in an earlier session would change all later ones."""
    rows = rows_of()
    some = rows.filter(pl.col("session") > date(2015, 1, 20), pl.col("symbol") != "S1")
    everywhere = dict(
        zip(rows["symbol", "session"].rows(), opinions(rows)[Contender.COIN].score, strict=True)
    )
    alone = zip(some["symbol", "session"].rows(), opinions(some)[Contender.COIN].score, strict=True)
    assert all(everywhere[key] == score for key, score in alone)


def test_a_difference_is_measured_on_the_same_sessions() -> None:
    """Two contenders that always agree differ by nothing, however wide their own intervals are."""
    rows = rows_of()
    noise = np.random.default_rng(3).normal(0, 0.02, rows.height)
    noisy = rows.with_columns(next_open_return=pl.col("next_open_return") + noise)
    drawn = resample_sessions(
        noisy["session"].to_numpy(), resamples=50, rng=np.random.default_rng(1)
    )
    compared = compare(noisy, opinions(noisy), drawn, cost_basis_points=5.0)
    (earned,) = [one for one in compared if one.metric == "net_return"]
    model, same = earned.values[Contender.MODEL], earned.differences[Contender.MOMENTUM]
    assert model.upper - model.lower > 0.1
    assert (same.lower, same.upper) == (0.0, 0.0)
