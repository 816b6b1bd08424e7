"""Pictures of the live record: how it moved, how honest its probabilities are, what it earned."""

import json

import numpy as np
import polars as pl

from pipelines.lifecycle.drift import LARGE, MODERATE
from pipelines.lifecycle.track_record import ALL_VERSIONS, Basis
from pipelines.pictures import new_figure, png_of
from pipelines.signals.plots import draw_reliability
from pipelines.validation.long_short import COST_BASIS_POINTS, long_short_returns


def rolling_area_plot(records: pl.DataFrame, *, window: int) -> bytes:
    """Return the AUC of a window by night with its 95 % interval, a line for each model version.

    Args:
        records: Rows of `track_records` of the nights to show.
        window: Length of the record to show, in sessions.
    """
    figure, axes = new_figure(
        f"AUC of the last {window} sessions, live", "session of the night", "AUC"
    )
    is_shown = (pl.col("window_sessions") == window) & (pl.col("basis") == Basis.MODEL.value)
    for (version,), rows in (
        records.filter(is_shown).sort("session").group_by("model_version", maintain_order=True)
    ):
        figures = [json.loads(text).get("auc") for text in rows["figures"]]
        held = [(day, one) for day, one in zip(rows["session"], figures, strict=True) if one]
        days = [day for day, _ in held]
        (line,) = axes.plot(days, [one["value"] for _, one in held], label=f"version {version}")
        if version == ALL_VERSIONS:
            low, high = ([one[end] for _, one in held] for end in ("lower", "upper"))
            axes.fill_between(days, low, high, color=line.get_color(), alpha=0.2, lw=0)
    axes.axhline(0.5, color="black", lw=1, ls="--")
    axes.legend(fontsize="small", loc="upper left")
    figure.autofmt_xdate()
    return png_of(figure)


def rolling_coverage_plot(records: pl.DataFrame) -> bytes:
    """Return how many outcomes of regimes and forecasts lay within 90 % by night, with intervals.

    Args:
        records: Rows of `family_records` of the nights to show, of one window and version.
    """
    figure, axes = new_figure("Coverage of 90 %, live", "session of the night", "share within")
    for (family, basis), rows in records.sort("session").group_by(
        "model_name", "basis", maintain_order=True
    ):
        figures = [json.loads(text).get("coverage_90") for text in rows["figures"]]
        held = [(day, one) for day, one in zip(rows["session"], figures, strict=True) if one]
        days = [day for day, _ in held]
        (line,) = axes.plot(days, [one["value"] for _, one in held], label=f"{family}, {basis}")
        low, high = ([one[end] for _, one in held] for end in ("lower", "upper"))
        axes.fill_between(days, low, high, color=line.get_color(), alpha=0.1, lw=0)
    axes.axhline(0.9, color="black", lw=1, ls="--")
    axes.legend(fontsize="small", loc="lower left")
    figure.autofmt_xdate()
    return png_of(figure)


def by_regime_plot(records: pl.DataFrame, figure_name: str, *, title: str, level: float) -> bytes:
    """Return one figure of the longest records by night, a line for each regime of the market.

    Args:
        records: Rows of one basis and all versions, of each regime.
        figure_name: The figure.
        title: What it is of.
        level: Where a line is drawn across: no skill, or what was promised.
    """
    figure, axes = new_figure(title, "session of the night", figure_name)
    for (regime,), rows in records.sort("session", "regime").group_by(
        "regime", maintain_order=True
    ):
        figures = [json.loads(text).get(figure_name) for text in rows["figures"]]
        held = [(day, one) for day, one in zip(rows["session"], figures, strict=True) if one]
        days = [day for day, _ in held]
        (line,) = axes.plot(days, [one["value"] for _, one in held], label=str(regime))
        low, high = ([one[end] for _, one in held] for end in ("lower", "upper"))
        axes.fill_between(days, low, high, color=line.get_color(), alpha=0.1, lw=0)
    axes.axhline(level, color="black", lw=1, ls="--")
    axes.legend(fontsize="small", loc="upper left")
    figure.autofmt_xdate()
    return png_of(figure)


def live_calibration_plot(outcomes: pl.DataFrame) -> bytes:
    """Return the share that rose against the published chance, in bins of equal count."""
    figure, axes = new_figure("Calibration, live", "published probability", "share that rose")
    draw_reliability(axes, outcomes)
    return png_of(figure)


def earnings_plot(outcomes: pl.DataFrame) -> bytes:
    """Return what a dollar long and short on all that models said would have earned, summed."""
    figure, axes = new_figure("Long-short on live opinions", "session", "sum of returns")
    said = outcomes.with_columns(probability="raw_probability").drop_nulls("probability")
    portfolio = long_short_returns(said, cost_basis_points=COST_BASIS_POINTS)
    for name, words in (("gross_return", "before costs"), ("net_return", "after costs")):
        axes.plot(portfolio["session"].to_list(), np.cumsum(portfolio[name]), label=words)
    axes.axhline(0.0, color="black", lw=1, ls="--")
    axes.legend(fontsize="small", loc="upper left")
    figure.autofmt_xdate()
    return png_of(figure)


def drift_plot(rows: pl.DataFrame) -> bytes:
    """Return the PSI of every quantity against its importance; drifts are red and named."""
    figure, axes = new_figure("Drift of the last month", "importance", "PSI")
    shown = rows.filter(pl.col("ks").is_not_null()).with_columns(pl.col("importance").fill_null(0))
    for is_drift, color in ((False, "C7"), (True, "C3")):
        some = shown.filter(is_significant=is_drift)
        axes.plot(some["importance"].to_list(), some["metric_value"].to_list(), "o", color=color)
        for row in some.iter_rows(named=True) if is_drift else ():
            axes.annotate(row["metric"], (row["importance"], row["metric_value"]))
    for level in (MODERATE, LARGE):
        axes.axhline(level, color="black", lw=0.8, ls="--")
    return png_of(figure)
