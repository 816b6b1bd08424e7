"""Figures as PNG: built by hand and rendered by Agg, without pyplot, global state or display."""

import io
from typing import Any

SIZE_INCHES = (5.0, 3.2)
DOTS_PER_INCH = 100


def new_figure(title: str, x_label: str, y_label: str) -> tuple[Any, Any]:
    """Return an empty figure and its axes; matplotlib takes half a second to import."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=x_label, ylabel=y_label)
    return figure, axes


def png_of(figure: Any) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()
