"""The statistical detectors of the quality stage on a whole panel in memory, as nights run them.

Profiles of the bars that the rules leave; each period judged by a fit on the sessions before it;
what is unusual within each night's alert budget is an alert of MEDIUM. Bars before the first fit
(half a year of sessions) get none.
"""

from collections.abc import Iterator
from datetime import date

import polars as pl

from pipelines.anomalies.alert_budget import AlertBudget, with_alerts
from pipelines.anomalies.detectors import PanelDetector
from pipelines.anomalies.fit_schedule import (
    FEWEST_ROWS,
    FIT_ROWS,
    FitWindow,
    calibration_rows,
    fit_window,
    period_start,
)
from pipelines.anomalies.judging import with_all_columns, withheld_keys
from pipelines.anomalies.profiles import PROFILE_NAMES, profile_bars
from pipelines.calendar import ExchangeCalendar
from pipelines.prices.total_return import chain_total_returns

KEY = ["symbol", "session"]


def detector_alerts(bars: pl.DataFrame, exchange: str, anomalies: pl.DataFrame) -> pl.DataFrame:
    """Return symbol, session and severity of the bars that the detectors alert a person to.

    Args:
        bars: The panel.
        exchange: ISO 10383 code of its calendar.
        anomalies: What the rules found in it.
    """
    once = with_all_columns(bars)
    first, last = once["session"].sort()[0], once["session"].sort()[-1]
    sessions = ExchangeCalendar.of(exchange).sessions(first, last)
    profiles = _profiles(once, sessions, anomalies)
    judged = [_none(profiles), *_judged_by_period(profiles, sessions)]
    scores = pl.concat(judged).with_columns(reviewed_score=pl.lit(None, dtype=pl.Float64))
    alerts = with_alerts(scores, AlertBudget()).filter("is_alert")
    return alerts.select(*KEY, severity=pl.lit("medium"))


def _profiles(once: pl.DataFrame, sessions: list[date], anomalies: pl.DataFrame) -> pl.DataFrame:
    """Return the profiles of all bars, those that are withheld beside the clean past."""
    numbers = pl.DataFrame({"session": sessions}).with_row_index("ordinal")
    kept = withheld_keys(anomalies).with_columns(is_clean=False)
    nothing = pl.lit(None, dtype=pl.Float64)
    marked = once.join(kept, on=KEY, how="left", maintain_order="left").with_columns(
        pl.col("is_clean").fill_null(value=True),
        is_seed=pl.lit(value=False),
        seed_split_factor=nothing,
        seed_units=nothing,
    )
    clean, withheld = (
        rows.join(numbers.cast({"ordinal": pl.Int64}), on="session", maintain_order="left")
        for rows in (chain_total_returns(marked), marked.filter(~pl.col("is_clean")))
    )
    return profile_bars(clean, withheld)


def _judged_by_period(profiles: pl.DataFrame, sessions: list[date]) -> Iterator[pl.DataFrame]:
    """Judge each period by the fit that was there before it."""
    whole = profiles.filter("is_clean").drop_nulls(PROFILE_NAMES)
    starts = {day: period_start(day, first=sessions[0]) for day in sessions}
    for period in sorted(set(starts.values())):
        window = fit_window(sessions, first=sessions[0], period=period)
        detector = None if window is None else _fitted(whole, window)
        if detector is not None:
            days = [day for day, start in starts.items() if start == period]
            yield detector.judged(profiles.filter(pl.col("session").is_in(days)))


def _fitted(whole: pl.DataFrame, window: FitWindow) -> PanelDetector | None:
    """Fit and calibrate on the sessions of a window; None where there are too few bars."""
    rows = _sampled(whole, window.fitted_from, window.fitted_through, most=FIT_ROWS)
    later = whole.filter(
        pl.col("session").is_between(window.calibrated_from, window.calibrated_through)
    )
    calibration = later.sample(
        min(later.height, calibration_rows(later["symbol"].n_unique())), seed=1
    )
    if min(rows.height, calibration.height) < FEWEST_ROWS:
        return None
    return PanelDetector.fitted(rows, calibration, applies_from=window.applies_from)


def _sampled(whole: pl.DataFrame, first: date, last: date, *, most: int) -> pl.DataFrame:
    """Return so many rows of some sessions."""
    inside = whole.filter(pl.col("session").is_between(first, last))
    return inside.sample(min(inside.height, most), seed=1)


def _none(profiles: pl.DataFrame) -> pl.DataFrame:
    """Return no judged profile, in the shape of one."""
    return profiles.clear().with_columns(
        pl.lit(None, dtype=pl.Float64).alias(name)
        for name in ("isolation_score", "tail_score", "p_value")
    )
