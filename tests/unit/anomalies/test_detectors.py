"""The detectors are PyOD's, kept as numbers; p-values come from bars that the fit has not seen."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.anomalies.conformal import Calibration
from pipelines.anomalies.detectors import PanelDetector, profile_matrix
from pipelines.anomalies.isolation_forest import IsolationForest
from pipelines.anomalies.profiles import PROFILE_NAMES
from pipelines.anomalies.tail_distribution import TailDistribution
from tests.support.profiles import usual_profiles

APPLIES_FROM = date(2020, 1, 2)
BARS = usual_profiles(np.random.default_rng(1), 4000)
TONIGHT = BARS[3500:]
ROWS, NEW = profile_matrix(BARS[:1500]), profile_matrix(TONIGHT[:20])
SCORES = ["isolation_score", "tail_score", "p_value"]


def fit() -> PanelDetector:
    """Fit on some bars and calibrate on others."""
    return PanelDetector.fitted(BARS[:1500], BARS[1500:3500], applies_from=APPLIES_FROM)


@pytest.fixture(scope="module")
def fitted() -> PanelDetector:
    """A fit that every test may read."""
    return fit()


def test_the_forest_kept_as_arrays_scores_as_the_library_does() -> None:
    """What is published as PyOD's score would be somebody else's."""
    from pyod.models.iforest import IForest

    library = IForest(max_samples=256, n_jobs=1, random_state=3, contamination=0.01).fit(ROWS)
    expected = library.decision_function(NEW) - library.detector_.offset_
    ours = IsolationForest.fitted(ROWS, seed=3).scores(NEW)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)
    assert ((ours > 0) & (ours < 1)).all()


def test_a_row_has_the_tail_score_that_the_library_gives_it_alone() -> None:
    """The library ranks new rows among each other: a score would depend on its neighbours."""
    from pyod.models.ecod import ECOD

    library = ECOD().fit(ROWS.astype(np.float64))
    alone = [library.decision_function(row[None].astype(np.float64))[0] for row in NEW]
    most = len(PROFILE_NAMES) * np.log(len(ROWS) + 1)
    np.testing.assert_allclose(TailDistribution.fitted(ROWS).scores(NEW) * most, alone, rtol=1e-9)


def test_scores_do_not_depend_on_the_rows_beside(fitted: PanelDetector) -> None:
    """A rerun after one late bar would give every other bar other scores."""
    together = fitted.judged(TONIGHT)
    halves = pl.concat([fitted.judged(TONIGHT[:7]), fitted.judged(TONIGHT[7:])])
    assert_frame_equal(together, halves, check_exact=True)


def test_a_fit_read_back_judges_to_the_bit_and_holds_no_code(fitted: PanelDetector) -> None:
    """A night could not be replayed; and a pickle would run whatever it was given."""
    body = fitted.to_bytes()
    assert fit().to_bytes() == body
    assert b"numpy" not in body.replace(b"NUMPY", b""), "a pickled array names its class"
    read = PanelDetector.from_bytes(body)
    assert_frame_equal(read.judged(TONIGHT), fitted.judged(TONIGHT), check_exact=True)


def test_a_bar_without_a_profile_has_no_scores(fitted: PanelDetector) -> None:
    """A null would be judged as some number."""
    nothing = TONIGHT[:2].with_columns(
        pl.when(pl.int_range(pl.len()) > 0).then(pl.col(name)).alias(name) for name in PROFILE_NAMES
    )
    judged = fitted.judged(nothing)
    assert judged[SCORES[0]].is_null().to_list() == [True, False]
    assert judged["p_value"].is_null().to_list() == [True, False]


def test_wild_bars_are_the_most_unusual(fitted: PanelDetector) -> None:
    """A detector that does not detect."""
    wild = TONIGHT[:5].with_columns(
        return_score=pl.lit(40.0), gap_score=pl.lit(38.0), quiet_move_score=pl.lit(40.0)
    )
    judged = fitted.judged(wild)
    assert judged["p_value"].max() == pytest.approx(1 / 2001)
    assert judged["isolation_score"].min() > fitted.judged(TONIGHT)["isolation_score"].median()


def test_p_values_count_the_calibration_bars_that_are_at_least_as_unusual() -> None:
    """Off by one, and a p-value could be zero: more sure than any evidence."""
    calibration = Calibration.of(np.array([3, 1, 2, 2], dtype=np.float32))
    scores = np.array([0, 2, 2.5, 9], dtype=np.float32)
    assert calibration.p_values(scores).tolist() == [1.0, 4 / 5, 2 / 5, 1 / 5]


def test_calibration_bars_that_are_no_numbers_are_refused() -> None:
    """Every p-value would be wrong without a word."""
    with pytest.raises(ValueError, match="1 calibration scores, 0 of them numbers"):
        Calibration.of(np.array([np.nan], dtype=np.float32))


def test_p_values_of_bars_like_the_calibration_are_uniform(fitted: PanelDetector) -> None:
    """The level that a person sets would mean nothing.

    Over calibrations the share below u is u in expectation; one calibration of 2,000 bars strays by
    a standard deviation of sqrt(u (1 - u) / 2000), tonight's 3,000 bars by sqrt(u (1 - u) / 3000).
    """
    later = usual_profiles(np.random.default_rng(2), 3000)
    p_values = fitted.judged(later)["p_value"].to_numpy()
    for level in (0.01, 0.1, 0.5):
        deviation = np.sqrt(level * (1 - level) * (1 / 2000 + 1 / 3000))
        assert abs((p_values <= level).mean() - level) < 3.5 * deviation
