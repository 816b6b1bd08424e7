"""Two small pictures of a training: how honest its probabilities are, and where it works."""

from typing import Any

import numpy as np
import polars as pl

from pipelines.pictures import new_figure, png_of
from pipelines.signals.model import SignalTraining

BINS = 10


def calibration_plot(training: SignalTraining) -> bytes:
    """Return the share of up sessions against the published probability, in bins of equal count."""
    figure, axes = new_figure(
        "Calibration out of sample", "published probability", "share that rose"
    )
    draw_reliability(axes, training.predictions)
    return png_of(figure)


def draw_reliability(axes: Any, predictions: pl.DataFrame) -> None:
    """Draw the share of up sessions against the probability, in bins of equal count.

    The bars are binomial 95 % intervals, which take rows as independent; the tested figures with
    their session bootstrap are in `SignalMetrics`.
    """
    bins = (
        predictions.with_columns(bin=(pl.col("probability").rank("ordinal") * BINS - 1) // pl.len())
        .group_by("bin")
        .agg(pl.col("probability", "is_up").mean(), rows=pl.len())
        .sort("probability")
    )
    share, rows = bins["is_up"].to_numpy(), bins["rows"].to_numpy()
    published = bins["probability"].to_numpy()
    axes.plot([published.min(), published.max()], [published.min(), published.max()], "--k", lw=1)
    error = 1.96 * np.sqrt(share * (1 - share) / rows)
    axes.errorbar(published, share, yerr=error, fmt="o", ms=4)


def area_plot(training: SignalTraining) -> bytes:
    """Return the AUC of each test block with its 95 % interval, oldest first."""
    figure, axes = new_figure("AUC of each test block", "first session of the block", "AUC")
    starts = training.predictions.group_by("block").agg(pl.col("session").min()).rows()
    for block, start in sorted(starts):
        metrics = training.block_metrics[block]
        if metrics is not None and metrics.auc is not None:
            area = metrics.auc
            axes.plot([start, start], [area.lower, area.upper], color="C0")
            axes.plot(start, area.value, "o", color="C0", ms=4)
    axes.axhline(0.5, color="black", lw=1, ls="--")
    figure.autofmt_xdate()
    return png_of(figure)
