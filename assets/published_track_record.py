"""The live record as the backend may read it: outcomes, and what models were worth."""

import dagster as dg

from assets.partitions import sessions_of_run
from assets.published import published_asset
from assets.reporting import publishing_metadata
from assets.track_record import prediction_outcomes, track_records
from pipelines.documents.prediction_outcome import PredictionOutcome, outcome_scope
from pipelines.documents.track_record import ModelTrackRecord, track_record_scope
from pipelines.lifecycle.outcomes import outcome_documents, sessions_to_publish
from pipelines.lifecycle.tables import TRACK_RECORDS
from pipelines.lifecycle.track_record import record_documents
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.serving import Serving
from resources.track_record import outcomes_due_in


@published_asset(
    [prediction_outcomes],
)
def published_outcomes(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights, serving: Serving
) -> dg.MaterializeResult:
    """What came of each live signal in `prediction_outcomes`: the newest, and what was corrected.

    Older documents stay as they are; a range of sessions publishes all that came due in it.
    """
    tonight = nights.find(sessions_of_run(context.run.tags, market))
    night = tonight[-1]
    due = sessions_to_publish(
        lake.read("SELECT DISTINCT due_session, entered_at FROM prediction_outcomes"),
        night,
        since=tonight[0].session,
    )
    serving.ensure_indexes([PredictionOutcome])
    report = serving.reconcile(
        PredictionOutcome,
        outcome_documents(outcomes_due_in(lake, due), night),
        scope=outcome_scope(due),
        as_of=night.as_of,
    )
    return dg.MaterializeResult(metadata=publishing_metadata(report))


@published_asset(
    [track_records],
    by_session=True,
)
def published_track_records(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights, serving: Serving
) -> dg.MaterializeResult:
    """What live signals were worth in `track_records`, by model version and window."""
    sessions = sessions_of_run(context.run.tags, market)
    tonight = nights.find(sessions)
    serving.ensure_indexes([ModelTrackRecord])
    report = serving.reconcile(
        ModelTrackRecord,
        record_documents(lake.of_sessions(TRACK_RECORDS, sessions), tonight),
        scope=track_record_scope(sessions),
        as_of=tonight[-1].as_of,
    )
    return dg.MaterializeResult(metadata=publishing_metadata(report))
