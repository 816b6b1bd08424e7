"""The documented MongoDB role on a server with --auth: enough for the desk, and no more."""

import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from pipelines.documents.catalogue import DOCUMENTS
from pipelines.documents.privileges import ROLE, least_privilege_role
from resources.mongod_launch import mongod_binary
from resources.serving import Serving
from tests.support.documents import a_price

AS_OF = datetime(2013, 3, 2, 1, tzinfo=UTC)
DATABASE = "quant-service"
PASSWORD = "desk/pass word"
READY_SECONDS = 20


@pytest.fixture(scope="module")
def guarded_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a mongod with --auth that knows an administrator and the desk's user."""
    home = tmp_path_factory.mktemp("guarded")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    server = subprocess.Popen(
        [
            *(mongod_binary(), "--auth", "--dbpath", home, "--bind_ip", "127.0.0.1"),
            *("--port", str(port), "--nounixsocket", "--logpath", home / "mongod.log"),
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        create_users(port)
        yield port
    finally:
        server.terminate()
        server.wait(READY_SECONDS)


def create_users(port: int) -> None:
    """Create the administrator and, as the page says, the desk's role and user."""
    seconds = READY_SECONDS * 1000
    with MongoClient("127.0.0.1", port, serverSelectionTimeoutMS=seconds) as client:
        client["admin"].command("createUser", "admin", pwd="admin", roles=["root"])
    with MongoClient(f"mongodb://admin:admin@127.0.0.1:{port}/") as client:
        client[DATABASE].command(least_privilege_role(DATABASE))
        client[DATABASE].command("createUser", "nightdesk", pwd=PASSWORD, roles=[ROLE])


def desk_address(port: int) -> str:
    """Return the address that the page tells to set."""
    return f"mongodb://nightdesk:desk%2Fpass%20word@127.0.0.1:{port}/?authSource={DATABASE}"


def test_the_role_is_enough_to_publish(guarded_port: int) -> None:
    """A page whose role does not work would be replaced by root on the first evening."""
    serving = Serving(uri=desk_address(guarded_port), database=DATABASE)
    serving.ensure_indexes(DOCUMENTS)
    document = a_price()
    report = serving.reconcile(type(document), [document], scope={}, as_of=AS_OF)
    assert report.inserted == 1
    assert serving.reconcile(type(document), [], scope={}, as_of=AS_OF).deleted == 1
    with MongoClient(desk_address(guarded_port)) as client:
        assert list(client[DATABASE]["watchlists"].find()) == []


@pytest.mark.parametrize("collection", ["strategies", "watchlists", "strategy_templates"])
def test_the_role_writes_nothing_of_the_backend_s(guarded_port: int, collection: str) -> None:
    """A mistake of ours must not be able to reach what others own."""
    with MongoClient(desk_address(guarded_port)) as client:
        with pytest.raises(OperationFailure, match="not authorized"):
            client[DATABASE][collection].insert_one({"symbol": "AAPL"})
        with pytest.raises(OperationFailure, match="not authorized"):
            client[DATABASE]["stock_price_daily"].drop()
