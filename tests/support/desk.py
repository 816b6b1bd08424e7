"""A whole desk in a temporary folder: real lake, real MLflow, real mongod, vendor on loopback."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from pymongo import MongoClient

from assets.groups import Group
from assets.partitions import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG
from commands.console import QUIET_LOGGERS
from definitions import build_definitions
from pipelines.markets.recorded import RecordedMarket
from resources.lake import Lake
from resources.market import Market
from resources.serving import Serving
from resources.settings import Settings
from resources.wiring import build_resources

TRAINED_SESSION = date(2004, 9, 1)
"""Enough history for one walk-forward fold, and GOOG is nine sessions old."""


LEARNED_FEATURES = "technical_features"
"""For nights that are run dozens of times: only the tables of features that signals learn from."""


class OtherBarsMarket(Market):
    """The sample market with other bars of symbols: what the test says the market did."""

    bars_file: str

    def _recording(self) -> RecordedMarket:
        """Return the test's bars as the recording."""
        indexes = super()._recording().indexes
        return RecordedMarket(
            self.name, self.exchange, pl.read_parquet(self.bars_file), indexes=indexes
        )


@dataclass
class Desk:
    """One desk with a state folder, an instance and a database of its own."""

    folder: Path
    serving: Serving
    market: Market | None = None
    feature_groups: str | None = None
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)

    def __post_init__(self) -> None:
        """Wire the resources as production does, with the test's server and market."""
        chosen = {"NIGHTDESK_FEATURE_GROUPS": self.feature_groups} if self.feature_groups else {}
        self.resources: dict[str, Any] = build_resources(
            Settings(NIGHTDESK_HOME=str(self.folder), **chosen),
            market=self.market,
            serving=self.serving,
        )
        self.definitions = build_definitions(**self.resources)

    def replace(self, **resources: Any) -> None:
        """Go on with other resources in place of some of the desk's own."""
        self.resources |= resources
        self.definitions = build_definitions(**self.resources)

    @property
    def lake(self) -> Lake:
        """The desk's lake."""
        lake: Lake = self.resources["lake"]
        return lake

    def run_group(self, group: Group, session: date) -> dg.ExecuteInProcessResult:
        """Run one group of the nightly job for a session; a failure is told, not raised."""
        keys = dg.AssetSelection.groups(group).resolve(self.definitions.resolve_asset_graph())
        return self.definitions.resolve_job_def("nightly").execute_in_process(
            instance=self.instance,
            tags={PARTITION_TAG: session.isoformat()},
            run_config=QUIET_LOGGERS,
            asset_selection=sorted(keys),
            raise_on_error=False,
        )

    def run(self, job: str, last: date, *, first: date | None = None) -> dg.ExecuteInProcessResult:
        """Run a job for a session, or for a range of sessions in one run."""
        tags = {PARTITION_TAG: last.isoformat()}
        if first is not None:
            tags = {RANGE_START_TAG: first.isoformat(), RANGE_END_TAG: last.isoformat()}
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, tags=tags, run_config=QUIET_LOGGERS
        )

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """Return everything that is published, by collection, in the order of `_id`."""
        with MongoClient[dict[str, Any]](self.serving.address(), tz_aware=True) as client:
            database = client[self.serving.database]
            return {
                name: list(database[name].find().sort("_id"))
                for name in sorted(database.list_collection_names())
            }
