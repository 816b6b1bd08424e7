"""What people decided is learnt once there is enough of it, and heard only if it can tell."""

import numpy as np
import polars as pl
from polars.testing import assert_series_equal

from pipelines.anomalies.reviewed_detector import (
    FEWEST_OF_EACH,
    FEWEST_VERDICTS,
    INPUTS,
    ReviewedDetector,
    learn,
    missing_verdicts,
)


def reviewed(count: int, *, strength: float, seed: int = 1) -> pl.DataFrame:
    """Return reviewed bars; with strength, faults are those whose return is large."""
    rng = np.random.default_rng(seed)
    values = {name: rng.standard_t(4, count) for name in INPUTS}
    log_odds = strength * (np.log1p(np.abs(values["return_score"])) - 0.75)
    return pl.DataFrame(
        {
            "symbol": [f"S{number % 12}" for number in range(count)],
            **values,
            "is_fault": rng.random(count) < 1 / (1 + np.exp(-log_odds)),
        }
    )


PLAIN = reviewed(120, strength=12)


def test_too_few_verdicts_teach_nothing_and_are_counted() -> None:
    """Coefficients would follow single verdicts."""
    assert learn(PLAIN[: FEWEST_VERDICTS - 2]) is None
    assert missing_verdicts(PLAIN[: FEWEST_VERDICTS - 2]) == 2
    assert missing_verdicts(PLAIN) == 0
    assert missing_verdicts(PLAIN.clear()) == FEWEST_VERDICTS


def test_verdicts_of_one_kind_teach_nothing() -> None:
    """Whoever has only released learns that everything is right."""
    released = PLAIN.with_columns(is_fault=pl.lit(value=False))
    assert learn(released) is None
    assert missing_verdicts(released) == FEWEST_OF_EACH


def test_what_people_see_is_learnt_and_heard() -> None:
    """Verdicts would be asked for and thrown away."""
    detector = learn(PLAIN)
    assert detector is not None
    assert detector.is_heard
    assert detector.verdicts == 120
    later = reviewed(400, strength=12, seed=2)
    chances = detector.chances(later)
    of_faults = chances.filter(later["is_fault"]).mean()
    of_others = chances.filter(~later["is_fault"]).mean()
    assert float(str(of_faults)) > float(str(of_others)) + 0.3
    assert chances.is_between(0, 1).all()


def test_verdicts_by_a_coin_are_not_heard() -> None:
    """Alerts would be silenced by luck."""
    coins = [learn(reviewed(120, strength=0, seed=seed)) for seed in range(10)]
    assert not any(detector.is_heard for detector in coins if detector)


def test_a_detector_read_back_gives_the_same_chances() -> None:
    """A replayed night would have other scores."""
    detector = learn(PLAIN)
    assert detector is not None
    read = ReviewedDetector.from_bytes(detector.to_bytes())
    assert read == detector
    assert_series_equal(read.chances(PLAIN), detector.chances(PLAIN), check_exact=True)


def test_a_bar_that_lacks_an_input_has_no_chance() -> None:
    """A null would count as a usual bar."""
    detector = learn(PLAIN)
    assert detector is not None
    holes = PLAIN[:2].with_columns(volume_z_score=pl.Series([None, 0.1]))
    assert detector.chances(holes).is_null().to_list() == [True, False]
