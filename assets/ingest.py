"""Ingest: what the vendor answers, as it came, and the tables that are read from it."""

import dagster as dg
from pydantic import Field

from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.portfolios import portfolios as landed_portfolios
from assets.reporting import (
    asking_metadata,
    counts_metadata,
    held_metadata,
    stale_metadata,
    unknown_metadata,
    update_counts,
)
from assets.tables import table_asset
from assets.verdicts import reviewed_verdicts
from assets.watchlists import watchlists as landed_watchlists
from pipelines.tables import COMPANY_OVERVIEWS, DAILY_PRICES, LISTINGS, VENDOR_RESPONSES
from resources.alpha_vantage import AlphaVantage
from resources.company_ingestion import ingest_listings, ingest_overviews
from resources.index_ingestion import ingest_indexes
from resources.market import Market
from resources.nights import Nights
from resources.price_ingestion import ingest_prices, rebuild_prices
from resources.vendor_agenda import agenda_of
from resources.vendor_archive import VendorArchive
from resources.watchlists import Watchlists


@table_asset(
    VENDOR_RESPONSES,
    Group.INGEST,
    deps=[landed_watchlists, landed_portfolios, reviewed_verdicts],
    kinds={"alphavantage"},
)
def vendor_responses(
    context: dg.AssetExecutionContext,
    market: Market,
    nights: Nights,
    vendor_archive: VendorArchive,
    alpha_vantage: AlphaVantage,
    watchlists: Watchlists,
) -> dg.MaterializeResult:
    """Every answer of the vendor as it came, refusals too; asks only for what is missing."""
    night = nights.open(sessions_of_run(context.run.tags, market))[-1]
    # What a killed night has landed and not read would be asked for a second time.
    ingest_prices(
        vendor_archive.lake, night=night, calendar=market.calendar, progress=context.log.info
    )
    ingest_indexes(vendor_archive.lake, night=night, calendar=market.calendar)
    clock = market.clock(night.as_of)
    agenda = agenda_of(
        night,
        watchlists.joined_with(market.universe()),
        archive=vendor_archive,
        vendor=alpha_vantage,
        calendar=market.calendar,
        clock=clock,
        preferred=watchlists.wanted(),
        indexes=market.indexes(),
    )
    with market.vendor(night.as_of) as base_url:
        answers = alpha_vantage.fetch(agenda, base_url=base_url, clock=clock)
        outcomes = vendor_archive.land(
            answers, night=night, progress=context.log.info, plan=alpha_vantage.limits
        )
    return dg.MaterializeResult(
        metadata={
            **asking_metadata(night, agenda, outcomes),
            **unknown_metadata(vendor_archive.knowledge().rejections),
        }
    )


class PricesConfig(dg.Config):
    """What a run may change about the daily prices."""

    reparse: bool = Field(
        default=False,
        description="Read every landed body anew, asking the vendor nothing: for a mended parser.",
    )


@table_asset(DAILY_PRICES, Group.INGEST, deps=[vendor_responses])
def daily_prices(
    context: dg.AssetExecutionContext,
    config: PricesConfig,
    market: Market,
    nights: Nights,
    vendor_archive: VendorArchive,
) -> dg.MaterializeResult:
    """Daily bars as the vendor last sent them, right or wrong, with the instant we knew them."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    read = rebuild_prices if config.reparse else ingest_prices
    report = read(
        vendor_archive.lake, night=night, calendar=market.calendar, progress=context.log.info
    )
    return dg.MaterializeResult(
        metadata={
            "bodies_read": report.bodies,
            "inserted": report.inserted,
            "revised_by_vendor": report.revised,
            "deleted": report.deleted,
            "changes_by_kind": counts_metadata(report.noted.revisions),
            "body_anomalies": report.noted.body_anomalies or "none",
            "unreadable": report.unreadable,
            **stale_metadata(vendor_archive.latest_sessions(), night.session),
            **held_metadata(vendor_archive.lake, DAILY_PRICES.name),
        }
    )


@table_asset(LISTINGS, Group.INGEST, deps=[vendor_responses])
def listings(
    context: dg.AssetExecutionContext,
    market: Market,
    nights: Nights,
    vendor_archive: VendorArchive,
) -> dg.MaterializeResult:
    """Every symbol that trades or has left the market, as the vendor last listed them."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update = ingest_listings(vendor_archive.lake, night=night)
    return dg.MaterializeResult(metadata=update_counts(vendor_archive.lake, update))


@table_asset(COMPANY_OVERVIEWS, Group.INGEST, deps=[vendor_responses])
def company_overviews(
    context: dg.AssetExecutionContext,
    market: Market,
    nights: Nights,
    vendor_archive: VendorArchive,
) -> dg.MaterializeResult:
    """Name, exchange, sector and industry of each company, as the vendor last described it."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update = ingest_overviews(vendor_archive.lake, night=night)
    return dg.MaterializeResult(metadata=update_counts(vendor_archive.lake, update))
