"""Pictures of the quality of the data, as PNG, rendered without a display."""

import polars as pl

from pipelines.anomalies.severity import FOUND
from pipelines.pictures import new_figure, png_of

COLOURS = {"low": "#9db8d2", "medium": "#e0b040", "high": "#d66a2c", "critical": "#a01c1c"}
RECENT_SESSIONS = 60


def severity_plot(recent: pl.DataFrame) -> bytes:
    """Return how many anomalies each recent session has, by severity when first seen.

    Args:
        recent: `session`, `severity` (null where there is nothing) and `count`.
    """
    figure, axes = new_figure("Anomalies by session of the bar", "session", "anomalies")
    sessions = recent["session"].unique().sort()
    bottom = [0] * len(sessions)
    for severity in FOUND:
        of_severity = dict(recent.filter(severity=severity).select("session", "count").iter_rows())
        counts = [of_severity.get(session, 0) for session in sessions]
        axes.bar(sessions.to_list(), counts, bottom=bottom, color=COLOURS[severity], label=severity)
        bottom = [below + count for below, count in zip(bottom, counts, strict=True)]
    axes.legend(fontsize="small", loc="upper right")
    figure.autofmt_xdate()
    return png_of(figure)
