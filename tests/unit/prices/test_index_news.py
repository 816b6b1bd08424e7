"""What an answer about an index changes in `index_prices`, since when we know, what is refused."""

from datetime import date

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.indexes import INDEX_SCHEMA
from pipelines.prices.indexes import index_faults, index_news

CALENDAR = ExchangeCalendar.of("XNYS")
DAYS = CALENDAR.sessions(date(2013, 2, 25), date(2013, 3, 1))


def levels(closes: dict[date, float]) -> pl.DataFrame:
    """Return bars of SPX around closes."""
    rows = [("SPX", day, close, close + 1, close - 1, close) for day, close in closes.items()]
    return pl.DataFrame(rows, schema=INDEX_SCHEMA, orient="row")


def stored_after(sent: pl.DataFrame, day: date) -> pl.DataFrame:
    """Return what is stored after the first night."""
    return first_night(sent, day).with_columns(response_id=pl.lit(1, dtype=pl.Int64))


def first_night(sent: pl.DataFrame, day: date) -> pl.DataFrame:
    """Return the rows that the first answer brings."""
    nothing = pl.DataFrame(schema={**INDEX_SCHEMA, "revision": pl.Int32})
    return index_news(nothing, sent, as_of=CALENDAR.known_at(day), calendar=CALENDAR).rows


def test_the_first_answer_is_history_and_ends_with_the_last_final_session() -> None:
    """Today's level moves until the close: taken early, it would be a value nobody can replay."""
    rows = first_night(levels(dict.fromkeys(DAYS, 1500.0)), DAYS[2])
    assert rows["session"].to_list() == DAYS[:3]
    assert rows["known_at"].to_list() == [CALENDAR.known_at(day) for day in DAYS[:3]]
    assert set(rows["known_at_basis"]) == {"assumed"}
    assert rows["volume"].null_count() == 3


def test_later_answers_bring_what_is_new_or_changed_known_since_then() -> None:
    """A corrected level must not look as if the past had known it."""
    stored = stored_after(levels(dict.fromkeys(DAYS[:3], 1500.0)), DAYS[2])
    sent = levels({**dict.fromkeys(DAYS[:4], 1500.0), DAYS[1]: 1510.0})
    as_of = CALENDAR.known_at(DAYS[3])
    rows = index_news(stored, sent, as_of=as_of, calendar=CALENDAR).rows
    told = rows.select("session", "close", "revision", "known_at_basis", "known_at").rows()
    assert told == [
        (DAYS[1], 1510.0, 2, "observed", as_of),
        (DAYS[3], 1500.0, 1, "observed", as_of),
    ]


def test_a_level_that_cannot_be_is_not_taken_and_is_told() -> None:
    """No rule of the quality stage stands behind this table."""
    saturday = date(2013, 3, 2)
    sent = levels({DAYS[0]: 1500.0, DAYS[1]: 0.0, DAYS[2]: 1500.0, saturday: 1500.0})
    nothing = pl.DataFrame(schema={**INDEX_SCHEMA, "revision": pl.Int32})
    as_of = CALENDAR.known_at(date(2013, 3, 4))
    news = index_news(nothing, sent, as_of=as_of, calendar=CALENDAR)
    assert news.rows["session"].to_list() == [DAYS[0], DAYS[2]]
    assert news.refused.rows() == [
        ("SPX", DAYS[1], "a level is zero or below"),
        ("SPX", saturday, "the exchange does not trade on that day"),
    ]


def test_what_a_person_should_see_is_an_early_end_and_a_wild_step() -> None:
    """The VIX doubled once; a level ten times the one before is a wrong unit."""
    rows = levels({DAYS[0]: 20.0, DAYS[1]: 43.2, DAYS[2]: 432.0, DAYS[3]: 43.0})
    assert index_faults(rows, DAYS[3]) == [
        f"SPX on {DAYS[2]} is 10 times the day before",
        f"SPX on {DAYS[3]} is 0.0995 times the day before",
    ]
    assert index_faults(rows.head(2), DAYS[3]) == [f"SPX ends on {DAYS[1]}"]
    assert index_faults(rows.clear(), DAYS[3]) == []
