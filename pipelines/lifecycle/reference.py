"""What a model learned from, kept beside it: how each feature was spread, and what it is worth.

Made once, at training. A month's spread is later held against it, and against how far the months
of training lay from it themselves: months differ, and a drift is a month that differs more.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.scratch import IN_MEMORY, Scratch, rows_where
from pipelines.signals.model import TrainedSignal
from pipelines.validation.logistic import FloatArray

MONTH = 21
"""Sessions of a window."""
BINS = 20
MOST_ROWS = 100_000
EXPLAINED_ROWS = 1_000
# Shares of a bin that is empty in one of two samples would make the index infinite.
SMALLEST_SHARE = 1e-4
PREDICTION, LABEL = "prediction", "label"
"""Names under which a model's log-odds and the next session's return are watched like features."""

REFERENCE_SCHEMA = pl.Schema(
    {
        "feature": pl.String(),
        "importance": pl.Float64(),
        "correlation": pl.Float64(),
        "edges": pl.String(),
        "shares": pl.String(),
        "log_ks_mean": pl.Float64(),
        "log_ks_deviation": pl.Float64(),
        "months": pl.Int64(),
    }
)


@dataclass(frozen=True, eq=False)
class Spread:
    """How values lie in bins of the reference: its inner `edges` and the share of each bin.

    The last share is that of missing values.
    """

    edges: FloatArray
    shares: FloatArray

    @classmethod
    def of(cls, values: FloatArray) -> "Spread":
        """Return bins that hold about equally many of the values."""
        known = values[np.isfinite(values)]
        quantiles = np.linspace(0, 1, BINS + 1)[1:-1]
        edges = np.unique(np.quantile(known, quantiles)) if len(known) else np.empty(0)
        return cls(edges, shares_of(values, edges))


def shares_of(values: FloatArray, edges: FloatArray) -> FloatArray:
    """Return the share of values in each bin, and of missing ones."""
    is_known = np.isfinite(values)
    cell = np.where(is_known, np.searchsorted(edges, values, side="right"), len(edges) + 1)
    counts = np.bincount(cell, minlength=len(edges) + 2)
    return np.asarray(counts / max(1, len(values)))


def population_stability_index(reference: FloatArray, now: FloatArray) -> float:
    """Return the PSI of two lists of shares: 0.1 is little, 0.25 much (Siddiqi 2006)."""
    first, second = np.maximum(reference, SMALLEST_SHARE), np.maximum(now, SMALLEST_SHARE)
    return float(((second - first) * np.log(second / first)).sum())


def kolmogorov_smirnov(reference: FloatArray, now: FloatArray) -> float:
    """Return the largest distance of two distributions, at the edges of the bins."""
    return float(np.abs(np.cumsum(now - reference)).max())


def numbered_reference(
    panel: pl.DataFrame, model: TrainedSignal, *, version: int, scratch: Scratch = IN_MEMORY
) -> pl.DataFrame:
    """Return the rows of `model_references` of a version of the registry."""
    number = pl.lit(version, dtype=pl.Int64).alias("model_version")
    return model_reference(panel, model, scratch=scratch).with_columns(number)


def model_reference(
    panel: pl.DataFrame, model: TrainedSignal, *, scratch: Scratch = IN_MEMORY
) -> pl.DataFrame:
    """Return what is kept beside a model, a row for each feature, its log-odds and the label.

    Args:
        panel: What it was trained on; later rows are left out.
        model: The model.
        scratch: Where rows lie meanwhile.
    """
    from pipelines.signals.usable_rows import usable_rows

    seen = rows_where(panel, panel["label_end"] <= model.trained_through)
    rows = usable_rows(seen, model.features, dispensable=model.may_lack, scratch=scratch)
    some = rows.gather_every(1 + rows.height // MOST_ROWS)
    explained = some.gather_every(1 + some.height // EXPLAINED_ROWS)
    importance = _importance(model, explained)
    watched = watched_values(some, model)
    returns = some["next_session_return"].to_numpy()
    month = _months(some)
    return pl.DataFrame(
        [
            {
                "feature": name,
                "importance": importance.get(name),
                "correlation": _correlation(values, returns),
                **spread_row(values, month),
            }
            for name, values in watched.items()
        ],
        schema=REFERENCE_SCHEMA,
    )


def watched_values(rows: pl.DataFrame, model: TrainedSignal) -> Mapping[str, FloatArray]:
    """Return the values that are watched: features, log-odds, and returns where they are known."""
    values = {name: rows[name].cast(pl.Float64).to_numpy() for name in model.features}
    values[PREDICTION] = model.calibration.log_odds(model.margins(rows))
    if "next_session_return" in rows.columns:
        values[LABEL] = rows["next_session_return"].to_numpy()
    return values


def spread_row(values: FloatArray, month: NDArray[np.intp]) -> dict[str, object]:
    """Return how values are spread, and how far their months lie from that."""
    spread = Spread.of(values)
    distances = [
        kolmogorov_smirnov(spread.shares, shares_of(values[month == one], spread.edges))
        for one in range(int(month.max()) + 1)
    ]
    logs = np.log(np.maximum(distances, SMALLEST_SHARE))
    return {
        "edges": json.dumps(spread.edges.tolist()),
        "shares": json.dumps(spread.shares.tolist()),
        "log_ks_mean": float(logs.mean()),
        "log_ks_deviation": float(logs.std(ddof=1)) if len(logs) > 1 else 0.0,
        "months": len(logs),
    }


def _months(rows: pl.DataFrame) -> NDArray[np.intp]:
    """Return the window of each row, counted from the first session."""
    _, session = np.unique(rows["session"].to_numpy(), return_inverse=True)
    return np.asarray(session // MONTH)


def _importance(model: TrainedSignal, rows: pl.DataFrame) -> dict[str, float]:
    """Return the share of each feature in all absolute SHAP values."""
    total = np.abs(model.contributions(rows)[:, :-1]).sum(axis=0)
    shares = total / total.sum() if total.sum() > 0 else np.zeros(len(total))
    return dict(zip(model.features, map(float, shares), strict=True))


def _correlation(values: FloatArray, returns: FloatArray) -> float | None:
    """Return the correlation with the next return over known values; None where undefined."""
    is_known = np.isfinite(values)
    if is_known.sum() < MONTH or np.ptp(values[is_known]) == 0:
        return None
    return float(np.corrcoef(values[is_known], returns[is_known])[0, 1])


def features_of(reference: pl.DataFrame) -> Sequence[str]:
    """Return the features of a reference, without what is watched beside them."""
    return [name for name in reference["feature"] if name not in (PREDICTION, LABEL)]
