"""Noting anomalies in the lake when they are first seen."""

from dataclasses import dataclass

import polars as pl

from pipelines.anomalies.sightings import NEW_SIGHTINGS_QUERY, NEWLY_WITHHELD_QUERY
from pipelines.anomalies.tables import ANOMALY_SIGHTINGS
from pipelines.nights import Night
from resources.lake import Lake
from resources.lake_writer import LakeWriter


@dataclass(frozen=True)
class NewSightings:
    """What a night saw first, as rows of the table, and how many older ones it now withholds."""

    rows: pl.DataFrame
    newly_withheld: int


def note_sightings(lake: Lake, *, night: Night) -> NewSightings:
    """Note every anomaly that no night before has seen; run again, there is nothing to note."""

    def work(writer: LakeWriter) -> NewSightings:
        seen = {"as_of": night.as_of, "night_id": night.night_id}
        withheld = writer.read(NEWLY_WITHHELD_QUERY, {"as_of": night.as_of})
        if withheld.height:
            writer.merge(ANOMALY_SIGHTINGS, withheld)
        rows = writer.read(NEW_SIGHTINGS_QUERY, seen)
        if rows.height:
            writer.append(ANOMALY_SIGHTINGS, rows)
        return NewSightings(rows, withheld.height)

    return lake.commit(work, night=night, message="note new anomalies")
