"""Vendor answers as rows of the lake: each answer one row, each distinct body kept once."""

import gzip
import hashlib
from collections.abc import Sequence

import polars as pl

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
            response.request.symbol or None,
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
