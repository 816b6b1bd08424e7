"""Bars are measured against the values in force, not against nonsense that came for them since."""

import polars as pl
import pytest

from tests.support.judged_bars import AT, SESSIONS, calm_bars, scaled
from tests.support.judged_nights import JudgedNights, stored_rows

CALM = calm_bars()


def lived_through(kind: str, *, verdict: str | None = None) -> pl.DataFrame:
    """Return what is found after a bar was revised to 1.7 times itself, and the next one came."""
    nights = JudgedNights.over(CALM["session"])
    nights.put(stored_rows(CALM[: AT + 1]))
    nights.judge()
    assert nights.judgements().is_empty()
    nights.revise(stored_rows(scaled(CALM, [AT], 1.7)[AT : AT + 1], revision=2), kind=kind)
    if verdict:
        nights.decide(nights.table("daily_prices").filter(revision=2), [verdict], number=1)
    nights.judge()
    nights.put(stored_rows(CALM[AT + 1 : AT + 3]))
    nights.judge()
    return nights.judgements().filter(pl.col("session") > SESSIONS[AT])


def test_the_bar_after_a_corrupted_one_is_measured_against_its_former_values() -> None:
    """A right bar would be taken for an unlisted split, and all after it withheld for good."""
    assert lived_through("corruption").is_empty()


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("correction", None), ("corruption", "release")],
    ids=["the vendor corrected it", "a person released it"],
)
def test_a_revision_that_is_in_force_is_the_reference(kind: str, verdict: str | None) -> None:
    """The test above would prove nothing if revisions were never looked at."""
    assert not lived_through(kind, verdict=verdict).is_empty()
