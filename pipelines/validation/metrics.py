"""How good published probabilities are, each figure with an interval bootstrapped by session.

Predictions are long, keyed by (symbol, session): probability, base_rate (the one known when the
model was trained), is_up, next_session_return; where there are any, block (the test block of a
row) and next_open_return (from the next open to the open after).
"""

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.validation.logistic import FloatArray, fit_line, logit
from pipelines.validation.long_short import (
    COST_BASIS_POINTS,
    SESSIONS_PER_YEAR,
    long_short_returns,
)
from pipelines.validation.session_bootstrap import (
    Estimate,
    SessionResamples,
    area_under_curve,
    estimate,
    resample_sessions,
)
from pipelines.validation.session_correlation import SessionCorrelation

BoolArray = NDArray[np.bool_]

RESAMPLES = 1000
CALIBRATION_BINS = 10
# Two symbols always correlate by ±1; three are the fewest that say something.
SYMBOLS_FOR_CORRELATION = 3
# Log loss and log-odds stay finite for a probability of exactly 0 or 1.
SMALLEST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class SignalMetrics:
    """The measured quality of a set of predictions; None where a figure is undefined.

    `brier_skill` is 1 − Brier / Brier of the base rate. `calibration_slope` and `_intercept` are
    the logistic line of outcomes on published log-odds: 1 and 0 are perfect. `ic` and `rank_ic`
    are means over sessions of the cross-sectional correlation of probability and return.
    `log_loss_gain` is the log loss of the base rate minus that of the probabilities, in nats.
    `information_z` is the calibration slope over its standard error under no information, clustered
    by session: a standard normal where probabilities know nothing. The long-short figures are those
    of `long_short_returns`: returns a year for a dollar of gross exposure, turnover a session.
    """

    rows: int
    sessions: int
    blocks: int
    auc: Estimate | None
    log_loss: Estimate | None
    brier: Estimate | None
    brier_skill: Estimate | None
    calibration_slope: Estimate | None
    calibration_intercept: Estimate | None
    expected_calibration_error: Estimate | None
    ic: Estimate | None
    rank_ic: Estimate | None
    log_loss_gain: Estimate | None
    information_z: float | None
    turnover: Estimate | None
    gross_return: Estimate | None
    net_return: Estimate | None

    def estimates(self) -> dict[str, Estimate]:
        """Return the defined figures by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Estimate)}

    def to_document(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Return the metrics that `to_document` wrote."""
        restored: dict[str, Any] = {
            name: Estimate(**value) if isinstance(value, dict) else value
            for name, value in document.items()
        }
        return cls(**restored)


TRADED = frozenset({"turnover", "gross_return", "net_return"})
FIGURES = frozenset(
    {field.name for field in fields(SignalMetrics)}
    - {"rows", "sessions", "blocks", "information_z"}
)
"""Figures with an interval; TRADED are those of the long-short."""


def measure_predictions(
    predictions: pl.DataFrame,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    cost_basis_points: float = COST_BASIS_POINTS,
    only: Collection[str] | None = None,
) -> SignalMetrics:
    """Return every metric of `predictions` (see the module for its columns).

    Args:
        predictions: the rows to measure.
        rng: draws the resamples.
        resamples: how many.
        cost_basis_points: what the long-short pays on each dollar traded.
        only: names of the figures to measure, for whoever has millions of rows; others are None.

    Raises:
        ValueError: there is no row to measure.
    """
    if predictions.is_empty():
        message = "there are no predictions to measure: the test blocks hold no labelled row"
        raise ValueError(message)
    rows = predictions.sort("session", "symbol")
    drawn = resample_sessions(rows["session"].to_numpy(), resamples=resamples, rng=rng)
    wanted = FIGURES if only is None else FIGURES & set(only)
    undefined: dict[str, Estimate | None] = dict.fromkeys(FIGURES)
    measured = {
        name: estimate(draws())
        for name, draws in _by_resample(rows, drawn).items()
        if name in wanted
    }
    if TRADED & wanted:
        traded = _long_short(
            rows, rng=rng, resamples=resamples, cost_basis_points=cost_basis_points
        )
        measured |= {name: traded[name] for name in TRADED & wanted}
    return SignalMetrics(
        rows=rows.height,
        sessions=rows["session"].n_unique(),
        blocks=rows["block"].n_unique() if "block" in rows.columns else 1,
        information_z=_information_of(rows) if only is None else None,
        **undefined | measured,
    )


def _by_resample(
    rows: pl.DataFrame, drawn: SessionResamples
) -> dict[str, Callable[[], FloatArray]]:
    """Return what measures each figure that asks for no portfolio, in each resample."""
    is_up = rows["is_up"].to_numpy()
    probability = rows["probability"].cast(pl.Float64).to_numpy()
    bounded = np.clip(probability, SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY)
    base_rate = rows["base_rate"].to_numpy()
    brier = cache(lambda: drawn.mean((probability - is_up) ** 2))
    line = cache(lambda: _calibration_line(bounded, is_up, drawn))
    return {
        "auc": lambda: area_under_curve(probability, is_up, drawn),
        "log_loss": lambda: drawn.mean(_log_loss(bounded, is_up)),
        "brier": brier,
        "brier_skill": lambda: 1.0 - _ratio(brier(), drawn.mean((base_rate - is_up) ** 2)),
        "calibration_slope": lambda: line()[1],
        "calibration_intercept": lambda: line()[0],
        "expected_calibration_error": lambda: _calibration_error(probability, is_up, drawn),
        "ic": lambda: _information_coefficient(rows, drawn, ranked=False),
        "rank_ic": lambda: _information_coefficient(rows, drawn, ranked=True),
        "log_loss_gain": lambda: drawn.mean(
            _log_loss(base_rate, is_up) - _log_loss(bounded, is_up)
        ),
    }


def _information_of(rows: pl.DataFrame) -> float | None:
    """Return `information_z` of rows."""
    probability = rows["probability"].cast(pl.Float64).to_numpy()
    return information_z(probability, rows["is_up"].to_numpy(), rows["session"].to_numpy())


def information_z(
    probability: FloatArray, is_up: BoolArray, session: NDArray[np.generic]
) -> float | None:
    """Return the score test of a calibration slope of zero, clustered by session.

    Each session adds the sum over its rows of (probability - mean) · (outcome - mean), the latter
    without what the session's outcomes have in common (see `session_correlation`); the test is
    their total over the root of their sum of squares. It asks whether probabilities know anything,
    not whether their scale is right. None where they are all the same.
    """
    surprise = is_up - is_up.mean()
    sessions = SessionCorrelation.of(session).measured(surprise)
    product = (probability - probability.mean()) * sessions.own_part(surprise)
    scores = np.bincount(sessions.session, weights=product)
    error = float(np.sqrt((scores**2).sum()))
    return float(scores.sum()) / error if error > 0 else None


def _long_short(
    rows: pl.DataFrame, *, rng: np.random.Generator, resamples: int, cost_basis_points: float
) -> dict[str, Estimate | None]:
    """Return turnover and yearly returns of the long-short, None without a known return."""
    names = ("turnover", "gross_return", "net_return")
    if "next_open_return" not in rows.columns:
        return dict.fromkeys(names)
    portfolio = long_short_returns(rows, cost_basis_points=cost_basis_points)
    if portfolio.is_empty():
        return dict.fromkeys(names)
    drawn = resample_sessions(portfolio["session"].to_numpy(), resamples=resamples, rng=rng)
    means = {name: drawn.mean(portfolio[name].to_numpy()) for name in names}
    return {
        name: estimate(mean if name == "turnover" else mean * SESSIONS_PER_YEAR)
        for name, mean in means.items()
    }


def _log_loss(probability: FloatArray, is_up: BoolArray) -> FloatArray:
    return np.asarray(-np.log(np.where(is_up, probability, 1.0 - probability)))


def _calibration_line(
    probability: FloatArray, is_up: BoolArray, drawn: SessionResamples
) -> tuple[FloatArray, FloatArray]:
    """Return intercept and slope in each resample, by one Newton step from the sample's line.

    The one-step bootstrap is first-order equivalent to refitting (Davidson & MacKinnon 1999)
    and needs no row in the resamples, only session sums.
    """
    line = fit_line(logit(probability), is_up)
    if line is None:
        undefined = np.full(len(drawn.counts), np.nan)
        return undefined, undefined
    gradient = drawn.totals(line.gradients)
    (level, cross), (_, spread) = drawn.totals(line.information).T.reshape(2, 2, -1)
    determinant = level * spread - cross**2
    determinant[determinant <= 0] = np.nan
    intercept = (
        line.parameters[0] + (spread * gradient[:, 0] - cross * gradient[:, 1]) / determinant
    )
    slope = line.parameters[1] + (level * gradient[:, 1] - cross * gradient[:, 0]) / determinant
    return intercept, slope


def _calibration_error(
    probability: FloatArray, is_up: BoolArray, drawn: SessionResamples
) -> FloatArray:
    """Return the expected calibration error over bins of equal count."""
    edges = np.quantile(probability, np.linspace(0, 1, CALIBRATION_BINS + 1)[1:-1])
    in_bin = np.searchsorted(edges, probability)[:, None] == np.arange(CALIBRATION_BINS)
    gaps = drawn.totals(in_bin * (probability - is_up)[:, None])
    return np.asarray(np.abs(gaps).sum(axis=1) / drawn.totals(np.ones(len(is_up)))[:, 0])


def _information_coefficient(
    rows: pl.DataFrame, drawn: SessionResamples, *, ranked: bool
) -> FloatArray:
    """Return the mean cross-sectional correlation of probability and return in each resample."""
    pair = [pl.col("probability"), pl.col("next_session_return")]
    first, second = [column.rank() if ranked else column for column in pair]
    usable = pl.len() >= SYMBOLS_FOR_CORRELATION
    for column in pair:
        usable &= column.max() > column.min()
    correlation = (
        rows.group_by("session")
        .agg(pl.when(usable).then(pl.corr(first, second)).alias("correlation"))
        .sort("session")["correlation"]
        .fill_nan(None)
    )
    sums = correlation.fill_null(0.0).to_numpy()
    totals = drawn.counts @ np.column_stack([sums, correlation.is_not_null().to_numpy()])
    return _ratio(totals[:, 0], totals[:, 1])


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    ratio = np.full_like(numerator, np.nan)
    np.divide(numerator, denominator, out=ratio, where=denominator > 0)
    return ratio
