"""Our indexes and the backend's live in one database, whoever comes first."""

from typing import Any

import pytest
from pymongo.database import Database

from pipelines.documents.catalogue import DOCUMENTS
from pipelines.documents.daily_price import DailyPrice
from pipelines.documents.signal import MLSignal
from resources.mongodb import ServingRefusedError
from resources.serving import Serving
from tests.support.backend_contract import backend_collections, index_options
from tests.support.documents import AS_OF, a_signal, prices

MongoDatabase = Database[dict[str, Any]]


def boot_backend(database: MongoDatabase) -> None:
    """Create every index that the backend creates at boot, under the names it uses."""
    for collection, indexes in backend_collections().items():
        for index in indexes:
            database[collection].create_index(
                [tuple(key) for key in index["keys"]], **index_options(index)
            )


def our_index_names(database: MongoDatabase) -> set[str]:
    """Return the names of all indexes of ours."""
    names = (name for model in DOCUMENTS for name in database[model.collection].index_information())
    return {name for name in names if name.startswith("nightdesk_")}


@pytest.mark.parametrize("is_backend_first", [True, False], ids=["backend first", "we first"])
def test_the_backend_boots_beside_our_indexes(
    serving: Serving, database: MongoDatabase, is_backend_first: bool
) -> None:
    """A conflicting index stops the backend's boot."""
    if is_backend_first:
        boot_backend(database)
    serving.ensure_indexes(DOCUMENTS)
    serving.reconcile(DailyPrice, prices(3), scope={}, as_of=AS_OF)
    boot_backend(database)
    serving.ensure_indexes(DOCUMENTS)
    assert our_index_names(database) == {
        index.name for model in DOCUMENTS for index in model.indexes
    }


def test_an_index_in_our_way_is_named(serving: Serving, database: MongoDatabase) -> None:
    """The driver's own message does not say whose index it is or what to do."""
    database["ml_signals"].create_index(
        list(MLSignal.indexes[0].keys), unique=True, name="someone_elses"
    )
    with pytest.raises(ServingRefusedError, match=r"someone_elses.*drop that index"):
        serving.ensure_indexes(DOCUMENTS)


def test_a_rejected_write_says_why(serving: Serving, database: MongoDatabase) -> None:
    """A night that cannot write must name the server's reason, not a stack of driver calls."""
    serving.ensure_indexes([MLSignal])
    database["ml_signals"].create_index("publisher", unique=True, name="one_only")
    signals = [a_signal("AAPL"), a_signal("IBM")]
    with pytest.raises(ServingRefusedError, match=r"rejected 1 writes.*duplicate key"):
        serving.reconcile(MLSignal, signals, scope={}, as_of=AS_OF)
