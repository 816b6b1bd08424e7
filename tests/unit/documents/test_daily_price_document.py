"""Bars as the backend charts them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.documents.daily_price import DAILY_PRICE_SERIES, DailyPrice
from tests.support.clean_bars import chained
from tests.support.documents import a_price
from tests.support.price_series import documents_of
from tests.support.recorded_bars import bars_of


@pytest.mark.parametrize(
    "change", [{"high": 10.4}, {"low": 10.1}, {"close": 0.0}, {"volume": 1.5}, {"volume": -1}]
)
def test_bars_that_the_backend_rejects_are_refused(change: dict[str, Any]) -> None:
    """One bad bar poisons the whole chart."""
    with pytest.raises(ValidationError):
        a_price(**change)


def daily(*args: Any, **changes: Any) -> list[DailyPrice]:
    """Return the documents of one symbol's closes."""
    bars = chained(bars_of(*args, **changes))
    return [bar for bar in documents_of(DAILY_PRICE_SERIES, bars) if isinstance(bar, DailyPrice)]


def test_a_split_is_no_price_change_and_the_first_bar_has_none() -> None:
    """The chart would show a crash of half the price on the day of a split."""
    before, after = daily("A", [10.0, 5.5], split_coefficient={1: 2.0})
    assert (before.symbol, before.date) == ("A", datetime(2024, 1, 1, tzinfo=UTC))
    assert (before.price_change, before.price_change_percent) == (None, None)
    assert (after.price_change, after.price_change_percent) == (0.5, 10.0)
    assert (after.source, after.split_coefficient) == ("sample", 2.0)


def test_a_split_in_a_withheld_bar_is_no_price_change_either() -> None:
    """The bar is not charted, but the shares were split all the same."""
    bars = chained(bars_of("A", [10.0, 5.0, 5.5], split_coefficient={1: 2.0}))
    _, after = documents_of(DAILY_PRICE_SERIES, bars[[0, 2]])
    assert isinstance(after, DailyPrice)
    assert after.price_change == 0.5
