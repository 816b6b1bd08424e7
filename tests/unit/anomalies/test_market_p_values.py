"""On a simulated market, p-values are near uniform in calm and in storm, out of sample."""

import polars as pl
import pytest

from pipelines.anomalies.alert_budget import AlertBudget, with_alerts
from pipelines.anomalies.detectors import PanelDetector
from pipelines.anomalies.profiles import PROFILE_NAMES, profile_bars
from pipelines.markets.simulated import simulate_market
from pipelines.markets.simulation.settings import SimulationSettings
from tests.support.profiles import numbered
from tests.support.simulated_prices import clean_prices_of

SETTINGS = SimulationSettings(symbols=50, sessions=700, seed=7)
FIT_TO, CALIBRATE_TO = SETTINGS.days[250], SETTINGS.days[450]


@pytest.fixture(scope="module")
def judged() -> pl.DataFrame:
    """Return the bars after the calibration with scores and the regime that they were made in."""
    market, truth = simulate_market(SETTINGS)
    clean = numbered(clean_prices_of(market.bars))
    profiles = profile_bars(clean, clean.clear()).drop_nulls(PROFILE_NAMES)
    session = pl.col("session")
    detector = PanelDetector.fitted(
        profiles.filter(session < FIT_TO).sample(4000, seed=1),
        profiles.filter(session.is_between(FIT_TO, CALIBRATE_TO, closed="left")),
        applies_from=CALIBRATE_TO,
    )
    later = detector.judged(profiles.filter(session >= CALIBRATE_TO))
    return later.join(truth.regimes, on="session").with_columns(
        reviewed_score=pl.lit(None, dtype=pl.Float64)
    )


def test_p_values_are_near_uniform_in_every_regime(judged: pl.DataFrame) -> None:
    """Alerts would come by the storm: a budget set in calm would be spent on the weather.

    Measured over 300 symbols × 1,260 sessions: the share of p-values up to 0.01 is 0.009 to 0.014
    in any regime, the volatile one highest. Bars of a session are dependent: the bounds are wide.
    """
    shares = (
        judged.group_by("regime")
        .agg(pl.len(), *((pl.col("p_value") <= u).mean().alias(str(u)) for u in (0.01, 0.1, 0.5)))
        .filter(pl.col("len") >= 1000)
    )
    assert shares.height >= 2
    assert shares["0.01"].max() <= 0.02  # type: ignore[operator]
    assert shares["0.1"].max() <= 0.18  # type: ignore[operator]
    assert shares["0.5"].is_between(0.4, 0.65).all()


def test_nights_with_an_alert_about_usual_bars_are_rare(judged: pl.DataFrame) -> None:
    """A person would stop looking. Ten percent are promised; 250 nights stray by six points."""
    alerts = with_alerts(judged, AlertBudget(0.1, 20))
    nights = alerts.group_by("session").agg(pl.col("is_alert").any())
    assert nights["is_alert"].mean() <= 0.16  # type: ignore[operator]
