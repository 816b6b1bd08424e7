"""What weekly bars change: the running week moves on, the past keeps its instant."""

from datetime import date

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.prices.weekly import WeeklyNews, weekly_news
from pipelines.tables import WEEKLY_PRICES
from pipelines.vendor.payloads import WEEKLY_SCHEMA

CALENDAR = ExchangeCalendar.of("XNYS")
WEDNESDAY, THURSDAY, FRIDAY = date(2013, 2, 27), date(2013, 2, 28), date(2013, 3, 1)
BEFORE = date(2013, 2, 22)


def sent(volumes: dict[date, int], *, adjusted: float = 100.0) -> pl.DataFrame:
    """Return weekly bars of IBM by their last session."""
    rows = [
        ("IBM", day, 100.0, 101.0, 99.0, 100.0, adjusted, volume, 0.0)
        for day, volume in volumes.items()
    ]
    return pl.DataFrame(rows, schema=WEEKLY_SCHEMA, orient="row")


def nothing() -> pl.DataFrame:
    """Return an empty table."""
    types = {"known_at": pl.Datetime("us", "UTC"), "known_at_basis": pl.String}
    types |= {"revision": pl.Int32, "response_id": pl.Int64}
    return pl.DataFrame(schema={**WEEKLY_SCHEMA, **types}).select(WEEKLY_PRICES.column_names)


def news(stored: pl.DataFrame, bars: pl.DataFrame, session: date) -> WeeklyNews:
    """Return what the night of a session brings."""
    as_of = CALENDAR.known_at(session)
    return weekly_news(stored, bars, as_of=as_of, calendar=CALENDAR)


def after(stored: pl.DataFrame, brought: WeeklyNews) -> pl.DataFrame:
    """Return the table after a night."""
    rows = brought.rows.with_columns(response_id=pl.lit(1, dtype=pl.Int64))
    kept = stored.join(brought.replaced, on=["symbol", "session"], how="anti")
    others = kept.join(rows, on=["symbol", "session"], how="anti")
    return pl.concat([others, rows.select(stored.columns).cast(stored.schema)]).sort("session")


def test_the_bar_of_the_running_week_gives_way_to_the_next_one() -> None:
    """Left behind, Wednesday's would be a second bar of the same week."""
    stored = after(nothing(), news(nothing(), sent({BEFORE: 5, WEDNESDAY: 3}), WEDNESDAY))
    assert stored["session"].to_list() == [BEFORE, WEDNESDAY]
    brought = news(stored, sent({BEFORE: 5, THURSDAY: 4}), THURSDAY)
    assert brought.replaced["session"].to_list() == [WEDNESDAY]
    later = after(stored, brought)
    told = later.select("session", "volume", "known_at", "known_at_basis").rows()
    assert told == [
        (BEFORE, 5, CALENDAR.known_at(BEFORE), "assumed"),
        (THURSDAY, 4, CALENDAR.known_at(THURSDAY), "observed"),
    ]


def test_a_week_whose_last_session_is_not_final_leaves_the_bar_before_in_place() -> None:
    """During a session the vendor keys the week by today, and shows a part of it."""
    stored = after(nothing(), news(nothing(), sent({WEDNESDAY: 3}), WEDNESDAY))
    brought = news(stored, sent({THURSDAY: 4}), WEDNESDAY)
    assert brought.rows.is_empty()
    assert brought.replaced.is_empty()


def test_a_dividend_changes_adjusted_closes_and_no_revision() -> None:
    """Each dividend restates the whole past: a thousand revisions a quarter would mean nothing."""
    stored = after(nothing(), news(nothing(), sent({BEFORE: 5}), BEFORE))
    restated = after(stored, news(stored, sent({BEFORE: 5}, adjusted=99.0), FRIDAY))
    assert restated.select("adjusted_close", "revision", "known_at_basis").rows() == [
        (99.0, 1, "assumed")
    ]
    revised = after(restated, news(restated, sent({BEFORE: 6}, adjusted=99.0), FRIDAY))
    assert revised.select("volume", "revision", "known_at").rows() == [
        (6, 2, CALENDAR.known_at(FRIDAY))
    ]


def test_the_same_answer_again_changes_nothing() -> None:
    """A rerun must not wake what follows from the table."""
    bars = sent({BEFORE: 5, WEDNESDAY: 3})
    stored = after(nothing(), news(nothing(), bars, WEDNESDAY))
    again = news(stored, bars, WEDNESDAY)
    assert again.rows.is_empty()
    assert again.replaced.is_empty()
