"""A server that is away, an address that is wrong, a user who may not: one sentence each."""

import pytest

from pipelines.documents.catalogue import DOCUMENTS
from resources.mongodb import ServingRefusedError, ServingUnavailableError
from resources.serving import Serving


def test_a_server_that_does_not_answer_may_be_tried_again() -> None:
    """A server that restarts must not fail the night for good."""
    serving = Serving(uri="mongodb://desk:s3cret@127.0.0.1:1/", connect_seconds=0.2)
    with pytest.raises(ServingUnavailableError, match=r"no MongoDB answers.*refused") as caught:
        serving.counts(DOCUMENTS)
    assert "s3cret" not in str(caught.value)
    assert "desk:***@127.0.0.1:1" in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://desk:s3cret@host:port/",
        "mongodb://desk:pa/s3cret@host/",
        "desk:s3cret@host",
    ],
    ids=["port", "unescaped password", "no scheme"],
)
def test_a_wrong_address_is_refused_without_its_password(uri: str) -> None:
    """The driver's message quotes what it takes for the host."""
    with pytest.raises(ServingRefusedError, match="no usable MongoDB address") as caught:
        Serving(uri=uri).counts(DOCUMENTS)
    assert "s3cret" not in str(caught.value)
    assert caught.value.allow_retries is False
    assert caught.value.__suppress_context__


def test_a_wrong_password_is_refused_for_good(mongod_uri: str) -> None:
    """Repeating it would lock the user out on some servers."""
    uri = mongod_uri.replace("//", "//desk:s3cret@")
    with pytest.raises(
        ServingRefusedError, match=r"does not let this user in.*authSource"
    ) as caught:
        Serving(uri=uri).counts(DOCUMENTS)
    assert "s3cret" not in str(caught.value)
    assert caught.value.allow_retries is False


def test_an_impossible_database_name_is_refused(mongod_uri: str) -> None:
    """A dot in the name would otherwise surface as a driver error."""
    with pytest.raises(ServingRefusedError, match="cannot be used"):
        Serving(uri=mongod_uri, database="quant.service").counts(DOCUMENTS)


def test_the_address_for_people_hides_the_password() -> None:
    """It is printed by every night."""
    serving = Serving(uri="mongodb://desk:s3cret@127.0.0.1:1/")
    assert serving.uri_for_people() == "mongodb://desk:***@127.0.0.1:1/"
