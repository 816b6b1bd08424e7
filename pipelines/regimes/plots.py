"""Two pictures of the market's regimes: a ribbon behind its level, and the chances of each name."""

from typing import Any

import numpy as np
import polars as pl

from pipelines.pictures import new_figure, png_of
from pipelines.regimes.names import NAMES, Regime

COLOURS = {
    Regime.BULLISH: "#7fbf7b",
    Regime.BEARISH: "#d6604d",
    Regime.SIDEWAYS: "#d9d9d9",
    Regime.VOLATILE: "#fdae61",
}
WIDE_INCHES = (9.0, 3.2)


def ribbon_plot(history: pl.DataFrame, *, title: str) -> bytes:
    """Return the market's level, 1 at first, on a ribbon of its regimes, as PNG.

    Args:
        history: session, market_return, regime.
        title: What is shown.
    """
    figure, axes = _wide(title, "level (log scale)")
    level = np.exp(history["market_return"].fill_null(0.0).cum_sum().to_numpy())
    days = history["session"].to_list()
    axes.plot(days, level, color="black", lw=0.8)
    axes.set_yscale("log")
    for set_formatter in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        set_formatter("{x:g}")
    for name in NAMES:
        axes.fill_between(
            days,
            level.min(),
            level.max(),
            where=(history["regime"] == name.value).to_numpy(),
            color=COLOURS[name],
            alpha=0.6,
            lw=0,
            step="post",
            label=name.value,
        )
    return _finished(figure, axes)


def probability_plot(history: pl.DataFrame, *, title: str) -> bytes:
    """Return how likely each regime was after each session, stacked, as PNG.

    Args:
        history: session and a column for each name.
        title: What is shown.
    """
    figure, axes = _wide(title, "probability")
    axes.stackplot(
        history["session"].to_list(),
        *(history[name.value].to_numpy() for name in NAMES),
        colors=[COLOURS[name] for name in NAMES],
        labels=[name.value for name in NAMES],
    )
    axes.set_ylim(0.0, 1.0)
    return _finished(figure, axes)


def _wide(title: str, y_label: str) -> tuple[Any, Any]:
    """Return a figure for years of sessions."""
    figure, axes = new_figure(title, "", y_label)
    figure.set_size_inches(*WIDE_INCHES)
    axes.margins(x=0)
    return figure, axes


def _finished(figure: Any, axes: Any) -> bytes:
    """Return the figure with its legend beside it."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    figure.autofmt_xdate()
    return png_of(figure)
