"""Faults of each kind put into a panel, and what each judge makes of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from zlib import crc32

import numpy as np
import polars as pl

from benchmarks.anomaly_alerts import detector_alerts
from benchmarks.anomaly_baselines import BASELINES
from benchmarks.anomaly_judges import judge_bodies, judge_weeks, rules
from benchmarks.anomaly_panels import Panel
from pipelines.anomalies.fault_injection.injection import inject
from pipelines.anomalies.fault_injection.kinds import (
    FAULT_KINDS,
    OTHER_KINDS,
    SHRINKING_BODY,
    WEEKLY_MISMATCH,
    FaultKind,
)
from pipelines.anomalies.fault_scoring import Detections, alarm_levels, detect

OURS, WITH_ALERTS = "rules", "rules + alerts"
ALL_KINDS: Mapping[str, FaultKind] = MappingProxyType({**FAULT_KINDS, **OTHER_KINDS})

Comparison = Callable[[Panel, np.random.Generator], Detections]
COMPARISONS: Mapping[str, Comparison] = MappingProxyType(
    {WEEKLY_MISMATCH.name: judge_weeks, SHRINKING_BODY.name: judge_bodies}
)
"""Kinds that are found by comparing bars with bars: detectors of single bars know nothing of it."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What one judge made of one injected panel."""

    judge: str
    panel: Panel
    detections: Detections


@dataclass(frozen=True, eq=False)
class JudgedClean:
    """What a judge flagged in clean bars: symbol, session, level."""

    judge: str
    panel: Panel
    alarms: pl.DataFrame


@dataclass(frozen=True)
class Trial:
    """Which faults to inject, and whom to ask beside the rules."""

    kinds: Sequence[FaultKind]
    with_baselines: bool

    def clean(self, panel: Panel, *, with_alerts: bool) -> Iterator[JudgedClean]:
        """Judge the bars as they are: whatever is flagged is a false alarm."""
        found = rules(panel.bars, panel.exchange)
        yield JudgedClean(OURS, panel, alarm_levels(found))
        if with_alerts:
            alerts = detector_alerts(panel.bars, panel.exchange, found)
            yield JudgedClean(WITH_ALERTS, panel, alarm_levels(_together(found, alerts)))

    def faulty(self, panel: Panel, *, with_alerts: bool) -> Iterator[Judged]:
        """Put faults of each kind into the bars and hold every judge against them."""
        flaggings = {
            name: fit(panel.bars) for name, fit in BASELINES.items() if self.with_baselines
        }
        for kind in self.kinds:
            # A generator for each kind, so that leaving out kinds changes no other's faults.
            rng = np.random.default_rng([panel.seed, crc32(kind.name.encode())])
            if kind.name in COMPARISONS:
                yield Judged(OURS, panel, COMPARISONS[kind.name](panel, rng))
                continue
            injected = inject(panel.bars, kind, rng)
            found = rules(injected.bars, panel.exchange)
            yield Judged(OURS, panel, detect(injected, found, kind))
            for name, flag in flaggings.items():
                yield Judged(name, panel, detect(injected, flag(injected.bars), kind))
            # Alerts are MEDIUM: they can't withhold what a hard kind asks to be withheld.
            if with_alerts and not kind.is_hard:
                alerts = detector_alerts(injected.bars, panel.exchange, found)
                both = _together(found, alerts)
                yield Judged(WITH_ALERTS, panel, detect(injected, both, kind))


def _together(found: pl.DataFrame, alerts: pl.DataFrame) -> pl.DataFrame:
    """Return what the rules found and what the detectors alert to."""
    seen = alerts.with_columns(seen="session")
    return pl.concat([found.select(seen.columns), seen])
