"""Connections to MongoDB, and its errors as one clear sentence without the password.

`pymongo` costs a third of a second to import, so `resources.serving` imports this module late.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any

import dagster as dg
from bson.codec_options import CodecOptions
from pymongo import MongoClient, WriteConcern
from pymongo.database import Database
from pymongo.errors import AutoReconnect, BulkWriteError, OperationFailure, PyMongoError

from resources.mongodb_address import redacted

Document = dict[str, Any]

UNAUTHORIZED_CODES = frozenset({13, 18})
INDEX_CONFLICT_CODES = frozenset({85, 86})
ANSWER_MILLISECONDS = 60_000
# Without the journal a killed standalone server lost 105 of 200 acknowledged inserts.
JOURNALED = WriteConcern("majority", wtimeout=ANSWER_MILLISECONDS, j=True)


class ServingUnavailableError(Exception):
    """The server did not answer or broke off; the same step may succeed when repeated."""


class ServingRefusedError(dg.Failure):
    """The address, the user or a write is not accepted; repeating cannot help."""

    def __init__(self, message: str) -> None:
        super().__init__(description=message, allow_retries=False)


@contextmanager
def connect(uri: str, database: str, *, connect_seconds: float) -> Iterator[Database[Document]]:
    """Open a database for the length of a `with` block; its errors come out as sentences.

    Instants are read as UTC; a write counts only once it is in the journal.

    Raises:
        ServingUnavailableError: no server answers, or it broke off.
        ServingRefusedError: the address, the user or a write is not accepted.
    """
    with (
        _clear_errors(redacted(uri)),
        _client(uri, connect_milliseconds=round(connect_seconds * 1000)) as client,
    ):
        yield client.get_database(
            database,
            codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
            write_concern=JOURNALED,
        )


def _client(uri: str, *, connect_milliseconds: int) -> MongoClient[Document]:
    """Make a client; nothing is connected yet, but the address must be one."""
    try:
        return MongoClient(
            uri,
            serverSelectionTimeoutMS=connect_milliseconds,
            connectTimeoutMS=connect_milliseconds,
            socketTimeoutMS=ANSWER_MILLISECONDS,
            appname="nightdesk",
        )
    except (PyMongoError, ValueError, TypeError) as error:
        # What the driver says may quote a part of the password, so it is not repeated.
        message = (
            f"{redacted(uri)} is no usable MongoDB address ({type(error).__name__}): MONGODB_URI "
            "looks like mongodb://user:password@host:27017/, where special characters in user and "
            "password are percent-encoded"
        )
        raise ServingRefusedError(message) from None
    except OSError as error:
        message = (
            f"the file {error.filename} that MONGODB_URI names can't be read ({error.strerror}): "
            "correct tlsCAFile or tlsCertificateKeyFile"
        )
        raise ServingRefusedError(message) from None


@contextmanager
def _clear_errors(address: str) -> Iterator[None]:
    """Turn the driver's errors into sentences that name the server and the way out."""
    try:
        yield
    except BulkWriteError as error:
        raise ServingRefusedError(_rejected_writes(error, address)) from None
    except OperationFailure as error:
        raise ServingRefusedError(_refusal(error, address)) from None
    except AutoReconnect as error:
        raise _lost_connection(error, address) from None
    except PyMongoError as error:
        message = f"MongoDB at {address} cannot be used: {error}"
        raise ServingRefusedError(message) from None


def _lost_connection(error: AutoReconnect, address: str) -> Exception:
    """Say why there is no connection; to a server whose certificate is not trusted for good."""
    detail = str(error).partition(" (configured timeouts")[0]
    if "certificate verify failed" in detail:
        message = (
            f"the certificate of MongoDB at {address} is not trusted ({detail}): name the file of "
            "the authority that issued it in tlsCAFile of MONGODB_URI"
        )
        return ServingRefusedError(message)
    hint = "; a server that speaks TLS only wants tls=true in MONGODB_URI"
    message = (
        f"no MongoDB answers at {address} ({detail}): start the server, or correct "
        f"MONGODB_URI{hint if 'connection closed' in detail else ''}; without MONGODB_URI an "
        "embedded server is started"
    )
    return ServingUnavailableError(message)


def _refusal(error: OperationFailure, address: str) -> str:
    """Say why the server refused a command."""
    reason = (error.details or {}).get("errmsg", str(error))
    if error.code in UNAUTHORIZED_CODES:
        return (
            f"MongoDB at {address} does not let this user in ({reason}): check user, password and "
            "authSource in MONGODB_URI, and that the user may read and write the database"
        )
    if error.code in INDEX_CONFLICT_CODES:
        return (
            f"MongoDB at {address} has an index that conflicts with ours ({reason}): drop that "
            "index, or give ours other keys"
        )
    return f"MongoDB at {address} refused: {reason}"


def _rejected_writes(error: BulkWriteError, address: str) -> str:
    """Say how many writes of a batch the server rejected, and why the first."""
    details = error.details or {}
    rejected = details.get("writeErrors") or details.get("writeConcernErrors") or [{}]
    reason = rejected[0].get("errmsg", str(error))
    return f"MongoDB at {address} rejected {len(rejected)} writes of a batch, the first: {reason}"
