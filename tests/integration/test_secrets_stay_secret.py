"""Key, password and webhook secret: every byte that a night writes is searched for them."""

import io
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from pymongo import MongoClient
from pymongo.uri_parser import parse_uri

from assets.groups import Group
from pipelines.tables import TABLES
from pipelines.vendor.landing import decompress
from resources.alpha_vantage import AlphaVantage
from resources.lake import Lake
from resources.serving import Serving
from resources.webhook import Webhook
from tests.support.desk import TRAINED_SESSION, Desk

API_KEY = "K3YTHATNOBODYSEES"
PASSWORD = "pa55-that-nobody-sees"
WEBHOOK_SECRET = "h00k-that-nobody-sees"
SECRETS = (API_KEY, PASSWORD, WEBHOOK_SECRET)


@pytest.fixture
def address(mongod_uri: str) -> Iterator[str]:
    """The test's mongod, for a user with a password."""
    with MongoClient(mongod_uri) as client:
        client["admin"].command("createUser", "desk", pwd=PASSWORD, roles=["root"])
        host, port = parse_uri(mongod_uri)["nodelist"][0]
        yield f"mongodb://desk:{PASSWORD}@{host}:{port}/?authSource=admin"
        client["admin"].command("dropUser", "desk")


def searchable(lake: Lake) -> Iterator[bytes]:
    """Return all that the lake holds, its compressed columns and bodies unpacked."""
    for name in TABLES:
        rows = lake.read(f"SELECT * FROM {name}")
        if rows.schema.get("body") == pl.Binary:
            yield from (unpacked(body) for body in rows["body"])
            rows = rows.drop("body")
        yield repr(rows.to_dicts()).encode()


def unpacked(body: bytes) -> bytes:
    """Return what a compressed body holds: an answer of the vendor, or a fit's arrays."""
    if not zipfile.is_zipfile(io.BytesIO(body)):
        return decompress(body).encode()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


@pytest.mark.slow
def test_no_secret_is_found_in_anything_that_a_night_writes(
    address: str, database_name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A secret in a log, an event, a body or a plot's metadata is a secret that everyone has."""
    storage = tmp_path / "dagster"
    storage.mkdir()
    desk = Desk(
        folder=tmp_path / "desk",
        serving=Serving(uri=address, database=database_name),
        instance=dg.DagsterInstance.local_temp(str(storage)),
    )
    desk.replace(
        alpha_vantage=AlphaVantage(api_key=API_KEY, plan="premium_1200"),
        webhook=Webhook(url=f"http://127.0.0.1:9/{WEBHOOK_SECRET}", secret=WEBHOOK_SECRET),
    )
    with caplog.at_level(logging.DEBUG):
        assert desk.run("training", TRAINED_SESSION).success
        assert desk.run("nightly", TRAINED_SESSION).success
        desk.replace(serving=Serving(uri=address.replace(PASSWORD, f"not-{PASSWORD}")))
        assert not desk.run_group(Group.PUBLISHING, TRAINED_SESSION).success
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    written += [*searchable(desk.lake), caplog.text.encode(), repr(desk.documents()).encode()]
    assert sum(len(content) for content in written) > 1_000_000, "there must be something to search"
    for secret in SECRETS:
        assert not [content for content in written if secret.encode() in content]


def test_the_search_would_find_a_secret(tmp_path: Path, trained_desk: Desk) -> None:
    """A search that can't find anything proves nothing: what was fetched must be found in it."""
    bodies = list(searchable(trained_desk.lake))
    assert any(b"Daily Time Series" in content for content in bodies)
