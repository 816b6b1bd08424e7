"""Weekly and monthly bars, made from daily ones."""

from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipelines.documents.period_price import (
    MONTHLY_PRICE_SERIES,
    WEEKLY_PRICE_SERIES,
    PeriodPrice,
)
from pipelines.documents.price_series import PriceSeries
from pipelines.documents.values import round_significant
from tests.support.backend_contract import assert_valid
from tests.support.clean_bars import chained, simulated_clean_prices
from tests.support.documents import AS_OF
from tests.support.price_series import documents_of
from tests.support.recorded_bars import bars_of

BOTH = pytest.mark.parametrize(
    "series", [WEEKLY_PRICE_SERIES, MONTHLY_PRICE_SERIES], ids=["weekly", "monthly"]
)


def period_bars(series: PriceSeries, clean: pl.DataFrame) -> list[PeriodPrice]:
    """Return the period bars of clean daily ones."""
    return [bar for bar in documents_of(series, clean) if isinstance(bar, PeriodPrice)]


def naive_period_bars(series: PriceSeries, clean: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the same bars by loops: what the words of the collection's description say."""

    def period(row: dict[str, Any]) -> tuple[object, ...]:
        session: date = row["session"]
        if series is WEEKLY_PRICE_SERIES:
            return row["symbol"], *session.isocalendar()[:2]
        return row["symbol"], session.year, session.month

    bars = []
    for _, group in groupby(clean.sort("symbol", "session").iter_rows(named=True), key=period):
        rows = list(group)
        last = rows[-1]
        shares = [last["split_factor"] / row["split_factor"] for row in rows]
        bars.append(
            {
                "symbol": last["symbol"],
                "date": datetime.combine(last["session"], datetime.min.time(), tzinfo=UTC),
                "open": rows[0]["open"] / shares[0],
                "high": max(row["high"] / share for row, share in zip(rows, shares, strict=True)),
                "low": min(row["low"] / share for row, share in zip(rows, shares, strict=True)),
                "close": last["close"],
                "volume": round(
                    sum(row["volume"] * share for row, share in zip(rows, shares, strict=True))
                ),
                "adjusted_close": last["adjusted_close"],
                "dividend_amount": sum(
                    row["dividend_amount"] / share for row, share in zip(rows, shares, strict=True)
                ),
                "split_coefficient": float(np.prod([row["split_coefficient"] for row in rows])),
                "sessions": len(rows),
            }
        )
    return bars


@BOTH
@pytest.mark.parametrize("seed", range(5))
def test_period_bars_are_what_their_description_says(series: PriceSeries, seed: int) -> None:
    """Splits, gaps and dividends within a period must not move its range or its volume."""
    clean = simulated_clean_prices(np.random.default_rng(seed), sessions=200, missing_share=0.2)
    clean = chained(clean)
    made = period_bars(series, clean)
    expected = naive_period_bars(series, clean)
    assert len(made) == len(expected)
    for bar, naive in zip(made, expected, strict=True):
        for name, value in naive.items():
            if isinstance(value, float):
                value = pytest.approx(round_significant(value), rel=1e-9)
            assert getattr(bar, name) == value, (bar.symbol, bar.date, name)


@BOTH
def test_period_bars_are_valid_for_the_backend(series: PriceSeries) -> None:
    """One invalid bar makes the backend's whole answer an error."""
    clean = simulated_clean_prices(np.random.default_rng(7), sessions=120)
    for bar in period_bars(series, clean):
        assert_valid(
            series.model.collection, bar.to_mongo() | {"created_at": AS_OF, "updated_at": AS_OF}
        )


def test_a_split_within_the_week_puts_the_days_before_on_the_new_shares() -> None:
    """Otherwise the week's high is a price that nobody could trade at on its last day."""
    bars = chained(
        bars_of(
            "A",
            [100.0, 110.0, 52.0],
            split_coefficient={2: 2.0},
            dividend_amount={0: 1.0, 2: 0.25},
        )
    )
    (week,) = period_bars(WEEKLY_PRICE_SERIES, bars)
    assert (week.open, week.high, week.low, week.close) == (50.0, 55.5, 25.0, 52.0)
    assert week.volume == 2 * 1_000 + 2 * 1_001 + 1_002
    assert (week.dividend_amount, week.split_coefficient, week.sessions) == (0.75, 2.0, 3)


def test_the_bar_of_a_period_that_runs_moves_with_its_latest_session() -> None:
    """The backend's newest bar must be dated by what it has seen."""
    bars = chained(bars_of("A", [10.0, 11.0, 12.0]))  # Monday to Wednesday
    (until_tuesday,) = period_bars(WEEKLY_PRICE_SERIES, bars[:2])
    (until_wednesday,) = period_bars(WEEKLY_PRICE_SERIES, bars)
    assert until_wednesday.date - until_tuesday.date == timedelta(days=1)
