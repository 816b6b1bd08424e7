"""Portfolio forecasts and values as the backend may read them."""

import dagster as dg

from assets.forecasts import portfolio_forecast_history, portfolio_forecasts
from assets.partitions import sessions_of_run
from assets.portfolio_equity import portfolio_equity
from assets.published import published_asset
from assets.reporting import publishing_metadata
from pipelines.documents.portfolio_equity import PortfolioEquity
from pipelines.documents.portfolio_forecast import PortfolioForecast, forecast_scope
from pipelines.forecasts.nightly import documents_of, equity_documents
from pipelines.forecasts.tables import PORTFOLIO_FORECASTS
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.portfolios import published_values
from resources.serving import Serving


@published_asset(
    [portfolio_forecasts, portfolio_forecast_history],
    by_session=True,
)
def published_portfolio_forecasts(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights, serving: Serving
) -> dg.MaterializeResult:
    """Each portfolio's fan, risk and track record in `portfolio_forecasts`, by horizon."""
    sessions = sessions_of_run(context.run.tags, market)
    tonight = nights.find(sessions)
    serving.ensure_indexes([PortfolioForecast])
    report = serving.reconcile(
        PortfolioForecast,
        documents_of(lake.of_sessions(PORTFOLIO_FORECASTS, sessions)),
        scope=forecast_scope(tonight),
        as_of=tonight[-1].as_of,
    )
    return dg.MaterializeResult(metadata=publishing_metadata(report))


@published_asset(
    [portfolio_equity],
)
def published_portfolio_equity(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights, serving: Serving
) -> dg.MaterializeResult:
    """Each portfolio's value in `portfolio_equity`; the last year is compared, the rest stays.

    The year of the newest night: an older one that is run again publishes no other.
    """
    night = nights.newest(nights.find(sessions_of_run(context.run.tags, market))[-1])
    rows = published_values(lake, night.session)
    serving.ensure_indexes([PortfolioEquity])
    report = serving.reconcile(
        PortfolioEquity,
        equity_documents(rows, market=market.name),
        scope={"session": rows["session"].unique().to_list()},
        as_of=night.as_of,
    )
    return dg.MaterializeResult(metadata=publishing_metadata(report))
