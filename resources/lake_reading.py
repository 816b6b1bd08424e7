"""A lake opened to be read only: for people and their queries, beside whatever runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.features.catalogue import GROUPS
from pipelines.views import filled_tables_query, view_statements
from resources.lake import Lake
from resources.lake_attachment import attach_statements, load_extensions
from resources.lake_errors import LakeError, explained


class NoLakeError(LakeError):
    """There is no lake to read yet."""

    def __init__(self, label: str) -> None:
        """Name the catalog and the way out."""
        super().__init__(f"there is no lake at {label} yet: `make nightly` makes one")


class OldLakeError(LakeError):
    """The lake's tables are not those of this Nightdesk."""

    def __init__(self, label: str, fault: str) -> None:
        """Name the catalog, what is missing, and the way out."""
        super().__init__(
            f"the lake {label} was made by another Nightdesk ({fault}): `make nightly` brings its "
            "tables up to date"
        )


@contextmanager
def reading(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection that can't write the lake, with the views of `pipelines.views`.

    Raises:
        LakeError: there is no lake, or it can't be used; with what to do about it.
    """
    location = lake.location
    if not location.catalog.is_there():
        raise NoLakeError(location.catalog.label)
    Path(location.extension_directory).mkdir(parents=True, exist_ok=True)
    with (
        explained(location.catalog.label, location.data_path),
        duckdb.connect(config={"extension_directory": location.extension_directory}) as connection,
    ):
        load_extensions(connection, *location.extensions)
        for statement in attach_statements(location, read_only=True):
            connection.execute(statement)
        connection.execute("SET TimeZone = 'UTC'; USE lake")
        _make_views(connection, location.catalog.label)
        yield connection


def _make_views(connection: duckdb.DuckDBPyConnection, label: str) -> None:
    """Make the views, which belong to this connection alone."""
    try:
        filled = {name for (name,) in connection.execute(filled_tables_query()).fetchall()}
        groups = [group for group in GROUPS if group.name in filled]
        for statement in view_statements(groups or GROUPS):
            connection.execute(statement)
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise OldLakeError(label, str(error).splitlines()[0]) from error
