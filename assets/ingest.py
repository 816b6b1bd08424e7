"""Ingest: what the vendor answers, as it came, and the daily bars that are read from it."""

import dagster as dg

from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, Group
from assets.partitions import sessions_of_run
from assets.reporting import counts_metadata, held_metadata, table_metadata
from pipelines.tables import DAILY_PRICES, VENDOR_RESPONSES
from pipelines.vendor.landing import ask_again
from pipelines.vendor.requests import plan_daily_requests
from resources.alpha_vantage import AlphaVantage
from resources.market import Market
from resources.nights import Nights
from resources.vendor_archive import VendorArchive


@dg.asset(
    group_name=Group.INGEST.value,
    owners=OWNERS,
    kinds={"alphavantage", "ducklake"},
    pool=LAKE_POOL,
    backfill_policy=ONE_RUN,
    metadata=table_metadata(VENDOR_RESPONSES),
)
def vendor_responses(
    context: dg.AssetExecutionContext,
    market: Market,
    nights: Nights,
    vendor_archive: VendorArchive,
    alpha_vantage: AlphaVantage,
) -> dg.MaterializeResult:
    """Every answer of the vendor exactly as it came, refusals too; asks only for what is missing.

    Opens the night: fixes the instant it is seen from.
    """
    night = nights.open(sessions_of_run(context.run.tags, market))[-1]
    latest = vendor_archive.latest_sessions()
    requests = plan_daily_requests(
        vendor_archive.worth_asking(market.universe(), night=night),
        latest,
        night.session,
        calendar=market.calendar,
        vendor_session=market.calendar.last_completed(night.as_of),
    )
    with market.vendor(night.as_of) as base_url:
        answers = alpha_vantage.fetch(
            requests, base_url=base_url, as_of=night.as_of, follow_up=ask_again(latest)
        )
        outcomes = vendor_archive.land(answers, night=night, progress=context.log.info)
    return dg.MaterializeResult(
        metadata={
            "night": f"{night.session} of {night.market}, as of {night.as_of.isoformat()}",
            "requests_planned": len(requests),
            "answers": counts_metadata(outcomes),
        }
    )


@dg.asset(
    group_name=Group.INGEST.value,
    owners=OWNERS,
    kinds={"ducklake"},
    pool=LAKE_POOL,
    deps=[vendor_responses],
    backfill_policy=ONE_RUN,
    metadata=table_metadata(DAILY_PRICES),
)
def daily_prices(
    context: dg.AssetExecutionContext,
    market: Market,
    nights: Nights,
    vendor_archive: VendorArchive,
) -> dg.MaterializeResult:
    """Daily bars as the vendor last sent them, right or wrong, with the instant we knew them."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    report = vendor_archive.ingest(night=night, calendar=market.calendar, progress=context.log.info)
    return dg.MaterializeResult(
        metadata={
            "bodies_read": report.bodies,
            "inserted": report.inserted,
            "revised_by_vendor": report.revised,
            "unreadable": report.unreadable,
            **held_metadata(vendor_archive.lake, DAILY_PRICES.name),
        }
    )
