"""What integration tests share: a real mongod, and a desk that has trained and run one night."""

from collections.abc import Iterator

import pytest

from resources import lake_attachment, past_lake
from resources.lake_attachment import LakeLocation, connection_settings
from resources.serving import Serving
from tests.support.bucket import bucket
from tests.support.desk import TRAINED_SESSION, Desk
from tests.support.mongod import database, database_name, mongod_uri, serving
from tests.support.postgres import postgres

__all__ = ["bucket", "database", "database_name", "mongod_uri", "postgres", "serving"]


@pytest.fixture(scope="session", autouse=True)
def _signatures_checked_once() -> Iterator[None]:
    """Have DuckDB check its extensions for a process's first lake, not for each of hundreds.

    They are the same files, and hashing their 70 MB takes a quarter of a second.
    """
    seen: list[LakeLocation] = []

    def settings(location: LakeLocation) -> dict[str, str | bool | int | float | list[str]]:
        seen.append(location)
        return connection_settings(location) | {"allow_unsigned_extensions": len(seen) > 1}

    with pytest.MonkeyPatch.context() as patch:
        for module in (lake_attachment, past_lake):
            patch.setattr(module, "connection_settings", settings)
        yield


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
