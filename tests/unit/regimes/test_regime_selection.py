"""Which candidate is taken: what it foretold first, then how calm it is."""

import pytest

from pipelines.regimes.selection import HeldOutBlock, Standing, choose, standings
from pipelines.regimes.settings import BASELINE

CALM, RESTLESS, POOR = "calm", "restless", "poor"


def stretch(mean: float, *, switches: float, agreement: float | None = 1.0) -> HeldOutBlock:
    """Return a year of twelve months that score alike but for a ripple."""
    scores = tuple(mean + 0.01 * (-1) ** month for month in range(12))
    return HeldOutBlock(scores, (21,) * 12, switches, agreement)


def year(restless: float = 3.205) -> dict[str, HeldOutBlock]:
    """Return how four candidates did in a year."""
    return {
        CALM: stretch(3.2, switches=2.0),
        RESTLESS: stretch(restless, switches=9.0),
        POOR: stretch(2.9, switches=0.5),
        BASELINE.name: stretch(2.8, switches=0.0),
    }


def standing(name: str, *, behind: float, error: float, switches: float) -> Standing:
    """Return a candidate among others."""
    return Standing(name, 3.0 - behind, behind, error, switches, 1.0)


def test_candidates_stand_in_the_order_of_what_they_foretold() -> None:
    """Log scores of held-out returns, in nats a session, each beside the best one's."""
    ranked = standings([year(), year()])
    assert [one.name for one in ranked] == [RESTLESS, CALM, POOR, BASELINE.name]
    assert [one.behind for one in ranked] == pytest.approx([0.0, 0.005, 0.305, 0.405])


def test_a_poor_foreteller_is_not_taken_however_calm() -> None:
    """One state never changes its name: calm alone would always choose it."""
    assert choose(standings([year(), year()]), standing=None).name == RESTLESS


def test_of_those_that_foretell_alike_the_calmest_is_taken() -> None:
    """Within the error of the difference nobody can tell which of two foretells better."""
    ranked = [
        standing(RESTLESS, behind=0.0, error=0.0, switches=9.0),
        standing(CALM, behind=0.005, error=0.01, switches=2.0),
        standing(POOR, behind=0.3, error=0.01, switches=0.5),
    ]
    assert choose(ranked, standing=None).name == CALM


def test_last_years_model_stays_while_it_is_about_as_good() -> None:
    """Another model every January would move names for nothing."""
    ranked = [
        standing(CALM, behind=0.0, error=0.0, switches=2.0),
        standing(RESTLESS, behind=0.001, error=0.01, switches=3.0),
    ]
    assert choose(ranked, standing=RESTLESS).name == RESTLESS
    assert choose(ranked, standing=None).name == CALM


def test_a_year_without_a_usable_fit_counts_as_one_of_a_single_state() -> None:
    """A candidate that can't be fitted in wild years must not be judged by the quiet ones alone."""
    partial = {name: block for name, block in year().items() if name != RESTLESS}
    (first, *_) = standings([partial, year(restless=3.4)])
    assert first.name == CALM
