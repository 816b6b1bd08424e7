"""The MongoDB that the backend serves from.

Publishing reconciles: see `resources.reconciliation`. Transactions are not used, the production
server is standalone. `pymongo` is imported on first use, so that definitions load fast.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.documents.base import PUBLISHER, PublishedDocument
from pipelines.documents.pipeline_run import PublishedCollection
from resources.embedded_mongo import ensure_running, status
from resources.mongodb_address import redacted
from resources.publishing_report import PublishingReport
from resources.publishing_scope import PublishingScope

OF_OURS_ALONE: Mapping[str, Any] = {"partialFilterExpression": {"publisher": PUBLISHER}}


class Serving(dg.ConfigurableResource[Any]):
    """Collections of published documents in one database."""

    uri: str = Field(
        default="", description="Address of the server; empty: an embedded mongod is started."
    )
    database: str = Field(default="quant-service", description="Database that the backend reads.")
    state_folder: str = Field(
        default=".nightdesk", description="Folder under which an embedded mongod lives."
    )
    connect_seconds: float = Field(default=5.0, gt=0, description="How long to look for a server.")
    retries: int = Field(
        default=4, ge=0, description="How often a publishing step that found no server is repeated."
    )
    retry_seconds: float = Field(
        default=5.0, ge=0, description="Pause before it is repeated; each is twice the one before."
    )

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """Open the database for the length of a `with` block.

        Raises:
            ServingUnavailableError: no server answers; repeating may help.
            ServingRefusedError: address, user or a write is not accepted; repeating cannot help.
        """
        from resources.mongodb import connect

        with connect(
            self.address(), self.database, connect_seconds=self.connect_seconds
        ) as database:
            yield database

    def reconcile(
        self,
        model: type[PublishedDocument],
        documents: Iterable[PublishedDocument],
        *,
        scope: Mapping[str, object],
        as_of: datetime,
    ) -> PublishingReport:
        """Make our documents of a model in the scope exactly these, as seen at `as_of`.

        `scope` names fields with their value, or their allowed values; an empty one is the whole
        collection. Documents of ours in the scope that are not among `documents` are deleted.

        Raises:
            ValueError: a document lies outside the scope, or two have the same key.
            ServingUnavailableError: no server answers; repeating may help.
            ServingRefusedError: address, user or a write is not accepted; repeating cannot help.
        """
        from resources.reconciliation import reconcile

        with self.connect() as database:
            return reconcile(
                database[model.collection],
                model,
                documents,
                scope=PublishingScope.of(scope),
                as_of=as_of,
            )

    def ensure_indexes(self, models: Iterable[type[PublishedDocument]]) -> None:
        """Create the indexes of the models where they do not exist yet.

        Raises:
            ServingRefusedError: an index of someone else's stands in the way.
        """
        from pymongo import IndexModel

        with self.connect() as database:
            for model in models:
                indexes = [
                    IndexModel(
                        list(index.keys),
                        name=index.name,
                        unique=index.unique,
                        **(OF_OURS_ALONE if index.is_of_ours_alone else {}),
                    )
                    for index in model.indexes
                ]
                if indexes:
                    database[model.collection].create_indexes(indexes)

    def counts(self, models: Iterable[type[PublishedDocument]]) -> dict[str, int]:
        """Return how many documents of ours each model's collection holds."""
        with self.connect() as database:
            return {
                model.collection: database[model.collection].count_documents(
                    {"publisher": PUBLISHER}
                )
                for model in models
            }

    def summaries(
        self, scopes: Mapping[type[PublishedDocument], Mapping[str, object]]
    ) -> dict[str, PublishedCollection]:
        """Return what stands in each model's scope, by collection, for a night's manifest."""
        from resources.reconciliation import summary

        with self.connect() as database:
            return {
                model.collection: summary(
                    database[model.collection], model, scope=PublishingScope.of(scope)
                )
                for model, scope in scopes.items()
            }

    def is_there(self) -> bool:
        """Return whether there is a server to ask without starting one; it need not answer."""
        return bool(self.uri) or status(Path(self.state_folder)) is not None

    def address(self) -> str:
        """Return the server's address, password and all; start the embedded one if there is none.

        Raises:
            EmbeddedMongoError: the embedded server cannot be had.
        """
        return self.uri or ensure_running(Path(self.state_folder))

    def uri_for_people(self) -> str:
        """Return the server's address as it may be printed and logged."""
        return redacted(self.address())
