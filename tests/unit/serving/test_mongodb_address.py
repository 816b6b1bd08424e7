"""Addresses shown to people."""

import pytest

from resources.mongodb_address import redacted


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("mongodb://127.0.0.1:27017/", "mongodb://127.0.0.1:27017/"),
        ("mongodb://desk:s3cret@host:27017/?a=b", "mongodb://desk:***@host:27017/?a=b"),
        ("mongodb+srv://desk:p@ss/w://rd@host/", "mongodb+srv://desk:***@host/"),
        ("desk:s3cret@host", "desk:***@host"),
        ("mongodb://desk@host", "mongodb://desk@host"),
        (
            "mongodb://h/?tlsCertificateKeyFilePassword=x&w=1",
            "mongodb://h/?tlsCertificateKeyFilePassword=***&w=1",
        ),
        (
            "mongodb://h/?w=1&authMechanismProperties=AWS_SESSION_TOKEN:x",
            "mongodb://h/?w=1&authMechanismProperties=***",
        ),
    ],
    ids=["open", "password", "unescaped", "no scheme", "user only", "key file", "token"],
)
def test_no_secret_is_shown(uri: str, shown: str) -> None:
    """Addresses end up in logs and screenshots."""
    assert redacted(uri) == shown
