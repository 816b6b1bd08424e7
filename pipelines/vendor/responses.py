"""What came back for a request: data, a refusal or a fault; with the body as it came."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipelines.vendor.refusals import classify_payload
from pipelines.vendor.requests import VendorRequest

DATA = "data"
SHOWN_CHARACTERS = 80


class FaultKind(StrEnum):
    """What went wrong between us and the vendor."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    HTTP_STATUS = "http_status"
    UNREADABLE = "unreadable"
    CONTENT_TYPE = "content_type"


@dataclass(frozen=True)
class VendorResponse:
    """One answer. `outcome` is `data`, a refusal kind or a fault kind; no field holds the key.

    `fetched_at` is the instant (UTC) by the market's clock. `message` says what was wrong, None
    for data; `body` is None where none came.
    """

    request: VendorRequest
    fetched_at: datetime
    outcome: str
    message: str | None
    body: str | None
    is_last: bool = True
    """Whether the question is not asked again tonight; each attempt is a response of its own."""

    @property
    def is_data(self) -> bool:
        """Whether the body is worth parsing."""
        return self.outcome == DATA


@dataclass(frozen=True)
class Judgement:
    """What a body is, before anyone knows which table it belongs to."""

    outcome: str
    message: str | None


def judge_body(body: str) -> Judgement:
    """Tell data from a refusal and from a body that is no JSON object (HTML, cut short)."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        return Judgement(FaultKind.UNREADABLE, f"not JSON ({error}): {excerpt(body)}")
    if not isinstance(payload, dict):
        return Judgement(FaultKind.UNREADABLE, f"not a JSON object: {excerpt(body)}")
    refusal = classify_payload(payload)
    if refusal is not None:
        return Judgement(refusal.kind, refusal.message)
    return Judgement(DATA, None)


def excerpt(value: object) -> str:
    """Return a value as it may stand in a message: quoted, one line, cut short."""
    shown = repr(value)
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}…"
