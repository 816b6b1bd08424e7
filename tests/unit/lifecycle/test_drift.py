"""Drift is named where a feature has changed, and not where months merely differ."""

import numpy as np
import polars as pl
import pytest

from pipelines.lifecycle.drift import Drift, Severity, discoveries, measure_drift, weighted_index
from pipelines.lifecycle.reference import (
    LABEL,
    PREDICTION,
    features_of,
    kolmogorov_smirnov,
    model_reference,
    population_stability_index,
    spread_row,
    watched_values,
)
from pipelines.validation.logistic import FloatArray
from tests.support.panels import FEATURES
from tests.support.trained_signals import small_panel, small_training


@pytest.fixture(scope="module")
def reference() -> pl.DataFrame:
    """What the small model learned from."""
    return model_reference(small_panel(), small_training().final)


def last_month() -> dict[str, FloatArray]:
    """Return what is watched in the last month of the small panel."""
    days = small_panel()["session"].unique().sort().tail(21)
    rows = small_panel().filter(pl.col("session").is_in(days.implode()))
    return dict(watched_values(rows, small_training().final))


def drifts(reference: pl.DataFrame, **changed: FloatArray) -> dict[str, Drift]:
    """Return the drift of each quantity, with some values in place of the month's own."""
    return {one.metric: one for one in measure_drift(reference, {**last_month(), **changed})}


def test_a_reference_knows_what_each_feature_is_worth(reference: pl.DataFrame) -> None:
    """Importance sums to one, and the planted part is found by it."""
    assert set(reference["feature"]) == {*FEATURES, PREDICTION, LABEL}
    assert features_of(reference) == list(FEATURES)
    of_features = reference.filter(pl.col("feature").is_in(FEATURES))
    assert of_features["importance"].sum() == pytest.approx(1.0)
    heaviest = of_features.sort("importance", descending=True)["feature"][0]
    assert heaviest == "trend"


def test_an_ordinary_month_is_no_drift(reference: pl.DataFrame) -> None:
    """A night that calls every month a drift would be switched off."""
    found = drifts(reference)
    assert set(found) == set(reference["feature"])
    assert [one for one in found.values() if one.is_significant] == []
    assert {one.severity for one in found.values()} == {Severity.LOW}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda values: values * 100, "changed unit"),
        (lambda values: np.full_like(values, values[0]), "frozen source"),
        (lambda values: np.full_like(values, np.nan), "changed unit"),
        (lambda values: values + 1.0, "retrain"),
    ],
    ids=["other unit", "frozen", "missing", "shifted"],
)
def test_a_changed_feature_is_named_and_no_other(
    reference: pl.DataFrame, change: object, words: str
) -> None:
    """A unit that changed or a source that froze must not wait for the figures to fall."""
    assert callable(change)
    found = drifts(reference, surprise=change(last_month()["surprise"]))
    assert {name for name, one in found.items() if one.is_significant} == {"surprise"}
    assert found["surprise"].severity in (Severity.HIGH, Severity.CRITICAL)
    assert words in found["surprise"].remedy
    assert "surprise of the last 21 sessions" in found["surprise"].message
    assert weighted_index(list(found.values())) > weighted_index(list(drifts(reference).values()))


def test_markets_with_weather_are_not_called_drifting() -> None:
    """Values that move together for weeks differ from month to month; that is no drift.

    A test that takes rows as independent calls nearly all of these months drifts.
    """
    calls = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        weather = np.repeat(rng.standard_normal(62), 10)
        values = weather[:, None] + rng.standard_normal((620, 8))
        past, now = values[:-21].ravel(), values[-21:].ravel()
        calls += any(one.is_significant for one in measure_drift(_row(past, 8), {"x": now}))
    assert calls <= 1


def _row(values: FloatArray, symbols: int) -> pl.DataFrame:
    """Return the reference of one quantity."""
    month = np.arange(len(values)) // (symbols * 21)
    return pl.DataFrame([{"feature": "x", "importance": 1.0, **spread_row(values, month)}])


def test_false_discoveries_are_bounded_as_benjamini_and_hochberg_say() -> None:
    """Their own example (1995, section 3.2): of 15 p-values at 5 %, the first four."""
    p_values = [
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
        *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
    ]
    assert discoveries(p_values, level=0.05) == [True] * 4 + [False] * 11
    assert discoveries([]) == []


def test_distances_are_those_of_their_formulas() -> None:
    """Two bins, counted by hand."""
    first, second = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    assert kolmogorov_smirnov(first, second) == pytest.approx(0.25)
    by_hand = -0.25 * np.log(0.5) + 0.25 * np.log(1.5)
    assert population_stability_index(first, second) == pytest.approx(by_hand)
