"""Of a map that people write into, publishing touches only the keys that are ours."""

from datetime import date
from typing import Any, ClassVar

import pytest
from pydantic import Field
from pymongo.database import Database

from pipelines.documents.base import DocumentPart, PublishedDocument
from resources.serving import Serving
from tests.support.documents import AS_OF, NEXT_AS_OF

MongoDatabase = Database[dict[str, Any]]
VERDICT = {"resolution": "release", "note": "a real move"}


class Facts(DocumentPart):
    """What we say in the map."""

    bar_date: date = Field(description="The bar.")
    figures: dict[str, float] = Field(default_factory=dict, description="A map of ours.")


class Finding(PublishedDocument):
    """A document with a map that is open to others."""

    collection: ClassVar[str] = "findings"
    natural_key: ClassVar[tuple[str, ...]] = ("symbol",)
    open_maps: ClassVar[frozenset[str]] = frozenset({"metadata"})

    symbol: str = Field(description="Ticker.")
    message: str = Field(default="wrong", description="Words.")
    metadata: Facts = Field(description="Ours, and others'.")


def finding(symbol: str = "IBM", message: str = "wrong", **figures: float) -> Finding:
    """Return a document."""
    facts = Facts(bar_date=date(2013, 3, 1), figures=figures)
    return Finding(symbol=symbol, message=message, metadata=facts)


def publish(serving: Serving, *documents: Finding) -> Any:
    """Publish documents, all that there are."""
    return serving.reconcile(Finding, documents, scope={}, as_of=NEXT_AS_OF)


def decide(database: MongoDatabase) -> None:
    """Write a verdict as a person does."""
    said = {f"metadata.{name}": value for name, value in VERDICT.items()}
    database["findings"].update_many({}, {"$set": {"resolved_at": AS_OF, **said}})


def the_one(database: MongoDatabase) -> dict[str, Any]:
    """Return the one document."""
    (document,) = database["findings"].find()
    return document


def test_a_verdict_survives_every_publishing(serving: Serving, database: MongoDatabase) -> None:
    """Written between landing and publishing, it would be gone before anybody read it."""
    publish(serving, finding(jump=2.0))
    decide(database)
    assert publish(serving, finding(jump=2.0)).unchanged == 1
    assert publish(serving, finding(message="worse", drop=3.0)).updated == 1
    document = the_one(database)
    assert document["metadata"] == {**VERDICT, "bar_date": "2013-03-01", "figures": {"drop": 3.0}}
    assert (document["resolved_at"], document["message"]) == (AS_OF, "worse")


def test_our_own_keys_are_put_right(serving: Serving, database: MongoDatabase) -> None:
    """A verdict is read by the bar's date: it must be the one we published."""
    publish(serving, finding())
    database["findings"].update_one({}, {"$set": {"metadata.bar_date": "1999-01-01"}})
    decide(database)
    assert publish(serving, finding()).updated == 1
    assert the_one(database)["metadata"] == {**VERDICT, "bar_date": "2013-03-01", "figures": {}}


@pytest.mark.parametrize("instead", [None, "text", ["list"], 7])
def test_what_is_no_map_makes_room(
    serving: Serving, database: MongoDatabase, instead: object
) -> None:
    """A document that the backend wrote may have nothing there; publishing must not stop at it."""
    database["findings"].insert_one({"symbol": "IBM", "metadata": instead})
    publish(serving, finding())
    assert the_one(database)["metadata"] == {"bar_date": "2013-03-01", "figures": {}}


def test_a_resolved_document_is_never_deleted(serving: Serving, database: MongoDatabase) -> None:
    """The decision in it may not have been landed yet."""
    publish(serving, finding(), finding("AAPL"))
    database["findings"].update_one({"symbol": "IBM"}, {"$set": {"resolved_at": AS_OF}})
    assert publish(serving).deleted == 1
    assert the_one(database)["symbol"] == "IBM"
    assert publish(serving).deleted == 0
