"""The lake table of evaluations."""

from pipelines.table import SESSION, Column, Table

EVALUATIONS = Table(
    "evaluations",
    "What each evaluation found, as the documents that are published of it.",
    ("session", "collection", "name"),
    (
        SESSION,
        Column("collection", "VARCHAR", "The collection that the document is published in."),
        Column("name", "VARCHAR", "Its natural key, joined by blanks."),
        Column("night_id", "VARCHAR", "The night that it is seen from."),
        Column("document", "VARCHAR", "The document as JSON."),
    ),
)
"""Its session is that of the night: labels that had ended before it are known."""
