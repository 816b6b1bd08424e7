"""Fits of the detectors in the lake: made once, by the first night that needs them, then kept."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipelines.anomalies.detectors import PANEL_DETECTOR, PanelDetector
from pipelines.anomalies.fit_schedule import (
    FEWEST_ROWS,
    FIT_ROWS,
    FitWindow,
    calibration_rows,
    fit_window,
)
from pipelines.anomalies.reviewed_detector import (
    REVIEWED_DETECTOR,
    ReviewedDetector,
    learn,
)
from pipelines.anomalies.score_queries import (
    FIRST_PROFILE_QUERY,
    FIT_QUERY,
    NEWEST_FITS_QUERY,
    PAST_COUNT_QUERY,
    PAST_SAMPLE_QUERY,
    REVIEWED_BARS_QUERY,
    SAMPLE_PARTS,
    SESSIONS_QUERY,
    VERDICTS_KNOWN_QUERY,
)
from pipelines.anomalies.tables import DETECTOR_FITS
from pipelines.nights import Night
from resources.lake_writer import LakeWriter


@dataclass(frozen=True, eq=False)
class PanelFit:
    """A fit of the panel's detectors, and the period's first session."""

    applies_from: date
    detector: PanelDetector


@dataclass(frozen=True)
class ReviewedFits:
    """Detectors learnt from verdicts by the session from which on they apply, oldest first."""

    fits: tuple[tuple[date, ReviewedDetector], ...]

    def applied_to(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows with reviewed_score, by the newest detector of each row's time."""
        score = pl.Series("reviewed_score", [None] * rows.height, dtype=pl.Float64)
        scored = rows.with_columns(score)
        for applies_from, detector in self.fits:
            chances = detector.chances(rows) if detector.is_heard else score
            scored = scored.with_columns(
                pl.when(pl.col("session") >= applies_from)
                .then(chances.alias("reviewed_score"))
                .otherwise("reviewed_score")
                .alias("reviewed_score")
            )
        return scored


def panel_fit(writer: LakeWriter, period: date) -> PanelFit | None:
    """Return the fit that judges a period, making it the first time; None while it can't be."""
    sessions = writer.read(SESSIONS_QUERY)["session"].to_list()
    first = writer.read(FIRST_PROFILE_QUERY).item()
    window = fit_window(sessions, first=first, period=period) if first else None
    if window is None:
        return None
    stored = _stored(writer, PANEL_DETECTOR, window.applies_from)
    if stored is not None:
        return PanelFit(window.applies_from, PanelDetector.from_bytes(stored))
    return _new_panel_fit(writer, window)


def reviewed_fits(writer: LakeWriter, *, night: Night, last: date) -> ReviewedFits:
    """Return the detectors learnt from verdicts that were landed by the nights of sessions.

    Verdicts that came since the newest fit make another one, for the sessions from then on.

    Args:
        writer: The transaction.
        night: The night; later verdicts don't exist for it.
        last: The newest session that is due.
    """
    known_from = writer.read(VERDICTS_KNOWN_QUERY, {"as_of": night.as_of, "last": last}).item()
    if known_from is not None and _stored(writer, REVIEWED_DETECTOR, known_from) is None:
        _learn(writer, night, known_from)
    stored = writer.read(NEWEST_FITS_QUERY, {"detector": REVIEWED_DETECTOR, "last": last})
    return ReviewedFits(
        tuple(
            (day, ReviewedDetector.from_bytes(body))
            for day, body in stored.select("applies_from", "body").iter_rows()
        )
    )


def _learn(writer: LakeWriter, night: Night, known_from: date) -> None:
    """Keep what verdicts up to a session teach, if there are enough of them."""
    reviewed = writer.read(REVIEWED_BARS_QUERY, {"as_of": night.as_of, "known_from": known_from})
    detector = learn(reviewed)
    if detector is None:
        return
    sessions = reviewed["session"]
    row = {
        "detector": REVIEWED_DETECTOR,
        "applies_from": known_from,
        "fitted_from": sessions.min(),
        "fitted_through": sessions.max(),
        "calibrated_through": sessions.max(),
        "fit_rows": detector.verdicts,
        "calibration_rows": 0,
        "settings": json.dumps({"area": detector.area, "confirmed": detector.confirmed}),
        "body": detector.to_bytes(),
    }
    _store(writer, row)


def _new_panel_fit(writer: LakeWriter, window: FitWindow) -> PanelFit | None:
    """Fit, calibrate and keep the detectors of a period."""
    bounds = {"first": window.fitted_from, "last": window.fitted_through}
    later = {"first": window.calibrated_from, "last": window.calibrated_through}
    symbols = writer.read(PAST_COUNT_QUERY, later)["symbols"].item()
    rows = _sample(writer, bounds, most=FIT_ROWS)
    calibration = _sample(writer, later, most=calibration_rows(symbols))
    if min(rows.height, calibration.height) < FEWEST_ROWS:
        return None
    detector = PanelDetector.fitted(rows, calibration, applies_from=window.applies_from)
    row = {
        "detector": PANEL_DETECTOR,
        "applies_from": window.applies_from,
        "fitted_from": window.fitted_from,
        "fitted_through": window.fitted_through,
        "calibrated_through": window.calibrated_through,
        "fit_rows": rows.height,
        "calibration_rows": calibration.height,
        "settings": json.dumps({"symbols": symbols}),
        "body": detector.to_bytes(),
    }
    _store(writer, row)
    return PanelFit(window.applies_from, detector)


def _sample(writer: LakeWriter, bounds: dict[str, date], *, most: int) -> pl.DataFrame:
    """Return about so many profiles of clean bars of some sessions, or all if there are fewer."""
    bars = writer.read(PAST_COUNT_QUERY, bounds)["bars"].item()
    parts = SAMPLE_PARTS * most // max(most, bars)
    return writer.read(PAST_SAMPLE_QUERY, {**bounds, "parts": parts})


def _stored(writer: LakeWriter, detector: str, applies_from: date) -> bytes | None:
    """Return the body of a fit; None where it was not made."""
    found = writer.read(FIT_QUERY, {"detector": detector, "applies_from": applies_from})
    return None if found.is_empty() else bytes(found["body"][0])


def _store(writer: LakeWriter, row: dict[str, Any]) -> None:
    """Add a fit."""
    writer.append(DETECTOR_FITS, pl.DataFrame([row]))
