"""Vendor answers as rows of the lake: each answer one row, each distinct body kept once."""

import gzip
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import polars as pl

from pipelines.vendor.payloads import UnreadableBody, parse_daily_adjusted
from pipelines.vendor.requests import VendorRequest, follow_ups
from pipelines.vendor.responses import VendorResponse


def response_rows(responses: Sequence[VendorResponse], *, first_id: int) -> pl.DataFrame:
    """Return rows of `vendor_responses`, numbered from `first_id` in the order they came."""
    schema = pl.Schema(
        {
            "response_id": pl.Int64(),
            "function": pl.String(),
            "symbol": pl.String(),
            "request": pl.String(),
            "fetched_at": pl.Datetime("us", "UTC"),
            "outcome": pl.String(),
            "message": pl.String(),
            "body_sha256": pl.String(),
        }
    )
    rows = [
        (
            number,
            response.request.function,
            response.request.symbol,
            response.request.query_json,
            response.fetched_at,
            response.outcome,
            response.message,
            None if response.body is None else body_sha256(response.body),
        )
        for number, response in enumerate(responses, start=first_id)
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def body_rows(responses: Sequence[VendorResponse]) -> pl.DataFrame:
    """Return rows of `vendor_bodies`, one for each distinct body."""
    bodies = {
        body_sha256(response.body): compress(response.body)
        for response in responses
        if response.body is not None
    }
    columns = {"body_sha256": list(bodies), "body": list(bodies.values())}
    return pl.DataFrame(columns, schema={"body_sha256": pl.String(), "body": pl.Binary})


def body_sha256(body: str) -> str:
    """Return the name of a body: the SHA-256 of its UTF-8 bytes."""
    return hashlib.sha256(body.encode()).hexdigest()


def compress(body: str) -> bytes:
    """Return a body gzip-compressed, the same bytes whenever it is done."""
    return gzip.compress(body.encode(), mtime=0)


def decompress(body: bytes) -> str:
    """Return the text of a compressed body."""
    return gzip.decompress(body).decode()


def ask_again(
    latest_sessions: Mapping[str, date],
) -> Callable[[VendorResponse], list[VendorRequest]]:
    """Return the follow-up rule of a night: what an answer makes us ask for again.

    Args:
        latest_sessions: The newest session that was stored of each symbol before the night.
    """

    def follow_up(response: VendorResponse) -> list[VendorRequest]:
        symbol = response.request.symbol
        try:
            bars = parse_daily_adjusted(response.body or "", symbol=symbol)
        except UnreadableBody:
            return []  # daily_prices names the fault when it reads the landed body
        return follow_ups(response.request, bars, latest_sessions.get(symbol))

    return follow_up
