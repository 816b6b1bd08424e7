"""Webhooks: called when a night did not happen, and told of bars that look very wrong."""

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.alerts import Alert

LOGGER = logging.getLogger(__name__)
SIGNATURE_HEADER = "X-Nightdesk-Signature"
IDEMPOTENCY_HEADER = "Idempotency-Key"


class Webhook(dg.ConfigurableResource[Any]):
    """An address of the user's that takes JSON; without one, alerts are logged only."""

    url: str = Field(default="", repr=False, description="Where to post; may hold a token.")
    secret: str = Field(
        default="", repr=False, description="Signs each body with HMAC-SHA256; empty: unsigned."
    )
    timeout_seconds: float = Field(default=10.0, gt=0, description="How long to wait for it.")

    def send(self, alert: Alert) -> bool:
        """Post an alert, and return whether it was taken; it stands in the log either way."""
        LOGGER.error("%s", alert.message)
        return self.url != "" and self.post(alert.to_document()) is None

    def post(
        self, document: Mapping[str, object], *, idempotency_key: str | None = None
    ) -> str | None:
        """Post a document, and return why it was not taken; None if it was.

        A webhook that fails must not fail what called it. What is returned and logged holds neither
        the address nor anything that it answered: either may hold a token.

        Args:
            document: What is sent, as JSON.
            idempotency_key: Goes into a header: a receiver knows by it what it has had before.
        """
        import requests

        body = json.dumps(document, sort_keys=True, allow_nan=False).encode()
        headers = self._headers(body)
        if idempotency_key:
            headers[IDEMPOTENCY_HEADER] = idempotency_key
        try:
            answer = requests.post(
                self.url, data=body, headers=headers, timeout=self.timeout_seconds
            )
        except requests.RequestException as error:
            fault: str | None = f"the webhook was not reached: {type(error).__name__}"
        else:
            fault = None if answer.ok else f"the webhook answered HTTP {answer.status_code}"
        if fault:
            LOGGER.error("%s", fault)
        return fault

    def _headers(self, body: bytes) -> dict[str, str]:
        """Return the headers of a body, its signature among them where there is a secret."""
        headers = {"Content-Type": "application/json"}
        if self.secret:
            digest = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
            headers[SIGNATURE_HEADER] = f"sha256={digest}"
        return headers
