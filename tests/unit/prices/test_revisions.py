"""What is new, what the vendor changed, and since when we know."""

import json
from datetime import UTC, date, datetime

import polars as pl
import pytest

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.prices.bodies import FinalBars, LandedBody, read_bodies
from pipelines.prices.revisions import VALUES, revise
from pipelines.tables import DAILY_PRICES
from tests.support.recorded_bars import bars_of, changed_body
from tests.support.vendor_bodies import daily_body

CALENDAR = ExchangeCalendar.of("XNYS")
FIRST_NIGHT = datetime(2024, 1, 9, 2, tzinfo=UTC)
NEXT_NIGHT = datetime(2024, 1, 10, 2, tzinfo=UTC)
LONG_AFTER = FinalBars(datetime(2024, 12, 31, 12, tzinfo=UTC), CALENDAR)
NOTHING = pl.DataFrame(
    schema={
        **BAR_SCHEMA,
        "revision": pl.Int32,
        "response_id": pl.Int64,
        "known_at": pl.Datetime("us", "UTC"),
        "known_at_basis": pl.String,
    }
)


def sent(bars: pl.DataFrame, response_id: int = 1) -> pl.DataFrame:
    """Return bars as they come out of a landed body."""
    return bars.with_columns(pl.lit(response_id, dtype=pl.Int64).alias("response_id"))


def first_load(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that a first answer makes."""
    return revise(NOTHING, sent(bars), as_of=FIRST_NIGHT, calendar=CALENDAR)


def test_history_of_a_first_answer_is_assumed_known_when_it_was_final() -> None:
    """All history would seem to be learned tonight, and no model could be trained on it."""
    rows = first_load(bars_of("IBM", [10.0, 11.0, 12.0]))
    assert rows["known_at_basis"].unique().to_list() == ["assumed"]
    assert rows["revision"].to_list() == [1, 1, 1]
    friday_before = CALENDAR.known_at(date(2023, 12, 29))  # 1 January is no session
    known = [CALENDAR.known_at(date(2024, 1, day)) for day in (2, 3)]
    assert rows["known_at"].to_list() == [friday_before, *known]
    assert set(DAILY_PRICES.column_names) <= set(rows.columns)


def test_what_comes_later_is_observed_at_the_night() -> None:
    """A bar that we saw late would be used for a night that could not know it."""
    bars = bars_of("IBM", [10.0, 11.0, 12.0])
    stored = first_load(bars.head(2))
    rows = revise(stored, sent(bars, 2), as_of=NEXT_NIGHT, calendar=CALENDAR)
    assert rows.select("session", "known_at", "known_at_basis", "revision").rows() == [
        (date(2024, 1, 3), NEXT_NIGHT, "observed", 1)
    ]


def test_a_symbol_seen_for_the_first_time_beside_a_known_one_is_assumed() -> None:
    """What is known is asked of each symbol by itself."""
    stored = first_load(bars_of("IBM", [10.0]))
    both = pl.concat([bars_of("IBM", [10.0, 11.0]), bars_of("FB", [30.0])])
    rows = revise(stored, sent(both, 2), as_of=NEXT_NIGHT, calendar=CALENDAR)
    basis = dict(rows.select("symbol", "known_at_basis").iter_rows())
    assert basis == {"IBM": "observed", "FB": "assumed"}


def test_rows_that_are_the_same_are_not_returned() -> None:
    """Every night would rewrite all history and wake every table downstream."""
    bars = bars_of("IBM", [10.0, 11.0])
    assert revise(first_load(bars), sent(bars, 2), as_of=NEXT_NIGHT, calendar=CALENDAR).is_empty()


@pytest.mark.parametrize("name", VALUES)
def test_a_change_of_any_value_is_a_revision(name: str) -> None:
    """A correction by the vendor would go unnoticed."""
    bars = bars_of("IBM", [10.0, 11.0, 12.0])
    is_revised = pl.col("session") == date(2024, 1, 2)
    changed = bars.with_columns(pl.when(is_revised).then(pl.col(name) + 1).otherwise(name))
    rows = revise(first_load(bars), sent(changed, 9), as_of=NEXT_NIGHT, calendar=CALENDAR)
    told = rows.select("session", "revision", "known_at_basis", "response_id").rows()
    assert told == [(date(2024, 1, 2), 2, "observed", 9)]


def test_each_change_counts_one_revision_more() -> None:
    """The count tells a person how restless the vendor's bar is."""
    rows = first_load(bars_of("IBM", [10.0]))
    for close in (11.0, 10.0, 12.0):
        rows = revise(rows, sent(bars_of("IBM", [close])), as_of=NEXT_NIGHT, calendar=CALENDAR)
    assert rows["revision"].to_list() == [4]


def test_the_newest_answer_wins_within_one_reading() -> None:
    """A full answer follows the compact one that announced a split: it must not lose."""
    bodies = [
        LandedBody(8, "IBM", daily_body(bars_of("IBM", [10.0, 12.0]))),
        LandedBody(7, "IBM", daily_body(bars_of("IBM", [10.0, 11.0, 13.0]))),
    ]
    bars = read_bodies(bodies, NOTHING, final=LONG_AFTER).bars
    assert bars.select("close", "response_id").rows() == [(10.0, 8), (12.0, 8), (13.0, 7)]


def test_the_partial_bar_of_today_is_left_out() -> None:
    """During a session the vendor's newest row is unfinished; it would be taken for the day."""
    body = LandedBody(1, "IBM", daily_body(bars_of("IBM", [10.0, 11.0, 12.0])))
    evening = FinalBars(datetime(2024, 1, 3, 2, tzinfo=UTC), CALENDAR)
    bars = read_bodies([body], NOTHING, final=evening).bars
    assert bars["session"].to_list() == [date(2024, 1, 1), date(2024, 1, 2)]


def test_a_body_that_is_read_later_is_as_old_as_it_was() -> None:
    """A series asked at noon, put together with tonight's dividends, would bring half a session."""
    noon = datetime(2024, 1, 3, 17, tzinfo=UTC)
    body = LandedBody(1, "IBM", daily_body(bars_of("IBM", [10.0, 11.0, 12.0])), fetched_at=noon)
    bars = read_bodies([body], NOTHING, final=LONG_AFTER).bars
    assert bars["session"].to_list() == [date(2024, 1, 1), date(2024, 1, 2)]


@pytest.mark.parametrize(
    ("refreshed", "days"),
    [("2024-01-03 14:35:00", 2), ("2024-01-03 16:00:01", 3), ("2024-01-03", 3)],
    ids=["during the session", "after the close", "a day alone"],
)
def test_a_body_that_says_it_is_of_the_running_session_lacks_it(refreshed: str, days: int) -> None:
    """A stale answer of the afternoon, sent at night, would be taken for the whole session."""
    text = daily_body(bars_of("IBM", [10.0, 11.0, 12.0]))
    told = text.replace('"3. Last Refreshed": "2024-01-03"', f'"3. Last Refreshed": "{refreshed}"')
    assert (told == text) == (refreshed == "2024-01-03")
    assert read_bodies([LandedBody(1, "IBM", told)], NOTHING, final=LONG_AFTER).bars.height == days


def test_an_unreadable_body_is_named_and_the_others_are_read() -> None:
    """One broken answer would stop the night for every symbol."""
    good = daily_body(bars_of("IBM", [10.0]))
    broken = json.dumps(changed_body(json.loads(good), "2024-01-01", close="n/a"))
    answer = read_bodies(
        [LandedBody(1, "FB", broken.replace("IBM", "FB")), LandedBody(2, "IBM", good)],
        NOTHING,
        final=LONG_AFTER,
    )
    assert answer.bars["symbol"].to_list() == ["IBM"]
    (sentence,) = answer.unreadable
    assert sentence.startswith("FB: ")
    assert "'4. close' on 2024-01-01 is 'n/a'" in sentence


def test_no_bodies_make_no_bars() -> None:
    """A night of refusals alone reads nothing and must not fail."""
    answer = read_bodies([], NOTHING, final=LONG_AFTER)
    assert answer.bars.is_empty()
    rows = revise(NOTHING, answer.bars, as_of=NEXT_NIGHT, calendar=CALENDAR)
    assert rows.is_empty()
    assert set(DAILY_PRICES.column_names) <= set(rows.columns)


def test_a_bar_from_before_the_calendar_begins_does_not_stop_the_others() -> None:
    """A date of 1970 in one body would fail every night from then on; the rules quarantine it."""
    old = bars_of("IBM", [10.0]).with_columns(session=pl.lit(date(1970, 1, 1)))
    rows = first_load(pl.concat([old, bars_of("FB", [30.0])]))
    assert dict(rows.select("symbol", "known_at").iter_rows())["IBM"] == CALENDAR.known_at(
        CALENDAR.first_session
    )
