"""Verdicts of people on withheld bars, landed in the lake: a night reads them there alone.

The table is only ever added to; the documents in MongoDB stay as people wrote them.
"""

from typing import Any

import dagster as dg
import polars as pl

from pipelines.anomalies.quarantine import IMPOSSIBLE
from pipelines.anomalies.tables import VERDICTS
from pipelines.anomalies.verdicts import (
    DECIDED,
    READ_FIELDS,
    KnownBar,
    ReadVerdicts,
    new_verdicts,
    read_verdicts,
    verdict_rows,
)
from pipelines.nights import Night
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.serving import Serving

_BARS = """
    SELECT bar.symbol, bar.session, bar.revision,
           coalesce(list(judged.anomaly_type ORDER BY judged.anomaly_type)
                    FILTER (judged.anomaly_type IS NOT NULL), []) AS rules
    FROM daily_prices AS bar
    SEMI JOIN bars_judged USING (symbol, session)
    LEFT JOIN price_anomalies AS judged
        ON judged.symbol = bar.symbol AND judged.session = bar.session
       AND judged.revision = bar.revision AND list_contains($impossible, judged.anomaly_type)
    GROUP BY ALL
"""
"""The bars that verdicts are about, with the rules by which they can't be."""


class ReviewedVerdicts(dg.ConfigurableResource[Any]):
    """What people have decided of withheld bars, in the documents that the desk publishes."""

    lake: dg.ResourceDependency[Lake]
    serving: dg.ResourceDependency[Serving]

    def land(self, *, night: Night) -> ReadVerdicts:
        """Add what is new to the lake, and return it with the faults met.

        Where no server answers, what was landed before stands; the next night looks again.
        """
        from resources.mongodb import ServingUnavailableError

        try:
            found = self._written()
        except ServingUnavailableError as error:
            return ReadVerdicts((), (f"{error}; the verdicts that were landed before stand",))
        return self.lake.commit(
            lambda writer: _add(writer, found, night=night), night=night, message="land verdicts"
        )

    def _written(self) -> ReadVerdicts:
        """Read what people have written, in an order that does not depend on the server."""
        fields = dict.fromkeys(READ_FIELDS, True)
        with self.serving.connect() as database:
            return read_verdicts(
                {
                    name: list(database[name].find(dict(decided), fields).sort("_id"))
                    for name, decided in DECIDED.items()
                }
            )


def _add(writer: LakeWriter, found: ReadVerdicts, *, night: Night) -> ReadVerdicts:
    """Append the verdicts that are not there yet."""
    keys = {"symbol": pl.String, "session": pl.Date}
    about = pl.DataFrame(
        [(one.symbol, one.session) for one in found.verdicts], schema=keys, orient="row"
    )
    writer.connection.register("bars_judged", about.unique().to_arrow())
    rows = writer.read(_BARS, {"impossible": list(IMPOSSIBLE)})
    writer.connection.unregister("bars_judged")
    bars = {
        (symbol, session): KnownBar(revision, tuple(rules))
        for symbol, session, revision, rules in rows.iter_rows()
    }
    news = new_verdicts(found, writer.read("SELECT * FROM verdicts"), bars)
    if news.verdicts:
        writer.append(VERDICTS, verdict_rows(news.verdicts, night))
    return news
