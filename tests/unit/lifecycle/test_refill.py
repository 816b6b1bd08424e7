"""Which nights are published again after MongoDB was lost, in which order, from which version."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from pipelines.calendar import ExchangeCalendar
from pipelines.documents.pipeline_run import PublishedCollection
from pipelines.lifecycle.refill import (
    StandingDocumentsError,
    Stretch,
    missing_stretches,
    stretches,
    unlike,
)
from pipelines.nights import Night, Origin
from tests.support.documents import a_run

CALENDAR = ExchangeCalendar.of("XNYS")
DAYS = CALENDAR.sessions(date(2013, 2, 25), date(2013, 3, 8))
NIGHTS = [
    Night("sample", session, datetime(2013, 3, 9, tzinfo=UTC), Origin.BACKFILL) for session in DAYS
]


def plan(versions: dict[int, int], *, first_readable: int = 0) -> list[Stretch]:
    """Return the stretches of nights, given as number of the night to its version."""
    published = {NIGHTS[number]: version for number, version in versions.items()}
    return [*stretches(published, calendar=CALENDAR, first_readable=first_readable)]


def shown(plan: list[Stretch]) -> list[tuple[int, list[int]]]:
    """Return stretches as versions and numbers of nights."""
    return [(one.version, [NIGHTS.index(night) for night in one.nights]) for one in plan]


def test_nights_come_in_the_order_in_which_they_were_published() -> None:
    """By session, a night that was filled in later would take prices back to what it knew."""
    assert shown(plan({3: 10, 0: 20, 4: 30})) == [(10, [3]), (20, [0]), (30, [4])]


def test_nights_of_one_run_stay_together_over_one_that_was_there() -> None:
    """Cut in two, the first part would publish a year of portfolio values that nobody did."""
    assert shown(plan({2: 10, 0: 20, 1: 20, 3: 20, 4: 20})) == [(10, [2]), (20, [0, 1, 3, 4])]


def test_a_run_does_not_go_over_a_session_without_a_night() -> None:
    """Its run would ask for a night that was never opened, or not yet."""
    assert shown(plan({0: 20, 1: 20, 3: 20, 2: 30})) == [(20, [0, 1]), (20, [3]), (30, [2])]


def test_versions_of_other_columns_are_not_read() -> None:
    """Yesterday's tables lack what today's documents are made of."""
    assert shown(plan({0: 10, 1: 20, 2: 30}, first_readable=20)) == [
        (20, [0]),
        (20, [1]),
        (30, [2]),
    ]


def test_a_refill_that_was_killed_goes_on_where_it_stopped() -> None:
    """What stands whole is not published again; a run of which a part stands is."""
    made = plan({0: 10, 1: 20, 2: 20, 3: 30})
    names = [night.night_id for night in NIGHTS]
    assert missing_stretches(made, []) == made
    assert missing_stretches(made, names[:2]) == made[1:]
    assert missing_stretches(made, names[:4]) == []


def test_what_later_nights_wrote_is_not_taken_back() -> None:
    """A schedule may have run a night into the empty database before anyone looked."""
    made = plan({0: 10, 1: 20})
    with pytest.raises(StandingDocumentsError, match=f"{DAYS[1]} stands.*{DAYS[0]} does not"):
        missing_stretches(made, [NIGHTS[1].night_id])


def test_what_is_not_as_published_is_named() -> None:
    """Revisions rewrite prices of old sessions; a signal of another content is a fault."""
    one = PublishedCollection(documents=1, content_hash="1" * 64)
    other = one.model_copy(update={"content_hash": "2" * 64})
    manifest = a_run(collections={"ml_signals": one, "stock_price_daily": one})
    assert unlike(manifest, {"ml_signals": one, "stock_price_daily": other}) == []
    assert unlike(manifest, {"ml_signals": other, "stock_price_daily": one}) == ["ml_signals"]
    assert unlike(manifest, {"track_records": one}) == ["track_records"]


def test_a_stretch_is_as_of_its_last_night() -> None:
    """The instant that a run of several nights stamps its documents with."""
    later = replace(NIGHTS[1], as_of=datetime(2013, 3, 10, tzinfo=UTC))
    stretch = Stretch(1, (NIGHTS[0], later))
    assert (stretch.first, stretch.last, stretch.as_of) == (DAYS[0], DAYS[1], later.as_of)
