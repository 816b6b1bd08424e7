"""What an address of a PostgreSQL database must look like, told without quoting it."""

from urllib.parse import urlsplit

LIBPQ_SCHEME = "postgresql"
SQLALCHEMY_SCHEME = "postgresql+psycopg2"
"""SQLAlchemy 2.1 takes a plain `postgresql` for psycopg 3."""


def require_postgres_address(address: str, *, scheme: str) -> None:
    """Raise where an address is not one, or where the driver would quote parts of its password.

    Raises:
        ValueError: with what it should look like; the address itself is not in the message.
    """
    if not _is_address(address, scheme):
        message = (
            f"it should look like {scheme}://user:password@host:5432/database, special characters "
            "in user and password percent-encoded"
        )
        raise ValueError(message)


def _is_address(address: str, scheme: str) -> bool:
    """Return whether an address can be taken apart in one way only."""
    try:
        parts = urlsplit(address)
        has_host = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
    return (
        parts.scheme == scheme
        and has_host
        and parts.netloc.count("@") <= 1
        and parts.path.strip("/") != ""
    )
