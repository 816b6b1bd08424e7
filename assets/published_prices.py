"""Prices as the backend charts them, and what it may know of how fresh they are."""

import dagster as dg

from assets.partitions import sessions_of_run
from assets.published import published_asset
from assets.quality import clean_prices
from assets.reporting import price_publishing_metadata, publishing_metadata
from pipelines.documents.coverage import (
    REFRESHES_QUERY,
    StockDataCoverage,
    coverage_documents,
    holdings_query,
)
from pipelines.documents.daily_price import DAILY_PRICE_SERIES
from pipelines.documents.period_price import MONTHLY_PRICE_SERIES, WEEKLY_PRICE_SERIES
from pipelines.documents.price_series import PriceSeries
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.serving import Serving
from resources.watchlists import Watchlists


def price_asset(name: str, series: PriceSeries, *, description: str) -> dg.AssetsDefinition:
    """Return the asset that publishes one price collection."""

    @published_asset(
        [clean_prices],
        name=name,
        description=description,
    )
    def published(
        context: dg.AssetExecutionContext,
        lake: Lake,
        market: Market,
        nights: Nights,
        serving: Serving,
    ) -> dg.MaterializeResult:
        from resources.price_publishing import publish_prices

        night = nights.find(sessions_of_run(context.run.tags, market))[-1]
        report = publish_prices(
            series,
            lake=lake,
            serving=serving,
            night=night,
            progress=context.log.info,
        )
        return dg.MaterializeResult(metadata=price_publishing_metadata(report))

    return published


published_prices = price_asset(
    "published_prices",
    DAILY_PRICE_SERIES,
    description="Clean daily bars in `stock_price_daily`, as the backend charts them. Only the "
    "months of a symbol whose bars changed since they were published are touched.",
)

published_weekly_prices = price_asset(
    "published_weekly_prices",
    WEEKLY_PRICE_SERIES,
    description="Weekly bars in `stock_price_weekly`, made from clean daily ones and dated by the "
    "week's last session; this week's is partial. Prices, volume and dividends before a split "
    "within the week are put on the share count of its last session.",
)

published_monthly_prices = price_asset(
    "published_monthly_prices",
    MONTHLY_PRICE_SERIES,
    description="Monthly bars in `stock_price_monthly`, made from clean daily ones and dated by "
    "the month's last session; this month's is partial. Prices, volume and dividends before a "
    "split within the month are put on the share count of its last session.",
)


@published_asset(
    [published_prices, published_weekly_prices, published_monthly_prices],
)
def published_coverage(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    serving: Serving,
    watchlists: Watchlists,
) -> dg.MaterializeResult:
    """How far each symbol's prices reach in `stock_data_coverage`, and when really refreshed.

    A symbol whose refresh failed keeps its old stamps: the backend must see that it is stale.
    """
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    refreshes = lake.read(REFRESHES_QUERY)
    coverage = coverage_documents(
        lake.read(holdings_query()),
        refreshes,
        active=watchlists.joined_with(market.universe()),
        source=market.name,
        calendar=market.calendar,
    )
    report = serving.reconcile(StockDataCoverage, coverage, scope={}, as_of=night.as_of)
    stale = refreshes.filter(refreshes["refreshed_through"] < night.session)["symbol"].sort()
    return dg.MaterializeResult(
        metadata={**publishing_metadata(report), "symbols_not_refreshed": stale.to_list() or "none"}
    )
