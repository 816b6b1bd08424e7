"""The alert budget: Benjamini and Hochberg within a session, and no more alerts than asked for."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.anomalies.alert_budget import AlertBudget, with_alerts
from pipelines.anomalies.conformal import Calibration

TONIGHT, TOMORROW = date(2020, 1, 2), date(2020, 1, 3)
LEVEL = 0.1


def scores(p_values: list[float | None], session: date = TONIGHT) -> pl.DataFrame:
    """Return scored bars of a session, one symbol each."""
    return pl.DataFrame(
        {
            "symbol": [f"S{number:04d}" for number in range(len(p_values))],
            "session": session,
            "p_value": p_values,
            "reviewed_score": None,
            "tail_score": 0.5,
            "isolation_score": 0.5,
        },
        schema_overrides={"p_value": pl.Float64, "reviewed_score": pl.Float64},
    )


def alerts(rows: pl.DataFrame, budget: AlertBudget | None = None) -> list[str]:
    """Return the symbols that are alerts, in order."""
    chosen = with_alerts(rows, budget or AlertBudget(LEVEL, 1000)).filter("is_alert")
    return sorted(chosen["symbol"])


def textbook(p_values: list[float], level: float) -> int:
    """Return how many discoveries the step-up procedure makes, by its definition."""
    ordered = sorted(p_values)
    places = [k for k, p in enumerate(ordered, start=1) if p * len(ordered) <= level * k]
    return max(places, default=0)


@given(
    st.lists(st.integers(1, 400).map(lambda part: part / 400), min_size=1, max_size=40),
    st.sampled_from([0.05, 0.1, 0.3]),
)
def test_alerts_are_those_of_the_textbook(p_values: list[float], level: float) -> None:
    """Another procedure would promise what it does not keep."""
    found = alerts(scores(p_values), AlertBudget(level, 1000))
    assert len(found) == textbook(p_values, level)


def test_sessions_have_budgets_of_their_own() -> None:
    """A wild night would make the nights beside it more or less strict."""
    quiet, wild = scores([0.5, 0.004, 0.9]), scores([0.02, 0.02, 0.02], TOMORROW)
    both = pl.concat([wild, quiet])
    apart = [with_alerts(rows, AlertBudget(LEVEL, 9)) for rows in (quiet, wild)]
    together = with_alerts(both, AlertBudget(LEVEL, 9))
    assert together.sort("session", "symbol").equals(pl.concat(apart).sort("session", "symbol"))


def test_no_more_alerts_than_asked_for_and_the_most_unusual_first() -> None:
    """A bad day of the vendor would bury a person in alerts."""
    rows = scores([0.001] * 6).with_columns(tail_score=pl.int_range(6) / 6)
    assert alerts(rows, AlertBudget(LEVEL, 2)) == ["S0004", "S0005"]
    assert alerts(rows, AlertBudget(LEVEL, 0)) == []


def test_what_verdicts_say_is_likely_wrong_comes_first() -> None:
    """The budget would go to what people have called right before."""
    rows = scores([0.001] * 3).with_columns(
        reviewed_score=pl.Series([0.1, 0.2, 0.9]), tail_score=pl.Series([0.9, 0.5, 0.1])
    )
    assert alerts(rows, AlertBudget(LEVEL, 1)) == ["S0002"]


def test_bars_without_a_p_value_neither_alert_nor_count() -> None:
    """Symbols too young to be judged would make the night stricter for the others."""
    assert alerts(scores([0.06, None, 0.5, None, None])) == []
    assert alerts(scores([0.03, None, None, None, 0.9]), AlertBudget(0.07, 9)) == ["S0000"]
    assert alerts(scores([None, None])) == []


@pytest.mark.parametrize("budget", [(0.0, 5), (1.0, 5), (0.1, -1)])
def test_a_budget_that_is_none_is_refused(budget: tuple[float, int]) -> None:
    """A level of one would make every bar an alert."""
    with pytest.raises(ValueError, match="an alert budget needs"):
        AlertBudget(*budget)


def test_where_no_bar_is_unusual_alerts_come_as_rarely_as_promised() -> None:
    """On null bars every alert is false: a night with one must be as rare as the level.

    Each night has a calibration of its own, so that nights are independent.
    """
    rng = np.random.default_rng(4)
    nights, bars, calibrating = 400, 100, 2000
    with_alert = 0
    for _ in range(nights):
        draws = rng.standard_normal(calibrating + bars).astype(np.float32)
        p_values = Calibration.of(draws[bars:]).p_values(draws[:bars])
        with_alert += textbook(p_values.tolist(), LEVEL) > 0
    assert with_alert / nights <= LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / nights)


def test_among_true_faults_the_share_of_false_alerts_stays_at_the_level() -> None:
    """The level is a promise about what a person looks at."""
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(300):
        draws = rng.standard_normal(2100).astype(np.float32)
        faults = (5 + rng.standard_normal(6)).astype(np.float32)
        p_values = Calibration.of(draws[100:]).p_values(np.concatenate([draws[:100], faults]))
        found = alerts(scores(p_values.tolist()))
        false = sum(int(symbol[1:]) < 100 for symbol in found)
        shares.append(false / max(1, len(found)))
    error = np.std(shares) / np.sqrt(len(shares))
    assert np.mean(shares) <= LEVEL + 3 * error
