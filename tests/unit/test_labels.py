"""Labels of the next session: where they exist, what they say and what may move them."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.labels import label_query
from tests.support.clean_bars import FIRST_SESSION, simulated_clean_prices
from tests.support.feature_queries import run_query
from tests.support.mutation import assert_past_unmoved

BARS = simulated_clean_prices(np.random.default_rng(5), sessions=60)
CALENDAR = pl.DataFrame({"session": [FIRST_SESSION + timedelta(days=day) for day in range(90)]})


def labels_of(bars: pl.DataFrame, sessions: pl.DataFrame = CALENDAR) -> pl.DataFrame:
    """Return all labels of the bars."""
    query = label_query(source="clean_prices", sessions="sessions")
    return run_query(query, clean_prices=bars, sessions=sessions).sort("symbol", "session")


def bars_of(index_by_day: dict[int, float], symbol: str = "AAA") -> pl.DataFrame:
    """Return rows of one symbol on these days of January 2020."""
    return pl.DataFrame(
        {
            "symbol": symbol,
            "session": [date(2020, 1, day) for day in index_by_day],
            "total_return_index": list(index_by_day.values()),
        }
    )


def test_a_label_is_the_total_return_to_the_next_session() -> None:
    """The model would learn another question than the one it is asked."""
    rows = labels_of(bars_of({1: 1.0, 2: 1.5, 3: 1.5, 4: 1.2})).rows(named=True)
    assert [row["next_session_return"] for row in rows] == pytest.approx([0.5, 0.0, -0.2])
    assert [row["is_up"] for row in rows] == [True, False, False]
    assert [row["label_end"].day for row in rows] == [2, 3, 4]


def test_the_last_session_has_no_label() -> None:
    """A future that is not known would be taken for a fall."""
    assert labels_of(bars_of({1: 1.0, 2: 1.1}))["session"].to_list() == [date(2020, 1, 1)]


def test_a_gap_leaves_no_label_before_it() -> None:
    """A return over several sessions would pass for one of a single session."""
    labels = labels_of(bars_of({1: 1.0, 2: 1.1, 4: 1.2, 5: 1.3}))
    assert [session.day for session in labels["session"]] == [1, 4]


def test_a_day_without_a_session_is_no_gap() -> None:
    """Every Friday would lose its label."""
    open_days = CALENDAR.filter(pl.col("session") != date(2020, 1, 3))
    labels = labels_of(bars_of({1: 1.0, 2: 1.1, 4: 1.2}), open_days)
    assert [session.day for session in labels["session"]] == [1, 2]


def test_repeated_sessions_of_the_calendar_relation_repeat_no_label() -> None:
    """A price table used as the calendar holds each session once a symbol."""
    bars = pl.concat([bars_of({1: 1.0, 2: 1.1}), bars_of({1: 1.0, 2: 1.1}, "BBB")])
    assert len(labels_of(bars, bars.select("session"))) == 2


def test_changing_rows_after_a_label_ends_moves_no_label() -> None:
    """A training label would hold more of the future than its label_end says."""
    session = FIRST_SESSION + timedelta(days=40)
    rng = np.random.default_rng(2)
    assert_past_unmoved(labels_of, BARS, session, rng, known_on="label_end")


def test_the_same_proof_fails_when_a_label_says_it_ends_too_early() -> None:
    """The proof would pass whatever the labels say."""
    early = pl.col("session").alias("label_end")
    with pytest.raises(AssertionError):
        assert_past_unmoved(
            lambda bars: labels_of(bars).with_columns(early),
            BARS,
            FIRST_SESSION + timedelta(days=40),
            np.random.default_rng(2),
            known_on="label_end",
        )


@settings(max_examples=15, deadline=None)
@given(
    symbol=st.sampled_from(["S0", "S1"]),
    day=st.integers(0, 62),
    kind=st.sampled_from(["revised", "removed", "none"]),
)
def test_replacing_the_affected_labels_gives_the_full_rebuild(
    symbol: str, day: int, kind: str
) -> None:
    """A revised or quarantined price would leave the label of the session before it as it was."""
    changed_on = FIRST_SESSION + timedelta(days=day)
    is_row = (pl.col("symbol") == symbol) & (pl.col("session") == changed_on)
    after = {
        "none": BARS,
        "removed": BARS.filter(~is_row),
        "revised": BARS.with_columns(
            total_return_index=pl.col("total_return_index") * pl.when(is_row).then(1.1).otherwise(1)
        ),
    }[kind]
    changes = pl.DataFrame({"symbol": [symbol], "from_session": [changed_on]})
    query = label_query(source="clean_prices", sessions="sessions", changes="changes")
    fresh = run_query(query, clean_prices=after, sessions=CALENDAR, changes=changes)
    is_affected = (pl.col("symbol") == symbol) & (pl.col("label_end") >= changed_on)
    kept = labels_of(BARS).filter(~is_affected)
    merged = pl.concat([kept, fresh]).sort("symbol", "session")
    assert_frame_equal(merged, labels_of(after), check_exact=True)
