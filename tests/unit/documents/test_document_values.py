"""Values of documents: rounded, in UTC, in milliseconds, and finite."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipelines.documents.values import cut_to_milliseconds, round_significant, to_mongo_value
from tests.support.documents import INSTANTS, a_price, a_signal


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(1 / 3, 0.3333333333), (123456789012.0, 123456789000.0), (-2e-20, -2e-20), (0.0, 0.0)],
)
def test_ten_significant_digits_are_kept(value: float, rounded: float) -> None:
    """More digits differ between two runs on two threads; fewer would lose what was measured."""
    assert round_significant(value) == rounded


def test_minus_zero_becomes_zero() -> None:
    """Both are equal when read back, but would hash differently."""
    assert math.copysign(1.0, round_significant(-0.0)) == 1.0


@given(st.floats(-1e308, 1e308))
def test_rounding_twice_changes_nothing(value: float) -> None:
    """A document read back and made again must be the same document."""
    assert round_significant(round_significant(value)) == round_significant(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.7976931348623157e308])
def test_numbers_that_are_not_finite_are_refused_with_the_way_out(value: float) -> None:
    """One NaN poisons a whole list read of the backend."""
    with pytest.raises(ValidationError, match=r"adjusted_close[\s\S]*publish null"):
        a_price(adjusted_close=value)


@pytest.mark.parametrize("field", ["probability", "confidence"])
def test_chances_outside_zero_to_one_are_refused(field: str) -> None:
    """The backend rejects a confidence of 1.0000001."""
    excess: dict[str, Any] = {field: 1.0000001}
    with pytest.raises(ValidationError, match=field):
        a_signal(**excess)


def test_instants_without_a_time_zone_are_refused() -> None:
    """The API would serve them as UTC, whatever they were."""
    with pytest.raises(ValueError, match="no time zone"):
        cut_to_milliseconds(datetime(2013, 3, 1, 12))  # noqa: DTZ001  the point of the test


@given(INSTANTS)
def test_instants_come_out_in_utc_and_whole_milliseconds(instant: datetime) -> None:
    """MongoDB cuts to milliseconds, so anything finer would not read back equal."""
    cut = cut_to_milliseconds(instant)
    assert cut.tzinfo is UTC
    assert cut.microsecond % 1000 == 0
    assert timedelta(0) <= instant - cut < timedelta(milliseconds=1)


def test_a_price_date_must_be_midnight_utc() -> None:
    """The backend looks bars up by this very instant."""
    eastern = timezone(timedelta(hours=-5))
    with pytest.raises(ValidationError, match="not midnight UTC"):
        a_price(date=datetime(2013, 3, 1, tzinfo=eastern))


def test_days_are_stored_as_text_and_tuples_as_lists() -> None:
    """BSON has no date without a time, and an array reads back as a list."""
    assert to_mongo_value({"days": (date(2013, 3, 1),)}) == {"days": ["2013-03-01"]}


def test_values_that_mongodb_would_change_are_refused() -> None:
    """A decimal would come back as another type and be rewritten every night."""
    with pytest.raises(TypeError, match="Decimal"):
        to_mongo_value(Decimal("1.5"))
