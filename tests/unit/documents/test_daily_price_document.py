"""Bars as the backend charts them."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from pipelines.documents.daily_price import daily_prices
from tests.support.documents import a_price


@pytest.mark.parametrize(
    "change", [{"high": 10.4}, {"low": 10.1}, {"close": 0.0}, {"volume": 1.5}, {"volume": -1}]
)
def test_bars_that_the_backend_rejects_are_refused(change: dict[str, Any]) -> None:
    """One bad bar poisons the whole chart."""
    with pytest.raises(ValidationError):
        a_price(**change)


def test_a_frame_of_clean_bars_becomes_documents_in_order() -> None:
    """A split is no price change, and a symbol's first bar has none."""
    frame = pl.DataFrame(
        {
            "symbol": ["B", "A", "A"],
            "session": [date(2013, 3, 1), date(2013, 3, 4), date(2013, 3, 1)],
            "open": [5.0, 4.9, 10.0],
            "high": [5.0, 5.6, 10.0],
            "low": [5.0, 4.8, 10.0],
            "close": [5.0, 5.5, 10.0],
            "volume": [1, 2, 3],
            "adjusted_close": [5.0, 5.5, 5.0],
            "dividend_amount": [0.0, 0.0, 0.0],
            "split_coefficient": [1.0, 2.0, 1.0],
        }
    )
    before, after, other = daily_prices(frame, source="sample")
    assert (before.symbol, after.symbol, other.symbol) == ("A", "A", "B")
    assert after.date == datetime(2013, 3, 4, tzinfo=UTC)
    assert (after.price_change, after.price_change_percent) == (0.5, 10.0)
    assert before.price_change is None
    assert other.price_change is None
    assert after.source == "sample"
