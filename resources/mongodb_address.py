"""How a MongoDB address is shown to people."""

import re

HIDDEN = "***"
# Options whose values are secrets: tlsCertificateKeyFilePassword, authMechanismProperties, …
_SECRET_OPTION = re.compile(r"(?i)([?&][^=&]*(?:password|properties|token)[^=&]*=)[^&]*")


def redacted(uri: str) -> str:
    """Return the address with password and secret options hidden, even if it is malformed."""
    head, at, tail = uri.rpartition("@")
    if at:
        scheme, slashes, credentials = head.partition("://")
        user, colon, _ = (credentials if slashes else head).partition(":")
        uri = f"{scheme + slashes if slashes else ''}{user}{colon and ':' + HIDDEN}@{tail}"
    return _SECRET_OPTION.sub(rf"\1{HIDDEN}", uri)
