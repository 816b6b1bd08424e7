"""Coverage: what the backend believes of our freshness, and so deletes or keeps."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from pipelines.calendar import ExchangeCalendar
from pipelines.documents.coverage import StockDataCoverage, coverage_documents
from tests.support.backend_contract import assert_valid
from tests.support.documents import AS_OF

CALENDAR = ExchangeCalendar.of("XNYS")
FULL_AT = datetime(2013, 2, 1, 1, tzinfo=UTC)
REFRESH = {
    "symbol": "IBM",
    "refreshed_at": datetime(2013, 3, 1, 1, tzinfo=UTC),
    "refreshed_through": date(2013, 2, 28),
    "full_at": FULL_AT,
    "is_past_outdated": False,
}


def coverage(**changes: Any) -> StockDataCoverage:
    """Return the document of IBM's daily bars after a refresh."""
    holdings = pl.DataFrame(
        [("IBM", "daily", date(2000, 3, 1), date(2013, 2, 28), 3_268)],
        schema=["symbol", "data_type", "first_date", "last_date", "total_records"],
        orient="row",
    )
    refreshes = pl.DataFrame([REFRESH | changes])
    (document,) = coverage_documents(
        holdings, refreshes, active=["IBM"], source="sample", calendar=CALENDAR
    )
    return document


def test_a_refreshed_symbol_is_fresh_until_the_next_session_is_final() -> None:
    """Otherwise the backend deletes our bars and fetches them again, annotations gone."""
    document = coverage()
    assert document.last_full_update == document.last_delta_update == REFRESH["refreshed_at"]
    assert document.next_update_due == CALENDAR.known_at(date(2013, 3, 1))
    assert document.is_active
    assert_valid(
        "stock_data_coverage", document.to_mongo() | {"created_at": AS_OF, "updated_at": AS_OF}
    )


@pytest.mark.parametrize(
    ("changes", "full_update"),
    [({"is_past_outdated": True}, FULL_AT), ({"full_at": None}, None)],
    ids=["a split came after the last full answer", "never a full answer"],
)
def test_a_past_that_was_not_seen_anew_is_not_called_fresh(
    changes: dict[str, Any], full_update: datetime | None
) -> None:
    """Staleness must never be masked: adjusted closes of the whole past may be wrong."""
    document = coverage(**changes)
    assert document.last_full_update == full_update
    assert document.last_delta_update == REFRESH["refreshed_at"]


def test_a_symbol_that_was_never_refreshed_has_no_stamp() -> None:
    """Bars can be held of a symbol whose newest session never came."""
    document = coverage(symbol="AAPL")
    stamps = (document.last_full_update, document.last_delta_update, document.next_update_due)
    assert stamps == (None, None, None)
    assert_valid(
        "stock_data_coverage", document.to_mongo() | {"created_at": AS_OF, "updated_at": AS_OF}
    )
