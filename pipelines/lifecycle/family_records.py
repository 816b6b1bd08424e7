"""The record of live regimes and forecasts: rolling figures by model version and regime.

Rows of one session share the day's news, so figures are of session means: a share has Wilson's
interval on the effective number of sessions, a mean the normal one with Bartlett's weights.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from pipelines.documents.measured import measured
from pipelines.documents.track_record import MEASURED, FamilyFigures, ModelTrackRecord
from pipelines.forecasts.scores import effective_number, wilson_interval
from pipelines.lifecycle.by_regime import ToldRegimes, basis_in
from pipelines.lifecycle.track_record import (
    ALL_VERSIONS,
    FEWEST_SESSIONS,
    NEWEST_VERSIONS,
    RECORD_SCHEMA,
    REMEMBERED_DAYS,
    WINDOWS,
    cells,
    live_figures,
    newest_sessions,
)
from pipelines.nights import Night
from pipelines.regimes.names import MARKET
from pipelines.validation.logistic import FloatArray
from pipelines.validation.session_bootstrap import Estimate

REGIME, FORECAST = "regime", "forecast"
SYMBOLS = "symbols"
DEPENDENT_SESSIONS = 5
"""Scores of neighbouring sessions rise and fall with volatility: a week counts as dependent."""
_NORMAL_95 = 1.959964
_SCHEMA = pl.Schema({"session": pl.Date(), "model_name": pl.String(), **RECORD_SCHEMA})


@dataclass(frozen=True)
class Figure:
    """One figure of a record: the value of each outcome, and whether it is a share."""

    value: pl.Expr
    is_share: bool = False


FIGURES: Mapping[str, Mapping[str, Figure]] = {
    REGIME: {
        "log_score": Figure(pl.col("log_score")),
        "log_score_gain": Figure(pl.col("log_score") - pl.col("log_score_baseline")),
        "crps": Figure(pl.col("crps")),
        "crps_gain": Figure(pl.col("crps_baseline") - pl.col("crps")),
        "coverage_90": Figure(pl.col("level").is_between(0.05, 0.95), is_share=True),
        "hit_rate": Figure(pl.col("is_hit"), is_share=True),
        "ended": Figure(pl.col("has_ended"), is_share=True),
        "foretold_ended": Figure(
            pl.when(pl.col("has_ended").is_not_null()).then("transition_risk")
        ),
        "transition_brier": Figure(
            (pl.col("transition_risk") - pl.col("has_ended").cast(pl.Float64)) ** 2
        ),
    },
    FORECAST: {
        "coverage_90": Figure(pl.col("is_within_90"), is_share=True),
        "below_5": Figure(pl.col("is_below_5"), is_share=True),
        "below_1": Figure(pl.col("is_below_1"), is_share=True),
        "pinball_pct": Figure(pl.col("pinball_pct")),
        "crps": Figure(pl.col("crps")),
        "crps_gain": Figure(pl.col("crps_baseline") - pl.col("crps")),
    },
}
"""What is measured of each family; a gain is by how much a static baseline is beaten."""


def family_records(
    regimes: pl.DataFrame, forecasts: pl.DataFrame, night: Night, *, told: ToldRegimes
) -> pl.DataFrame:
    """Return a night's rows of `family_records`; outcomes due after it are left out.

    Args:
        regimes: Rows of `regime_outcomes`.
        forecasts: Rows of `forecast_outcomes`.
        night: The night that measures.
        told: The market's regime by session, as it was published; see `by_regime`. Records of
            symbols' regimes are of all sessions alone.
    """
    of_market = pl.col("symbol") == MARKET
    whose = pl.when(of_market).then(pl.lit("market")).otherwise(pl.lit(SYMBOLS))
    named = {
        REGIME: regimes.with_columns(pl.format("{}_{}", whose, "horizon").alias("basis")),
        FORECAST: forecasts.with_columns(
            pl.format("horizon_{}", "horizon_days").alias("basis"), horizon=pl.col("horizon_days")
        ),
    }
    since = night.session - timedelta(days=REMEMBERED_DAYS)
    known = (pl.col("due_session") <= night.session) & (pl.col("session") >= since)
    rows = [
        {
            "session": night.session,
            "model_name": family,
            "basis": basis_in(basis, regime),
            "regime": regime,
            "model_version": version,
            "window_sessions": window,
            "night_id": night.night_id,
            "origin": night.origin.value,
            **_record(some, FIGURES[family]),
        }
        for family, outcomes in named.items()
        for (basis,), of_basis in sorted(outcomes.filter(known).group_by("basis"), key=_name)
        for window in WINDOWS
        for regime, in_regime in cells(
            newest_sessions(of_basis, window),
            {} if str(basis).startswith(SYMBOLS) else told,
            window=window,
        )
        for version, some in _by_version(in_regime)
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)


def family_record_documents(
    records: pl.DataFrame, nights: Iterable[Night]
) -> Iterator[ModelTrackRecord]:
    """Make the documents of rows of `family_records` of some nights."""
    markets = {night.session: night.market for night in nights}
    no_figures: dict[str, Any] = dict.fromkeys(MEASURED)
    for row in records.iter_rows(named=True):
        held = live_figures(row)
        figures = {name: measured(one) for name, one in held.items()}
        yield ModelTrackRecord(
            market=markets[row["session"]],
            **{name: value for name, value in row.items() if name != "figures"},
            **no_figures,
            family=FamilyFigures(**dict.fromkeys(FamilyFigures.model_fields) | figures),
        )


def mean_estimate(values: FloatArray, *, lags: int) -> Estimate:
    """Return the mean of consecutive sessions with its interval (Newey & West 1987)."""
    around = values - values.mean()
    variance = float(around @ around)
    for lag in range(1, min(lags, len(values))):
        variance += 2 * (1 - lag / lags) * float(around[lag:] @ around[:-lag])
    half = _NORMAL_95 * variance**0.5 / len(values)
    mean = float(values.mean())
    return Estimate(mean, mean - half, mean + half)


def share_estimate(values: FloatArray, *, lags: int) -> Estimate:
    """Return the mean share of consecutive sessions with Wilson's interval."""
    share = float(values.mean())
    low, high = wilson_interval(share, effective_number(values, horizon=lags))
    return Estimate(share, min(low, share), max(high, share))


def _name(group: tuple[tuple[object, ...], pl.DataFrame]) -> str:
    """Return what orders groups."""
    return str(group[0])


def _by_version(outcomes: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield all outcomes, and those of each of the versions that were seen last."""
    yield ALL_VERSIONS, outcomes
    last_seen = outcomes.group_by("model_version").agg(pl.col("session").max())
    newest = last_seen.sort("session", "model_version").tail(NEWEST_VERSIONS)["model_version"]
    for version in newest:
        yield version, outcomes.filter(pl.col("model_version") == version)


def _record(outcomes: pl.DataFrame, figures: Mapping[str, Figure]) -> dict[str, Any]:
    """Return how much there is to measure, and the figures where it is enough."""
    lags = max(DEPENDENT_SESSIONS, int(outcomes["horizon"].to_list()[0]))
    sessions = outcomes["session"].n_unique()
    measured = {
        name: asdict(estimate)
        for name, figure in figures.items()
        if (estimate := _measured(outcomes, figure, lags=lags)) is not None
    }
    return {
        "rows": outcomes.height,
        "sessions": sessions,
        "first_session": outcomes["session"].min(),
        "last_session": outcomes["session"].max(),
        "figures": json.dumps(measured),
        "note": None
        if measured
        else f"{sessions} of the {FEWEST_SESSIONS} sessions that a figure needs",
    }


def _measured(outcomes: pl.DataFrame, figure: Figure, *, lags: int) -> Estimate | None:
    """Return one figure; None where it is defined in too few sessions."""
    values = outcomes.select("session", value=figure.value.cast(pl.Float64)).drop_nulls()
    means = values.sort("session", "value").group_by("session", maintain_order=True).mean()
    if means.height < FEWEST_SESSIONS:
        return None
    estimate = share_estimate if figure.is_share else mean_estimate
    return estimate(means["value"].to_numpy().astype(np.float64), lags=lags)
