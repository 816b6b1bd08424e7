"""What came of live regimes and forecasts, and what their models were worth by it."""

import dagster as dg

from assets.family_report import family_metadata
from assets.features import next_session_labels
from assets.forecasts import portfolio_forecast_history, portfolio_forecasts
from assets.groups import Group
from assets.indexes import index_prices
from assets.partitions import sessions_of_run
from assets.regimes import regime_states
from assets.tables import table_asset
from pipelines.lifecycle.tables import FAMILY_RECORDS, FORECAST_OUTCOMES, REGIME_OUTCOMES
from resources.family_outcomes import (
    enter_forecast_outcomes,
    enter_regime_outcomes,
    keep_family_records,
)
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights


@table_asset(
    REGIME_OUTCOMES,
    Group.LIFECYCLE,
    deps=[regime_states, next_session_labels, index_prices],
    kinds={"sql"},
)
def regime_outcomes(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """What came of each live regime: the next session's return, and whether it ended within five.

    The market's return is held against what was foretold of it and against one normal for all
    sessions. Revised prices correct the last year.
    """
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    entered, corrected = enter_regime_outcomes(lake, night=night)
    return dg.MaterializeResult(metadata={"entered": entered, "corrected": corrected})


@table_asset(FORECAST_OUTCOMES, Group.LIFECYCLE, deps=[portfolio_forecast_history], kinds={"sql"})
def forecast_outcomes(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """What came of each live portfolio forecast: its band, its value at risk, its scores."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    entered, corrected = enter_forecast_outcomes(lake, night=night)
    return dg.MaterializeResult(metadata={"entered": entered, "corrected": corrected})


@table_asset(
    FAMILY_RECORDS,
    Group.LIFECYCLE,
    deps=[regime_states, portfolio_forecasts, regime_outcomes, forecast_outcomes],
    kinds={"numpy"},
    by_session=True,
)
def family_records(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Log score, CRPS, coverage and value at risk of live regimes and forecasts, with intervals.

    By model version over the last quarter and year of sessions with an outcome, and by the market's
    regime over the year.
    """
    sessions = sessions_of_run(context.run.tags, market)
    tonight = nights.join(sessions)
    measured = keep_family_records(lake, tonight)
    return dg.MaterializeResult(
        metadata={
            "nights_measured": measured,
            "live_nights_kept": len(tonight) - measured,
            **family_metadata(lake, sessions[-1]),
        }
    )
