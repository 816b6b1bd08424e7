"""MongoDB over TLS: what the desk publishes goes encrypted, to the right server only."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from pymongo import MongoClient

from pipelines.documents.catalogue import DOCUMENTS
from resources.mongodb import ServingRefusedError, ServingUnavailableError
from resources.serving import Serving
from tests.support.documents import a_price
from tests.support.tls import HOST, PASSWORD, EncryptedMongod, encrypted_mongod, write_authority

AS_OF = datetime(2013, 3, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EncryptedMongod]:
    """A mongod that speaks TLS only."""
    with encrypted_mongod(tmp_path_factory.mktemp("encrypted")) as started:
        yield started


def test_documents_are_published_over_tls(server: EncryptedMongod) -> None:
    """The address is all that a person sets: its options must reach the driver."""
    serving = Serving(uri=server.address(), database="quant-service")
    serving.ensure_indexes(DOCUMENTS)
    document = a_price()
    report = serving.reconcile(type(document), [document], scope={}, as_of=AS_OF)
    assert report.inserted == 1
    with MongoClient(server.address()) as client:
        assert client["quant-service"]["stock_price_daily"].count_documents({}) == 1


def test_a_server_of_an_unknown_authority_is_told_without_the_password(
    server: EncryptedMongod, tmp_path: Path
) -> None:
    """Somebody in between must not get the password, and a log must not either."""
    other = write_authority(tmp_path, trustme.CA())
    serving = Serving(uri=server.address(authority=other), connect_seconds=1)
    with pytest.raises(ServingRefusedError, match=r"certificate.*tlsCAFile") as caught:
        serving.counts(DOCUMENTS)
    assert PASSWORD not in str(caught.value)
    assert caught.value.allow_retries is False


def test_a_file_of_authorities_that_is_missing_is_named(
    server: EncryptedMongod, tmp_path: Path
) -> None:
    """The driver's own words quote nothing that helps."""
    missing = tmp_path / "nowhere.pem"
    with pytest.raises(ServingRefusedError, match="tlsCAFile") as caught:
        Serving(uri=server.address(authority=missing)).counts(DOCUMENTS)
    assert PASSWORD not in str(caught.value)


def test_an_address_without_tls_is_not_let_in(server: EncryptedMongod) -> None:
    """A forgotten option looks like an outage: the sentence must name it."""
    plain = f"mongodb://desk:{PASSWORD}@{HOST}:{server.port}/"
    with pytest.raises(ServingUnavailableError, match="tls=true") as caught:
        Serving(uri=plain, connect_seconds=1).counts(DOCUMENTS)
    assert PASSWORD not in str(caught.value)
