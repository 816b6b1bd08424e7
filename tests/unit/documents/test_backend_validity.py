"""Whatever our models accept, the backend accepts; and our indexes leave its own alone."""

import json

import pytest
from hypothesis import given

from pipelines.documents.base import PublishedDocument
from pipelines.documents.catalogue import DOCUMENTS
from pipelines.documents.daily_price import DailyPrice
from pipelines.documents.quality_event import FIRST_VALUES, DataQualityEvent
from pipelines.documents.signal import MLSignal
from tests.support.backend_contract import assert_valid, backend_collections
from tests.support.documents import AS_OF, a_price, any_event, any_price, any_signal


@given(any_price())
def test_every_bar_is_valid_for_the_backend(price: DailyPrice) -> None:
    """One invalid bar makes the backend's whole answer an error."""
    assert_valid("stock_price_daily", price.to_mongo() | {"created_at": AS_OF, "updated_at": AS_OF})


@given(any_signal())
def test_every_signal_holds_the_payload_of_the_api(signal: MLSignal) -> None:
    """The API serves signals as this payload, once it reads them."""
    assert_valid("payload.MLSignalInsight", signal.to_mongo())


@given(any_event())
def test_every_event_is_valid_for_the_backend_and_for_json(event: DataQualityEvent) -> None:
    """What a rule measured may be infinite, huge or oddly named; the answer must still be JSON."""
    stored = event.to_mongo() | FIRST_VALUES
    assert_valid("data_quality_events", stored)
    metadata = json.loads(json.dumps(stored["metadata"], allow_nan=False))
    assert not [name for name in metadata["evidence"] if "." in name or "$" in name]


def test_the_contract_notices_an_invalid_document() -> None:
    """A validator that accepts anything would prove nothing."""
    with pytest.raises(AssertionError, match="volume"):
        assert_valid("stock_price_daily", a_price().to_mongo() | {"volume": -1})
    with pytest.raises(AssertionError, match="date"):
        assert_valid("stock_price_daily", a_price().to_mongo() | {"date": "the first of March"})


@pytest.mark.parametrize("model", DOCUMENTS, ids=lambda model: model.collection)
def test_our_indexes_never_share_keys_with_the_backends(model: type[PublishedDocument]) -> None:
    """Same keys under another name or option stop the backend's boot."""
    theirs = {
        tuple(map(tuple, index["keys"]))
        for index in backend_collections().get(model.collection, [])
    }
    assert not theirs & {index.keys for index in model.indexes}
    assert all(index.name.startswith("nightdesk_") for index in model.indexes)
