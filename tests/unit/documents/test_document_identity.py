"""Identity of documents: their `_id`, their content hash, the hash of a collection."""

import hashlib
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from hypothesis import given
from pydantic import Field, ValidationError

from pipelines.documents.base import PublishedDocument, collection_hash, document_id
from pipelines.documents.daily_price import DailyPrice
from tests.support.documents import a_price, a_run, a_signal, any_price


def test_the_id_is_the_same_wherever_the_key_is() -> None:
    """A changed derivation would make a second document for every key in production."""
    key = ("AAPL", datetime(2013, 3, 1, tzinfo=UTC))
    hashed = b'["stock_price_daily","AAPL","2013-03-01T00:00:00.000+00:00"]'
    assert document_id("stock_price_daily", key) == hashlib.sha256(hashed).hexdigest()[:24]


def test_other_keys_and_other_collections_have_other_ids() -> None:
    """Two documents with one `_id` would overwrite each other."""
    ids = {
        document_id("ml_signals", ("A", "BC")),
        document_id("ml_signals", ("AB", "C")),
        document_id("pipeline_runs", ("A", "BC")),
    }
    assert len(ids) == 3
    assert all(len(identifier) == 24 for identifier in ids)


@given(any_price())
def test_the_same_content_has_the_same_hash(price: DailyPrice) -> None:
    """A rerun must find its documents unchanged."""
    again = DailyPrice.model_validate(price.model_dump())
    assert again.to_mongo() == price.to_mongo()


def test_any_change_of_content_changes_the_hash() -> None:
    """The manifest's hash must notice a single digit."""
    before, after = a_price(close=10.5).to_mongo(), a_price(close=10.51).to_mongo()
    assert before["content_hash"] != after["content_hash"]


def test_the_runs_of_a_night_are_no_content() -> None:
    """A second run of the same night must not change the manifest."""
    first, second = a_run(runs=["first"]).to_mongo(), a_run(runs=["second"]).to_mongo()
    assert first["content_hash"] == second["content_hash"]
    assert first["runs"] != second["runs"]


def test_the_hash_of_a_collection_ignores_the_order() -> None:
    """MongoDB returns documents in any order."""
    pairs = [(("A", 1), "x"), (("B", 2), "y")]
    assert collection_hash(pairs) == collection_hash(reversed(pairs))
    assert collection_hash(pairs) != collection_hash(pairs[:1])


def test_a_document_with_an_unknown_field_is_refused() -> None:
    """A misspelt field would silently publish its default."""
    with pytest.raises(ValidationError, match="adjustd_close"):
        a_price(adjustd_close=1.0)


def test_a_document_cannot_be_changed_after_it_was_checked() -> None:
    """What is written must be what was validated."""
    with pytest.raises(ValidationError, match="frozen"):
        setattr(a_price(), "close", -1.0)  # noqa: B010  mypy knows that it is frozen


def test_a_model_cannot_claim_a_field_that_belongs_to_a_person() -> None:
    """Publishing would overwrite what a person acknowledged."""
    with pytest.raises(TypeError, match="acknowledged"):

        class Event(PublishedDocument):
            """A model that goes too far."""

            collection: ClassVar[str] = "events"
            natural_key: ClassVar[tuple[str, ...]] = ("acknowledged",)

            acknowledged: bool = Field(description="Whether somebody has seen it.")


@pytest.mark.parametrize(
    ("names", "message"), [({"resolved_at"}, "never writes"), ({"close"}, "writes and retires")]
)
def test_a_model_retires_fields_that_were_its_own_only(names: set[str], message: str) -> None:
    """Publishing takes retired fields out of every document it meets."""
    with pytest.raises(TypeError, match=message):
        type("Bar", (DailyPrice,), {"__doc__": "A bar.", "retired": frozenset(names)})


def test_map_keys_that_no_query_could_reach_are_refused() -> None:
    """A dot in a stored name reads as a path."""
    with pytest.raises(ValidationError, match="quarantined"):
        a_run(quarantined={"BRK.B": 1})


def test_symbols_are_upper_case() -> None:
    """The backend looks symbols up in upper case only."""
    with pytest.raises(ValidationError, match="symbol"):
        a_signal("aapl")
