"""Answers as rows: every answer is a row, every distinct body is kept once."""

import hashlib
import time
from datetime import UTC, datetime

import pytest

from pipelines.tables import VENDOR_BODIES, VENDOR_RESPONSES
from pipelines.vendor.landing import (
    body_rows,
    compress,
    decompress,
    response_rows,
)
from pipelines.vendor.requests import daily_request
from pipelines.vendor.responses import VendorResponse

AS_OF = datetime(2024, 1, 9, 2, tzinfo=UTC)


def answered(body: str | None, outcome: str = "data", size: str = "compact") -> VendorResponse:
    """Return an answer to a question about IBM."""
    message = None if outcome == "data" else "what was wrong"
    return VendorResponse(daily_request("IBM", size), AS_OF, outcome, message, body)


def test_answers_are_numbered_in_the_order_they_came() -> None:
    """The newest answer wins, by its number."""
    rows = response_rows([answered("{}"), answered(None, "timeout")], first_id=41)
    assert rows.columns == list(VENDOR_RESPONSES.column_names)
    assert rows.select("response_id", "outcome", "message").rows() == [
        (41, "data", None),
        (42, "timeout", "what was wrong"),
    ]
    assert rows["body_sha256"].to_list() == [hashlib.sha256(b"{}").hexdigest(), None]


def test_an_identical_body_is_kept_once() -> None:
    """A vendor that repeats itself would fill the disk."""
    rows = body_rows([answered("{}"), answered("{} "), answered("{}"), answered(None, "timeout")])
    assert rows.columns == list(VENDOR_BODIES.column_names)
    assert [decompress(body) for body in rows["body"]] == ["{}", "{} "]


def test_no_answers_make_no_rows() -> None:
    """A night with nothing to ask."""
    assert body_rows([]).is_empty()
    assert response_rows([], first_id=1).is_empty()


def test_a_body_is_compressed_to_the_same_bytes_at_any_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Gzip writes the clock into its header: the lake would differ from run to run."""
    text = "시가총액 é\n" * 50
    now = compress(text)
    monkeypatch.setattr(time, "time", lambda: 4_000_000_000.0)
    assert compress(text) == now
    assert decompress(now) == text
