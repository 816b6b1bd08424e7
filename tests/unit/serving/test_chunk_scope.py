"""Which stored documents belong to chunks."""

from datetime import UTC, datetime

import pytest

from pipelines.documents.price_series import Chunking
from resources.publishing_scope import ChunkScope


def month(number: int) -> datetime:
    """Return the first instant of a month of 2013."""
    return datetime(2013, number, 1, tzinfo=UTC)


def test_neighbouring_chunks_are_one_span_and_equal_spans_one_clause() -> None:
    """Every night asks for the same month of every symbol: one clause, not thousands."""
    scope = ChunkScope(
        frozenset({("A", "2013-01"), ("A", "2013-02"), ("B", "2013-04"), ("C", "2013-04")}),
        Chunking.MONTH,
    )
    assert scope.query() == {
        "$or": [
            {"symbol": {"$in": ["A"]}, "date": {"$gte": month(1), "$lt": month(3)}},
            {"symbol": {"$in": ["B", "C"]}, "date": {"$gte": month(4), "$lt": month(5)}},
        ]
    }


@pytest.mark.parametrize(("symbol", "number"), [("B", 1), ("A", 2)])
def test_a_document_outside_the_chunks_is_refused(symbol: str, number: int) -> None:
    """Its stored predecessor would not be found, and it would be inserted twice."""
    scope = ChunkScope(frozenset({("A", "2013-01")}), Chunking.MONTH)
    scope.require({"symbol": "A", "date": month(1)})
    with pytest.raises(ValueError, match="is none of the 1 chunks"):
        scope.require({"symbol": symbol, "date": month(number)})


def test_a_chunk_of_which_rows_stand_is_meant_from_the_first_other_one_on() -> None:
    """What stands is neither read nor deleted; a document of it would have no predecessor."""
    chunks = frozenset({("A", "2013-01"), ("A", "2013-02")})
    day = datetime(2013, 2, 14, tzinfo=UTC)
    scope = ChunkScope(chunks, Chunking.MONTH, {("A", "2013-02"): day})
    assert [clause["date"] for clause in scope.query()["$or"]] == [
        {"$gte": month(1), "$lt": month(2)},
        {"$gte": day, "$lt": month(3)},
    ]
    scope.require({"symbol": "A", "date": day})
    with pytest.raises(ValueError, match="is none of the 2 chunks"):
        scope.require({"symbol": "A", "date": month(2)})
