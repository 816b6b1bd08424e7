"""The live record as the backend may read it: outcomes, and what models were worth."""

from itertools import chain

import dagster as dg

from assets.family_outcomes import family_records, forecast_outcomes, regime_outcomes
from assets.partitions import sessions_of_run
from assets.published import published_asset
from assets.reporting import publishing_metadata
from assets.track_record import prediction_outcomes, track_records
from pipelines.documents.prediction_outcome import PredictionOutcome, outcome_scope
from pipelines.documents.track_record import ModelTrackRecord, track_record_scope
from pipelines.lifecycle.family_records import family_record_documents
from pipelines.lifecycle.forecast_outcomes import forecast_documents_of
from pipelines.lifecycle.outcomes import outcome_documents, sessions_to_publish
from pipelines.lifecycle.regime_outcomes import regime_documents_of
from pipelines.lifecycle.tables import (
    FAMILY_RECORDS,
    FORECAST_OUTCOMES,
    PREDICTION_OUTCOMES,
    REGIME_OUTCOMES,
    TRACK_RECORDS,
)
from pipelines.lifecycle.track_record import record_documents
from resources.family_outcomes import due_in, entries_of
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.serving import Serving


@published_asset([prediction_outcomes, regime_outcomes, forecast_outcomes])
def published_outcomes(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights, serving: Serving
) -> dg.MaterializeResult:
    """What came of each live prediction in `prediction_outcomes`: the newest, and corrections.

    Older documents stay as they are; a range of sessions publishes all that came due in it.
    """
    tonight = nights.find(sessions_of_run(context.run.tags, market))
    night = tonight[-1]
    due = sessions_to_publish(entries_of(lake), night, since=tonight[0].session)
    serving.ensure_indexes([PredictionOutcome])
    report = serving.reconcile(
        PredictionOutcome,
        chain(
            outcome_documents(due_in(lake, PREDICTION_OUTCOMES, due), night),
            regime_documents_of(due_in(lake, REGIME_OUTCOMES, due), night),
            forecast_documents_of(due_in(lake, FORECAST_OUTCOMES, due), night),
        ),
        scope=outcome_scope(due),
        as_of=night.as_of,
    )
    return dg.MaterializeResult(metadata=publishing_metadata(report))


@published_asset(
    [track_records, family_records],
    by_session=True,
)
def published_track_records(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights, serving: Serving
) -> dg.MaterializeResult:
    """What live predictions were worth in `track_records`, by model version, window and regime."""
    sessions = sessions_of_run(context.run.tags, market)
    tonight = nights.find(sessions)
    serving.ensure_indexes([ModelTrackRecord])
    report = serving.reconcile(
        ModelTrackRecord,
        chain(
            record_documents(lake.of_sessions(TRACK_RECORDS, sessions), tonight),
            family_record_documents(lake.of_sessions(FAMILY_RECORDS, sessions), tonight),
        ),
        scope=track_record_scope(sessions),
        as_of=tonight[-1].as_of,
    )
    return dg.MaterializeResult(metadata=publishing_metadata(report))
