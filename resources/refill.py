"""Publishing nights again into a MongoDB that was lost, from the lake as they found it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
from pydantic import Field
from typing_extensions import override

from pipelines.documents.base import PUBLISHER
from pipelines.documents.pipeline_run import PipelineRun
from pipelines.documents.quarantined_price import QuarantinedPrice
from pipelines.documents.values import midnight_of
from pipelines.lifecycle.refill import Stretch, stretches, unlike
from pipelines.lifecycle.run_documents import TrainingRun
from pipelines.lifecycle.tables import MODEL_DRIFT
from pipelines.lifecycle.versions import SignalVersion
from pipelines.manifest import lasting_scopes
from pipelines.nights import Night
from pipelines.table import Table
from pipelines.tables import TABLES
from resources.lake import Lake
from resources.model_registry import ModelRegistry
from resources.nights import Nights
from resources.past_lake import PastLake
from resources.replayed_lake import OUTPUTS
from resources.serving import Serving

BY_SESSION = (*OUTPUTS, MODEL_DRIFT.name)
"""Tables of which a night has rows of its own. A rerun may have made these again since."""

COLUMNS_CHANGED_QUERY = f"""
    WITH tables AS (
        SELECT table_id, table_name, end_snapshot,
               min(begin_snapshot) OVER (PARTITION BY table_name) AS first_snapshot
        FROM __ducklake_metadata_lake.ducklake_table
    )
    SELECT coalesce(max(held.begin_snapshot), 0)
    FROM __ducklake_metadata_lake.ducklake_column AS held JOIN tables USING (table_id)
    WHERE held.end_snapshot IS NULL AND tables.end_snapshot IS NULL
      AND held.begin_snapshot > tables.first_snapshot
      AND list_contains({sorted(TABLES)}, tables.table_name)
"""
"""The version since which no table got other columns; one that came later was empty before."""

QUARANTINE_VERDICTS_QUERY = f"""
    SELECT symbol, session, revision, max(resolved_at) AS resolved_at,
           arg_max(resolution, resolved_at) AS resolution,
           arg_max({{'note': note}}, resolved_at).note AS note
    FROM verdicts WHERE collection = '{QuarantinedPrice.collection}'
    GROUP BY ALL ORDER BY ALL
"""


class RefilledLake(PastLake):
    """The lake as a night found it, with the outputs of the nights until then as they are now."""

    @override
    def _lay_out(self, connection: duckdb.DuckDBPyConnection, table: Table, *, kept: str) -> None:
        """Read outputs from the newest version, of the sessions that this one has."""
        if table.name in BY_SESSION:
            kept = f"FROM kept.{table.name} WHERE session IN (SELECT session {kept})"
        super()._lay_out(connection, table, kept=kept)


class PastRegistry(ModelRegistry):
    """The registry without the versions that were trained on later versions of the lake."""

    lake_version: int = Field(description="Version of the lake that is published.")

    @override
    def versions(self, market: str) -> list[SignalVersion]:
        """Return the versions of a market that were there."""
        return [
            one
            for one in super().versions(market)
            if one.lake_snapshot is None or one.lake_snapshot <= self.lake_version
        ]

    @override
    def runs(self, market: str) -> list[TrainingRun]:
        """Return the trainings of a market that had been."""
        were_there = {one.run_id for one in self.versions(market)}
        return [one for one in super().runs(market) if one.run_id in were_there]


@contextmanager
def lake_at(lake: Lake, version: int) -> Iterator[RefilledLake]:
    """Give the lake at a version, for as long as the block lasts."""
    fields = {name: getattr(lake, name) for name in type(lake).model_fields}
    past = RefilledLake(**fields, lake_version=version)
    try:
        yield past
    finally:
        past.close()


def plan_of(lake: Lake, nights: Nights) -> list[Stretch]:
    """Return the runs that published the lake's nights, in the order in which they did."""
    rows = lake.read("SELECT session, lake_snapshot FROM nights WHERE manifest IS NOT NULL")
    versions = dict(rows.iter_rows())
    changed = columns_changed(lake)
    readable = (version for version in versions.values() if version >= changed)
    return [
        *stretches(
            {night: versions[night.session] for night in nights.published()},
            calendar=nights.market.calendar,
            first_readable=min(readable, default=lake.version()),
        )
    ]


def columns_changed(lake: Lake) -> int:
    """Return the version since which every table of the lake has the columns that it has now."""
    version: int = lake.read(COLUMNS_CHANGED_QUERY).item()
    return version


def last_word(lake: Lake, nights: Nights) -> Stretch | None:
    """Return the newest night, to be published as the lake is now: it may have been run again.

    None where a night was begun after it: what that has derived is its own to publish.
    """
    newest = nights.newest_published()
    begun = lake.read("SELECT max(session) FROM nights").item()
    if newest is None or begun > newest:
        return None
    return Stretch(lake.version(), tuple(nights.find([newest])))


def standing_nights(serving: Serving) -> set[str]:
    """Return the nights whose manifests stand in the database."""
    with serving.connect() as database:
        return set(database[PipelineRun.collection].distinct("night_id", {"publisher": PUBLISHER}))


def write_manifests(serving: Serving, nights: Nights, stretch: Stretch) -> None:
    """Publish the manifests of nights as the lake keeps them; their runs are not in there."""
    serving.ensure_indexes([PipelineRun])
    serving.reconcile(
        PipelineRun,
        [nights.manifest(night.session) for night in stretch.nights],
        scope={"night_id": [night.night_id for night in stretch.nights]},
        as_of=stretch.as_of,
    )


def write_verdicts(serving: Serving, lake: Lake) -> int:
    """Write people's verdicts on withheld bars where they wrote them; return how many were gone.

    One that somebody has resolved meanwhile stays as it is.
    """
    written = 0
    with serving.connect() as database:
        for row in lake.read(QUARANTINE_VERDICTS_QUERY).iter_rows(named=True):
            done = database[QuarantinedPrice.collection].update_one(
                {
                    "symbol": row["symbol"],
                    "date": midnight_of(row["session"]),
                    "revision": row["revision"],
                    "publisher": PUBLISHER,
                    "resolved_at": None,
                },
                {"$set": _words_of(row)},
            )
            written += done.modified_count
    return written


def _words_of(verdict: dict[str, Any]) -> dict[str, object]:
    """Return the fields in which a person says it."""
    words = {
        "resolved_at": verdict["resolved_at"],
        "metadata.resolution": verdict["resolution"],
        "metadata.note": verdict["note"],
    }
    return {name: word for name, word in words.items() if word is not None}


def unlike_nights(serving: Serving, nights: Nights) -> Iterator[tuple[Night, list[str]]]:
    """Yield the nights of which something is not what they published, and the collections."""
    for night in nights.published():
        standing = serving.summaries(lasting_scopes(night))
        if differing := unlike(nights.manifest(night.session), standing):
            yield night, differing
