"""Object storage that may hold the lake's files: a bucket that speaks Amazon's S3 protocol."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

EXTENSION = "httpfs"
"""DuckDB's extension that reads and writes a bucket."""


def is_object_storage(data_path: str) -> bool:
    """Return whether files lie in a bucket and not in a folder."""
    return "://" in data_path


@dataclass(frozen=True)
class ObjectStorage:
    """Where a bucket is and who asks; empty words are left to the protocol's defaults.

    Attributes:
        key_id: Name of the key.
        secret: The key itself.
        region: Region of the bucket.
        endpoint: Address of a server other than Amazon's: https://host:port, or http://.
    """

    key_id: str = ""
    secret: str = field(default="", repr=False)
    region: str = ""
    endpoint: str = ""

    def secret_statement(self) -> str:
        """Return the SQL that tells a connection of DuckDB who asks; it holds the key."""
        address = urlsplit(self.endpoint)
        words = {
            "KEY_ID": self.key_id,
            "SECRET": self.secret,
            "REGION": self.region,
            # Other servers seldom answer under a host name for each bucket.
            **({"ENDPOINT": address.netloc, "URL_STYLE": "path"} if self.endpoint else {}),
        }
        given = [f"{name} {_quoted(value)}" for name, value in words.items() if value]
        if address.scheme == "http":
            given.append("USE_SSL false")
        return f"CREATE SECRET lake_files ({', '.join(['TYPE s3', *given])})"


def _quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
