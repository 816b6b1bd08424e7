"""Records of live regimes and forecasts: what they claim, and that they claim no more."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.lifecycle.family_records import (
    family_record_documents,
    family_records,
    mean_estimate,
    share_estimate,
)
from pipelines.lifecycle.plots import by_regime_plot, rolling_coverage_plot
from pipelines.lifecycle.track_record import live_figures
from tests.support.outcomes import SESSIONS, TONIGHT

SHOWN = 60


def regimes(*, sessions: int = SHOWN, seed: int = 1) -> pl.DataFrame:
    """Return rows of `regime_outcomes` of the market, the last due tonight."""
    rng = np.random.default_rng(seed)
    last = len(SESSIONS) - 1
    return pl.DataFrame(
        {
            "symbol": "MARKET",
            "session": SESSIONS[last - sessions : last],
            "horizon": 1,
            "model_version": ["a"] * (sessions // 2) + ["b"] * (sessions - sessions // 2),
            "transition_risk": 0.2,
            "due_session": SESSIONS[last - sessions + 1 :],
            "is_hit": rng.random(sessions) < 0.5,
            "has_ended": None,
            "log_score": 3.0 + 0.1 * rng.standard_normal(sessions),
            "log_score_baseline": 2.9,
            "crps": 0.005,
            "crps_baseline": 0.006,
            "level": rng.random(sessions),
        },
        schema_overrides={"has_ended": pl.Boolean},
    )


def forecasts() -> pl.DataFrame:
    """Return rows of `forecast_outcomes` of two portfolios, all within their band."""
    last = len(SESSIONS) - 1
    return pl.concat(
        pl.DataFrame(
            {
                "portfolio_id": portfolio,
                "session": SESSIONS[last - SHOWN : last - 4],
                "horizon_days": 5,
                "model_version": "pool",
                "due_session": SESSIONS[last - SHOWN + 5 : last + 1],
                "is_within_90": True,
                "is_below_5": False,
                "is_below_1": False,
                "pinball_pct": 0.5,
                "crps": 0.01,
                "crps_baseline": 0.011,
            }
        )
        for portfolio in ("one", "two")
    )


def test_a_record_is_of_each_version_and_of_all() -> None:
    """A fit of January must not be praised for what the former one foretold."""
    records = family_records(regimes(), forecasts(), TONIGHT, told={})
    longest = records.filter(window_sessions=252)
    assert longest.select("model_name", "basis", "model_version", "sessions").rows() == [
        *(("regime", "market_1", version, days) for version, days in (("all", 60), ("a", 30))),
        ("regime", "market_1", "b", 30),
        *(("forecast", "horizon_5", version, 56) for version in ("all", "pool")),
    ]
    figures = live_figures(longest.row(0, named=True))
    gain = figures["log_score_gain"]
    assert gain.lower < gain.value < gain.upper
    assert gain.value == pytest.approx(0.1, abs=0.05)
    assert "ended" not in figures, "nothing of that horizon is due"


def test_a_share_without_a_miss_still_has_an_interval() -> None:
    """Fifty-six overlapping hits are a dozen: they don't prove that all will be within."""
    row = (
        family_records(regimes(), forecasts(), TONIGHT, told={})
        .filter(model_name="forecast")
        .row(0, named=True)
    )
    within = live_figures(row)["coverage_90"]
    assert within.value == within.upper == 1.0
    assert 0.6 < within.lower < 0.9


def test_market_and_forecasts_have_a_record_in_each_regime() -> None:
    """A band that is too narrow in volatile markets alone hides in the year's coverage."""
    sessions = forecasts()["session"].unique().sort().to_list()
    told = dict.fromkeys(sessions[:26], "bullish") | dict.fromkeys(sessions[26:], "volatile")
    symbols = regimes().with_columns(symbol=pl.lit("S0"))
    records = family_records(
        pl.concat([regimes(), symbols]), forecasts(), TONIGHT, told=told
    ).filter(pl.col("regime").is_not_null() & (pl.col("model_version") == "all"))
    assert records.select("basis", "sessions").rows() == [
        ("market_1_in_bullish", 26),
        ("market_1_in_volatile", 30),
        ("horizon_5_in_bullish", 26),
        ("horizon_5_in_volatile", 30),
    ]
    late = forecasts().filter(pl.col("session") > sessions[25])
    (alone,) = family_records(regimes().clear(), late, TONIGHT, told={}).filter(
        model_version="all", window_sessions=252
    )["figures"]
    assert records["figures"].to_list()[-1] == alone
    picture = by_regime_plot(records[2:], "coverage_90", title="Coverage", level=0.9)
    assert picture.startswith(b"\x89PNG")


def test_outcomes_after_the_night_move_no_record() -> None:
    """A record made of what came later would not be what was known."""
    other = regimes(sessions=SHOWN + 5, seed=9)
    later = other.with_columns(due_session=pl.lit(SESSIONS[-1]).dt.offset_by("5d"))
    known = family_records(regimes(), forecasts(), TONIGHT, told={})
    both = family_records(pl.concat([regimes(), later]), forecasts(), TONIGHT, told={})
    assert_frame_equal(both, known)


def test_documents_tell_every_figure_or_null() -> None:
    """The backend reads one collection for all families."""
    records = family_records(regimes(sessions=8), forecasts(), TONIGHT, told={})
    documents = list(family_record_documents(records, [TONIGHT]))
    assert {one.model_name for one in documents} == {"regime", "forecast"}
    for one in documents:
        assert one.auc is None
        assert one.family is not None
        assert (one.family.crps is None) == (one.model_name == "regime"), one.note


def test_intervals_hold_what_they_say() -> None:
    """Of independent sessions 95 % of intervals must hold the truth, within the luck of 400."""
    rng = np.random.default_rng(5)
    means = [mean_estimate(rng.standard_normal(120), lags=5) for _ in range(400)]
    shares = [share_estimate((rng.random(120) < 0.9).astype(float), lags=5) for _ in range(400)]
    assert np.mean([one.lower <= 0.0 <= one.upper for one in means]) > 0.9
    assert np.mean([one.lower <= 0.9 <= one.upper for one in shares]) > 0.9


def test_coverage_is_drawn_for_every_family() -> None:
    """A picture that fails would fail the night's step."""
    records = family_records(regimes(), forecasts(), TONIGHT, told={}).filter(model_version="all")
    assert rolling_coverage_plot(records).startswith(b"\x89PNG")
