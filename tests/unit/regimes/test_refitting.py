"""A night trains first where no regime has been fitted, and only there."""

from datetime import date

import pytest

from pipelines.regimes.refitting import reason_to_fit
from tests.support.regime_markets import CALENDAR, DAYS, SETTINGS

ENOUGH = SETTINGS.fewest_sessions


@pytest.mark.parametrize(
    ("first", "fits", "reason"),
    [
        (DAYS[0], 0, "no model of regimes has been fitted"),
        (DAYS[0], 1, None),
        (DAYS[1], 0, None),
        (None, 0, None),
    ],
    ids=["enough history", "fitted", "a session too young", "no prices"],
)
def test_regimes_are_fitted_first_where_it_helps(
    first: date | None, fits: int, reason: str | None
) -> None:
    """A young market would train nightly for nothing, an upgraded desk tell nothing for days."""
    found = reason_to_fit(first, DAYS[ENOUGH], fits=fits, calendar=CALENDAR, settings=SETTINGS)
    assert found == reason
