"""The picture of the detectors: whether bars are as unusual as they should be by chance."""

from collections.abc import Sequence

import numpy as np

from pipelines.pictures import new_figure, png_of


def p_value_plot(counts: Sequence[int]) -> bytes:
    """Return the histogram of p-values as PNG, with the level that chance alone would give.

    Bars like those of the calibration fill every bin alike; a high first bin is a day, or a vendor,
    out of the ordinary.

    Args:
        counts: Bars in bins of equal width from 0 to 1.
    """
    figure, axes = new_figure("P-values of the bars judged", "p-value", "bars")
    width = 1 / len(counts)
    axes.bar(np.arange(len(counts)) * width, counts, width=width, align="edge", edgecolor="white")
    axes.axhline(sum(counts) / len(counts), color="black", lw=1, ls="--")
    return png_of(figure)
