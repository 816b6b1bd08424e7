"""The live record: what came of signals, and what their models were worth by it."""

import dagster as dg

from assets.features import next_session_labels
from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.regimes import regime_states
from assets.signals import signal_scores
from assets.tables import table_asset
from assets.track_record_report import outcome_metadata, record_metadata
from pipelines.lifecycle.tables import PREDICTION_OUTCOMES, TRACK_RECORDS
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.track_record import enter_outcomes, keep_track_records, recent_outcomes


@table_asset(
    PREDICTION_OUTCOMES, Group.LIFECYCLE, deps=[signal_scores, next_session_labels], kinds={"sql"}
)
def prediction_outcomes(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """What came of each live signal, entered when the session it was about is over.

    A revised price corrects the outcomes of the last year.
    """
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    entered, corrected = enter_outcomes(lake, night=night)
    return dg.MaterializeResult(
        metadata={
            "entered": entered,
            "corrected_or_completed": corrected,
            **outcome_metadata(recent_outcomes(lake, first=night.session, last=night.session)),
        }
    )


@table_asset(
    TRACK_RECORDS,
    Group.LIFECYCLE,
    deps=[signal_scores, prediction_outcomes, regime_states],
    kinds={"numpy"},
    by_session=True,
)
def track_records(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """AUC, Brier score, calibration, IC and return after costs of live signals, with intervals.

    By model version over the last quarter and year of sessions with an outcome, and by the market's
    regime over the year.
    """
    tonight = nights.join(sessions_of_run(context.run.tags, market))
    measured = keep_track_records(lake, tonight)
    return dg.MaterializeResult(
        metadata={
            "nights_measured": measured,
            "live_nights_kept": len(tonight) - measured,
            **record_metadata(lake, tonight[-1].session),
        }
    )
