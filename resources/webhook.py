"""The webhook that is called when a night did not happen."""

import hashlib
import hmac
import json
import logging
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.alerts import Alert

LOGGER = logging.getLogger(__name__)
SIGNATURE_HEADER = "X-Nightdesk-Signature"


class Webhook(dg.ConfigurableResource[Any]):
    """An address of the user's that takes alerts as JSON; without one, alerts are logged only."""

    url: str = Field(default="", repr=False, description="Where to post; may hold a token.")
    secret: str = Field(
        default="", repr=False, description="Signs each body with HMAC-SHA256; empty: unsigned."
    )
    timeout_seconds: float = Field(default=10.0, gt=0, description="How long to wait for it.")

    def send(self, alert: Alert) -> bool:
        """Post an alert, and return whether it was taken.

        A webhook that fails must not fail what called it: it is logged, without the address, and
        the alert itself stands in the log either way.
        """
        import requests

        LOGGER.error("%s", alert.message)
        if not self.url:
            return False
        body = json.dumps(alert.to_document(), sort_keys=True).encode()
        try:
            answer = requests.post(
                self.url, data=body, headers=self._headers(body), timeout=self.timeout_seconds
            )
        except requests.RequestException as error:
            LOGGER.error("the webhook was not reached: %s", type(error).__name__)  # noqa: TRY400
            return False
        if not answer.ok:
            LOGGER.error("the webhook answered HTTP %d", answer.status_code)
        return answer.ok

    def _headers(self, body: bytes) -> dict[str, str]:
        """Return the headers of a body, its signature among them where there is a secret."""
        headers = {"Content-Type": "application/json"}
        if self.secret:
            digest = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
            headers[SIGNATURE_HEADER] = f"sha256={digest}"
        return headers
