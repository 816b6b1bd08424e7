"""Chunks of bars, and the fingerprints that tell whether one has to be published."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from pipelines.documents.daily_price import DAILY_PRICE_SERIES
from pipelines.documents.period_price import MONTHLY_PRICE_SERIES, WEEKLY_PRICE_SERIES
from pipelines.documents.price_series import Chunking, PriceSeries
from tests.support.clean_bars import chained
from tests.support.price_series import fingerprints_of, rows_of, since_of
from tests.support.recorded_bars import bars_of

BARS = chained(bars_of("A", [10.0 + day / 10 for day in range(60)]))  # 2024-01-01 to 02-29
FEBRUARY = date(2024, 2, 1)
IN_JANUARY = pl.col("session") == BARS["session"][30]


@pytest.mark.parametrize(
    "column", ["open", "high", "low", "close", "volume", "adjusted_close", "dividend_amount"]
)
@pytest.mark.parametrize("series", [DAILY_PRICE_SERIES, WEEKLY_PRICE_SERIES])
def test_a_change_of_any_value_changes_the_fingerprint(series: PriceSeries, column: str) -> None:
    """A revision that is not noticed is never published."""
    changed = BARS.with_columns(pl.col(column) + 1)
    before, after = fingerprints_of(series, BARS), fingerprints_of(series, changed)
    assert before.keys() == after.keys()
    assert all(before[chunk] != after[chunk] for chunk in before)


def test_a_change_reaches_only_the_chunks_that_depend_on_it() -> None:
    """January's last close is what February's first change is measured from."""
    before = fingerprints_of(DAILY_PRICE_SERIES, BARS)
    early = pl.col("session") == BARS["session"][3]
    for is_changed, chunks in ((early, {"2024-01"}), (IN_JANUARY, {"2024-01", "2024-02"})):
        changed = BARS.with_columns(
            close=pl.when(is_changed).then(pl.col("close") + 0.01).otherwise("close")
        )
        after = fingerprints_of(DAILY_PRICE_SERIES, changed)
        assert {name for (_, name) in before if before["A", name] != after["A", name]} == chunks


@pytest.mark.parametrize("series", [DAILY_PRICE_SERIES, WEEKLY_PRICE_SERIES, MONTHLY_PRICE_SERIES])
def test_rows_of_the_newest_chunk_follow_from_the_newest_sessions(series: PriceSeries) -> None:
    """A new session must not read the history; the last bar before a pause is part of it."""
    paused = bars_of("B", [20.0 + day for day in range(60)], split_coefficient={45: 2.0})
    kept = chained(paused.filter(~pl.col("session").is_between(BARS["session"][20], FEBRUARY)))
    clean = pl.concat([BARS, kept])
    newest = [(symbol, "2024-02") for symbol in ("A", "B")]
    everything = rows_of(series, clean, list(fingerprints_of(series, clean)))
    assert since_of(series, clean, newest) == BARS["session"][19]
    assert since_of(series, clean, newest[:1]) == date(2024, 1, 28)
    assert rows_of(series, clean, newest).equals(everything.filter(chunk="2024-02"))


def test_the_order_of_rows_is_no_change() -> None:
    """Files of the lake are merged now and then."""
    assert fingerprints_of(DAILY_PRICE_SERIES, BARS[::-1]) == fingerprints_of(
        DAILY_PRICE_SERIES, BARS
    )


def test_another_source_or_model_makes_every_mark_void() -> None:
    """Documents of an older model would otherwise stay as they are."""
    recipes = {
        series.recipe(source=source)
        for series in (DAILY_PRICE_SERIES, WEEKLY_PRICE_SERIES)
        for source in ("sample", "alpha_vantage")
    }
    assert len(recipes) == 4


@pytest.mark.parametrize(
    ("chunking", "name", "first", "end"),
    [
        (Chunking.MONTH, "2012-12", (2012, 12, 1), (2013, 1, 1)),
        (Chunking.MONTH, "2013-01", (2013, 1, 1), (2013, 2, 1)),
        (Chunking.YEAR, "2012", (2012, 1, 1), (2013, 1, 1)),
    ],
)
def test_a_chunk_begins_and_ends_with_its_month_or_year(
    chunking: Chunking, name: str, first: tuple[int, int, int], end: tuple[int, int, int]
) -> None:
    """A day between two chunks would be published by none."""
    bounds = chunking.bounds_of(name)
    assert bounds == (datetime(*first, tzinfo=UTC), datetime(*end, tzinfo=UTC))
    assert chunking.name_of(bounds[0]) == name
    assert chunking.name_of(bounds[1]) != name
