"""Batches of sessions: whole years where they fit, and nothing left out between them."""

import itertools
from datetime import date, timedelta

import polars as pl
import pytest

from pipelines.derivation_batches import Span, session_batches

FIRST, LAST = date(2018, 6, 1), date(2021, 3, 31)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
SPAN = Span(FIRST - timedelta(days=3), date(9999, 12, 31))


def batches(most: int, rows: int = 10) -> list[Span]:
    """Return the batches of days that have so many rows each."""
    sizes = pl.DataFrame({"session": DAYS}).with_columns(rows=pl.lit(rows))
    return list(session_batches(SPAN, sizes, most=most))


@pytest.mark.parametrize("most", [1, 25, 700, 3000, 3651, 6000, 10**9])
def test_batches_follow_one_another_from_end_to_end(most: int) -> None:
    """Sessions between two batches would have no features."""
    spans = batches(most)
    assert (spans[0].first, spans[-1].last) == (SPAN.first, SPAN.last)
    follows = [one.last + timedelta(days=1) == two.first for one, two in itertools.pairwise(spans)]
    assert all(follows)


def test_batches_are_whole_years_where_those_fit() -> None:
    """Files hold years: a batch of two halves would read both."""
    assert [span.first.year for span in batches(3660)] == [2018, 2019, 2020, 2021]
    assert [span.first for span in batches(6000)][1:] == [date(2020, 1, 1)]
    assert len(batches(10**9)) == 1


def test_a_year_that_does_not_fit_is_cut_by_rows() -> None:
    """Memory would hold a market's year, however many symbols it has."""
    spans = batches(1000)
    assert max((span.last - span.first).days for span in spans[1:-1]) <= 100


def test_without_rows_the_span_is_one_batch() -> None:
    """Rows that are no longer there have to be removed."""
    none = pl.DataFrame(schema={"session": pl.Date, "rows": pl.Int64})
    assert list(session_batches(SPAN, none, most=10)) == [SPAN]
