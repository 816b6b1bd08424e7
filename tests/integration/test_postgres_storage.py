"""PostgreSQL by settings: Dagster's storage and the lake's catalog, on a real server."""

import logging
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest

from resources.dagster_home import prepare_dagster_home
from resources.lake import Lake
from resources.lake_attachment import detach
from resources.lake_errors import ForeignLakeError, UnreachableCatalogError
from resources.lake_maintenance import LakeMaintenance
from resources.serving import Serving
from resources.settings import Settings
from tests.support.desk import TRAINED_SESSION, Desk
from tests.support.postgres import PASSWORD, PostgresServer

Documents = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Databases:
    """The two databases that a desk is given, by their addresses."""

    lake: str
    dagster: str


@pytest.fixture
def databases(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Databases:
    """Two new databases, set as a person sets them, and no instance of the user's own."""
    made = Databases(lake=postgres.database(), dagster=postgres.database())
    monkeypatch.setenv("NIGHTDESK_LAKE_DATABASE", made.lake)
    monkeypatch.setenv(
        "NIGHTDESK_DAGSTER_DATABASE", made.dagster.replace("postgresql:", "postgresql+psycopg2:")
    )
    monkeypatch.setenv("DAGSTER_HOME", "")  # put back afterwards, whatever is set meanwhile
    return made


def lake_of(address: str, folder: Path) -> Lake:
    """Return a lake whose catalog is in a database."""
    return Lake(
        catalog_path="never used",
        catalog_database=address,
        data_path=f"{folder}/data/",
        extension_directory=str(folder.parent / "duckdb_extensions"),
        market="sample",
    )


def night_of(folder: Path, models_of: Desk, serving: Serving) -> Desk:
    """Return a desk in a folder that has another's models, as the settings wire it."""
    shutil.copytree(models_of.folder / "mlflow", folder / "mlflow")
    desk = Desk(folder=folder, serving=serving)
    settings = Settings(NIGHTDESK_HOME=str(folder))
    prepare_dagster_home(settings)
    with dg.DagsterInstance.get() as instance:
        desk.instance = instance
        assert desk.run("nightly", TRAINED_SESSION).success
        in_postgres = settings.dagster_database is not None
        assert ("Postgres" in type(instance.event_log_storage).__name__) == in_postgres
    return desk


def published(desk: Desk) -> Documents:
    """Return all documents, without the runs that published them."""
    documents = desk.documents()
    for manifest in documents["pipeline_runs"]:
        manifest.pop("runs")
    return documents


@pytest.mark.slow
def test_a_night_on_postgres_publishes_the_same_and_tells_no_password(
    trained_desk: Desk,
    databases: Databases,
    postgres: PostgresServer,
    tmp_path: Path,
    mongod_uri: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where the bookkeeping lies must not change a document, nor write the password anywhere."""
    with caplog.at_level(logging.DEBUG):
        on_postgres = night_of(
            tmp_path / "postgres", trained_desk, Serving(uri=mongod_uri, database="on_postgres")
        )
    documents = published(on_postgres)
    detach(on_postgres.lake.catalog.label)
    assert not (tmp_path / "postgres" / "lake" / "catalog.sqlite").exists()
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    dumps = [postgres.dump(databases.lake), postgres.dump(databases.dagster)]
    assert "ducklake_snapshot" in dumps[0]
    assert "published_signals" in dumps[1]
    written += [text.encode() for text in (*dumps, caplog.text, repr(documents))]
    assert not [content for content in written if PASSWORD.encode() in content]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NIGHTDESK_LAKE_DATABASE")
        patch.delenv("NIGHTDESK_DAGSTER_DATABASE")
        patch.setenv("DAGSTER_HOME", "")
        by_default = night_of(
            tmp_path / "default", trained_desk, Serving(uri=mongod_uri, database="by_default")
        )
    assert published(by_default) == documents


def test_a_lake_in_a_database_is_found_again_backed_up_and_restored(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup without its catalog would be a heap of files."""
    lake = lake_of(postgres.database(), tmp_path / "lake")
    version = lake.version()
    detach(lake.catalog.label)
    assert lake.version() == version
    maintenance = LakeMaintenance(lake=lake, backup_folder=str(tmp_path / "backups"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnreachableCatalogError, match=r"pg_dump.* is not installed"):
        maintenance.back_up(at=datetime(2013, 3, 2, 1, tzinfo=UTC))
    monkeypatch.setenv("PATH", str(postgres.binaries))
    backup = maintenance.back_up(at=datetime(2013, 3, 2, 2, tzinfo=UTC))
    restored = lake_of(postgres.restore(backup / "catalog.sql"), tmp_path / "lake")
    assert restored.version() == version
    assert restored.read("SELECT market FROM lake_identity").item() == "sample"


def test_a_database_of_something_else_is_refused_and_left_alone(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """DuckLake would add its tables to the backend's."""
    address = postgres.database()
    with psycopg2.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE of_mine (x integer)")
    connection.close()
    with pytest.raises(ForeignLakeError, match="a database for the lake alone"):
        lake_of(address, tmp_path).version()
    assert "ducklake" not in postgres.dump(address)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (PASSWORD, f"not-{PASSWORD}", "password authentication failed"),
        ("@127.0.0.1:", "@127.0.0.1:1", "127.0.0.1"),
        ("/test_", "/missing_", "does not exist"),
    ],
    ids=["password", "port", "database"],
)
def test_a_database_that_lets_nobody_in_is_told_without_the_password(
    postgres: PostgresServer, tmp_path: Path, old: str, new: str, fault: str
) -> None:
    """The sentence goes to logs, to the webhook and to the screen."""
    address = postgres.database().replace(old, new)
    with pytest.raises(UnreachableCatalogError, match=fault) as caught:
        lake_of(address, tmp_path).version()
    assert "desk:***@" in str(caught.value)
    assert PASSWORD not in repr(caught.getrepr(chain=True))
