"""What integration tests share: a real mongod, and a desk that has trained and run one night."""

import pytest

from resources.serving import Serving
from tests.support.desk import TRAINED_SESSION, Desk
from tests.support.mongod import database, database_name, mongod_uri, serving
from tests.support.postgres import postgres

__all__ = ["database", "database_name", "mongod_uri", "postgres", "serving"]


@pytest.fixture(scope="session")
def trained_desk(mongod_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk after its first night; shared, so a test only runs it on, in a session of its own."""
    desk = Desk(
        folder=tmp_path_factory.mktemp("desk"),
        serving=Serving(uri=mongod_uri, database="trained_desk"),
    )
    assert desk.run("training", TRAINED_SESSION).success
    assert desk.run("nightly", TRAINED_SESSION).success
    return desk
