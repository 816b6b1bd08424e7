"""The quality stage as a judge of whole panels, with what each kind of fault is judged by."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl

from benchmarks.anomaly_panels import Panel
from pipelines.anomalies.body_anomalies import judge_days
from pipelines.anomalies.fault_injection.injection import WEEKLY_ROOM, InjectedFaults, inject
from pipelines.anomalies.fault_injection.kinds import SHRINKING_BODY, WEEKLY_MISMATCH
from pipelines.anomalies.fault_injection.weeks import weekly_bars
from pipelines.anomalies.fault_scoring import Detections, detect
from pipelines.anomalies.judging import judge_history
from pipelines.anomalies.weekly import weekly_disagreements
from pipelines.prices.bodies import ReadBody

Judge = Callable[[pl.DataFrame, str], pl.DataFrame]
"""Bars and exchange to what is flagged: symbol, session, seen, anomaly_type, severity and more."""


def rules(bars: pl.DataFrame, exchange: str) -> pl.DataFrame:
    """Return what the rules find, each bar as of its own night, and the session that showed it."""
    return judge_history(bars, exchange=exchange).with_columns(seen=pl.col("known_at").dt.date())


def judge_weeks(panel: Panel, rng: np.random.Generator) -> Detections:
    """Put faults into the weekly bars of a panel and compare them with its daily ones."""
    injected = inject(weekly_bars(panel.bars), WEEKLY_MISMATCH, rng, room=WEEKLY_ROOM)
    weekly = injected.bars.with_columns(known_at=pl.col("session").cast(pl.Datetime("us", "UTC")))
    return detect(injected, weekly_disagreements(weekly, panel.bars), WEEKLY_MISMATCH)


def judge_bodies(panel: Panel, rng: np.random.Generator) -> Detections:
    """Send histories again that have shrunk, and compare them with what is stored.

    A finding is about a body, so that it may stand at any session of the symbol.
    """
    injected = inject(panel.bars, SHRINKING_BODY, rng)
    days = {str(key[0]): own["session"] for key, own in panel.bars.group_by("symbol")}
    bodies = [
        ReadBody(number, str(key[0]), own, _no_repeats(), is_full=True)
        for number, (key, own) in enumerate(injected.bars.group_by("symbol", maintain_order=True))
    ]
    found = judge_days(bodies, panel.bars, panel.bars["session"].unique().to_list())
    rows = [(finding.symbol, days[finding.symbol].min(), finding.severity) for finding in found]
    schema = {"symbol": pl.String, "session": pl.Date, "severity": pl.String}
    return detect(
        _over_all_days(injected, panel.bars),
        pl.DataFrame(rows, schema=schema, orient="row"),
        SHRINKING_BODY,
    )


def _over_all_days(injected: InjectedFaults, stored: pl.DataFrame) -> InjectedFaults:
    """Return faults that span all sessions of their symbols."""
    spans = stored.group_by("symbol").agg(
        pl.col("session").min(), last_session=pl.col("session").max()
    )
    faults = injected.faults.update(spans, on="symbol")
    return replace(injected, bars=stored, faults=faults)


def _no_repeats() -> pl.DataFrame:
    """Return no day that comes twice."""
    return pl.DataFrame(
        schema={
            "session": pl.Date,
            "is_different": pl.Boolean,
            "is_settled": pl.Boolean,
            "closes": pl.List(pl.Float64),
        }
    )
