"""Documents of an evaluation as rows of the lake, and back."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import polars as pl

from pipelines.documents.base import PublishedDocument, natural_key_of
from pipelines.evaluation.tables import EVALUATIONS
from pipelines.nights import Night

Document = TypeVar("Document", bound=PublishedDocument)


def entries(documents: Iterable[PublishedDocument], night: Night) -> pl.DataFrame:
    """Return the rows of `evaluations` that hold documents."""
    rows = [
        {
            "session": night.session,
            "collection": one.collection,
            "name": " ".join(map(str, natural_key_of(type(one), one.to_mongo()))),
            "night_id": night.night_id,
            "document": one.model_dump_json(),
        }
        for one in documents
    ]
    return pl.DataFrame(rows).select(EVALUATIONS.column_names)


def documents_of(rows: pl.DataFrame, model: type[Document]) -> Iterator[Document]:
    """Yield the documents of one model among rows of `evaluations`."""
    for text in rows.filter(collection=model.collection).sort("name")["document"]:
        yield model.model_validate_json(text)
