"""Tonight's signals: a probability, how sure it is, what made it, or the reason for having none.

One row for every symbol of the universe. A symbol without a trustworthy opinion abstains: `hold`,
the base rate, confidence 0, no contributions, and a reason; the booster's own opinion, where it
has one, stays in `raw_probability`.
"""

import json
import math
from collections.abc import Collection, Sequence
from datetime import date
from enum import StrEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.signals.model import TrainedSignal, finite_features
from pipelines.validation.logistic import FloatArray, logit

# Distance of the probability from the base rate. Two points pay for a liquid share's costs at a
# daily move of about 1 %; five are rarely reached by an honest daily model.
BUY_MARGIN = 0.02
STRONG_MARGIN = 0.05
# The rate of up sessions to publish when no model has measured one.
UNKNOWN_BASE_RATE = 0.5

SCORE_SCHEMA = pl.Schema(
    {
        "symbol": pl.String(),
        "raw_probability": pl.Float64(),
        "probability": pl.Float64(),
        "base_rate": pl.Float64(),
        "confidence": pl.Float64(),
        "recommendation": pl.String(),
        "abstain_reason": pl.String(),
        "contributions": pl.String(),
        "baseline_log_odds": pl.Float64(),
    }
)

OPINION_SCHEMA = {
    name: SCORE_SCHEMA[name]
    for name in (
        "symbol",
        "raw_probability",
        "probability",
        "confidence",
        "contributions",
        "baseline_log_odds",
    )
}


_Explanation = tuple[list[dict[str, str | float | None]], float]


class Recommendation(StrEnum):
    """What the backend shows."""

    STRONG_BUY = "strong_buy"
    BUY = "buy"
    HOLD = "hold"
    SELL = "sell"
    STRONG_SELL = "strong_sell"


class AbstainReason(StrEnum):
    """Why a symbol has no opinion, the first that applies.

    What is wrong with the symbol's data comes first, since a person can see to it; then what is
    wrong with the model. quarantined: the session's bar is withheld, so there are no features.
    stale: there is no bar, nor features, for the session. interrupted: a hole of over a month lies
    so near that features do not mean what they say. no_model: nothing was trained before it.
    short_history: a feature is null that every row had which the model learned from, or may be null
    but the model has not shown that it knows such rows; so is the only symbol of a session, where
    the model learned from comparing several. out_of_range: a feature lies beyond all that the model
    was trained on. no_skill: the model knows nothing out of sample that the base rate does not.
    """

    QUARANTINED = "quarantined"
    STALE = "stale"
    INTERRUPTED = "interrupted"
    NO_MODEL = "no_model"
    SHORT_HISTORY = "short_history"
    OUT_OF_RANGE = "out_of_range"
    NO_SKILL = "no_skill"


WITHOUT_FEATURES = (AbstainReason.QUARANTINED, AbstainReason.STALE, AbstainReason.SHORT_HISTORY)


class LookAheadError(ValueError):
    """A model was asked about a session that it may have been trained on."""


def score_signals(
    model: TrainedSignal | None,
    features: pl.DataFrame,
    universe: Sequence[str],
    *,
    session: date,
    quarantined: Collection[str] = (),
    interrupted: Collection[str] = (),
) -> pl.DataFrame:
    """Return the signal of every symbol of `universe` for `session`, by symbol (SCORE_SCHEMA).

    `contributions` is JSON: a list of {feature, value, weight, impact, direction}, the strongest
    first; impact is in log-odds, weight the share of all absolute impacts. Together with
    `baseline_log_odds` the impacts are the log-odds of `probability`.

    Args:
        model: the model of the session's own time, None when nothing was trained before it.
        features: symbol, session and the model's features; other sessions are ignored.
        universe: the symbols to answer for.
        session: the session that the signals follow.
        quarantined: the symbols whose bar of the session is withheld.
        interrupted: the symbols with a large hole just before the session.

    Raises:
        LookAheadError: the model was trained through `session` or later.
    """
    if model is not None and model.trained_through >= session:
        message = (
            f"the model was trained through {model.trained_through} and may not score {session}: "
            "take one with an earlier trained_through"
        )
        raise LookAheadError(message)
    rows = _rows_of_universe(features, universe, session).with_columns(
        abstain_reason(model, quarantined, interrupted).alias("abstain_reason")
    )
    base_rate = UNKNOWN_BASE_RATE if model is None else model.base_rate
    return (
        rows.join(_opinions(model, rows), on="symbol", how="left")
        .with_columns(pl.lit(base_rate).alias("base_rate"))
        .with_columns(
            _unless_abstaining("probability", pl.col("base_rate")),
            _unless_abstaining("confidence", pl.lit(0.0)),
            _unless_abstaining("contributions", pl.lit("[]")),
            _unless_abstaining("baseline_log_odds", pl.lit(None)),
        )
        .with_columns(recommendation_bucket().alias("recommendation"))
        .select(pl.col(name).cast(dtype) for name, dtype in SCORE_SCHEMA.items())
        .sort("symbol")
    )


def _rows_of_universe(
    features: pl.DataFrame, universe: Sequence[str], session: date
) -> pl.DataFrame:
    """Return the session's feature row of every symbol, all null where it has none."""
    tonight = features.filter(pl.col("session") == session).with_columns(has_row=True)
    symbols = pl.DataFrame({"symbol": sorted(set(universe))}, schema={"symbol": pl.String()})
    return symbols.join(tonight, on="symbol", how="left", validate="1:1")


def abstain_reason(
    model: TrainedSignal | None, quarantined: Collection[str], interrupted: Collection[str]
) -> pl.Expr:
    """Return the expression for the first reason that applies, null where there is an opinion.

    It reads `has_row` (null where a symbol has no features), `symbol` and the model's features.
    """
    has_no_row, always = pl.col("has_row").is_null(), pl.lit(value=True)
    reasons = {
        AbstainReason.QUARANTINED: has_no_row & pl.col("symbol").is_in(list(quarantined)),
        AbstainReason.STALE: has_no_row,
        AbstainReason.INTERRUPTED: pl.col("symbol").is_in(list(interrupted)),
    }
    if model is None:
        reasons[AbstainReason.NO_MODEL] = always
    else:
        may_lack = model.may_lack if model.knows_incomplete_rows else ()
        needed = finite_features([name for name in model.features if name not in may_lack])
        reasons[AbstainReason.SHORT_HISTORY] = pl.any_horizontal(one.is_null() for one in needed)
        reasons[AbstainReason.OUT_OF_RANGE] = model.is_out_of_range()
    if model is not None and not model.has_skill:
        reasons[AbstainReason.NO_SKILL] = always
    return pl.coalesce(
        pl.when(applies).then(pl.lit(reason.value)) for reason, applies in reasons.items()
    )


def _opinions(model: TrainedSignal | None, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what the model makes of each row with all features, whether published or not."""
    no_features = pl.col("abstain_reason").is_in(list(WITHOUT_FEATURES))
    known = rows.filter(~no_features.fill_null(value=False))
    if model is None or known.is_empty():
        return pl.DataFrame(schema=OPINION_SCHEMA)
    margins = model.member_margins(known)
    margin = margins.mean(axis=0)
    explanations = _explanations(model, known)
    columns = {
        "symbol": known["symbol"],
        "raw_probability": model.raw_probability(margin),
        "probability": model.calibration.probability(margin),
        "confidence": _confidence(model, margins),
        "contributions": [json.dumps(parts) for parts, _ in explanations],
        "baseline_log_odds": [baseline for _, baseline in explanations],
    }
    return pl.DataFrame(columns, schema=OPINION_SCHEMA)


def _confidence(model: TrainedSignal, margins: FloatArray) -> FloatArray:
    """Return how surely the probability differs from the base rate, in [0, 1].

    2Φ(z) - 1, the two-sided confidence, with z the distance d in calibrated log-odds over its
    standard error: z² = d² / (x'Σx + slope² · s²). Σ is the covariance of the calibration line at
    x = (1, margin) and s the standard deviation of the margins over the members (members × rows).
    It is not divided by their number: members learn from the same rows, so more of them make the
    mean steadier but no truer.
    """
    margin = margins.mean(axis=0)
    distance = model.calibration.log_odds(margin) - logit(np.array(model.base_rate))
    spread = margins.std(axis=0, ddof=1) if len(margins) > 1 else np.zeros_like(margin)
    error = np.hypot(model.calibration.standard_error(margin), model.calibration.slope * spread)
    z = np.abs(distance) / error
    return np.clip([math.erf(value / math.sqrt(2.0)) for value in z], 0.0, 1.0)


def _explanations(model: TrainedSignal, rows: pl.DataFrame) -> list[_Explanation]:
    """Return the contributions of each row, the strongest first, and what they start from."""
    impacts = model.contributions(rows)
    values = rows.select(finite_features(model.features)).to_numpy()
    # What a missing value says is said of all such rows: it belongs to where the row starts from.
    is_known = np.isfinite(values)
    baselines = impacts[:, -1] + np.where(is_known, 0.0, impacts[:, :-1]).sum(axis=1)
    return [
        (_explanation(model.features, *row), float(baseline))
        for *row, baseline in zip(values, impacts[:, :-1], is_known, baselines, strict=True)
    ]


def _explanation(
    features: Sequence[str], values: FloatArray, impacts: FloatArray, is_known: NDArray[np.bool_]
) -> list[dict[str, str | float | None]]:
    total = float(np.abs(impacts[is_known]).sum())
    return [
        {
            "feature": features[position],
            "value": float(values[position]),
            "weight": abs(float(impacts[position])) / total if total else 0.0,
            "impact": float(impacts[position]),
            "direction": _direction(float(impacts[position])),
        }
        for position in np.argsort(-np.abs(impacts), kind="stable")
        if is_known[position]
    ]


def _direction(impact: float) -> str | None:
    if impact == 0:
        return None
    return "up" if impact > 0 else "down"


def _unless_abstaining(name: str, otherwise: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("abstain_reason").is_null()).then(name).otherwise(otherwise).alias(name)


def recommendation_bucket() -> pl.Expr:
    """Return the bucket of `probability` by its distance from `base_rate`."""
    distance = pl.col("probability") - pl.col("base_rate")
    return (
        pl.when(distance >= STRONG_MARGIN)
        .then(pl.lit(Recommendation.STRONG_BUY.value))
        .when(distance >= BUY_MARGIN)
        .then(pl.lit(Recommendation.BUY.value))
        .when(distance <= -STRONG_MARGIN)
        .then(pl.lit(Recommendation.STRONG_SELL.value))
        .when(distance <= -BUY_MARGIN)
        .then(pl.lit(Recommendation.SELL.value))
        .otherwise(pl.lit(Recommendation.HOLD.value))
    )
