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

EVALUATION_REQUESTS = Table(
    "evaluation_requests",
    "What users asked to be evaluated, as an evaluation found it, and what they were answered.",
    ("session", "collection", "document_id"),
    (
        SESSION,
        Column("collection", "VARCHAR", "evaluation_scenarios, or evaluation_runs that waited."),
        Column("document_id", "VARCHAR", "The document's `_id` in extended JSON."),
        Column("night_id", "VARCHAR", "The night that it is seen from."),
        Column("request", "VARCHAR", "What the user wrote, as far as it is read; extended JSON."),
        Column("reason", "VARCHAR", "Why it could not be met.", nullable=True),
        Column("answer", "VARCHAR", "What a waiting run was given, as extended JSON.", True),
    ),
)
