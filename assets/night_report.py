"""The night report: what a person reads in the morning."""

import dagster as dg

from assets.partitions import sessions_of_run
from assets.published import published_asset
from assets.publishing import night_manifest
from resources.market import Market
from resources.night_reports import NightReports
from resources.nights import Nights
from resources.serving import Serving


@published_asset(
    [night_manifest],
    by_session=True,
    kinds=frozenset({"html", "mongodb"}),
    pool=None,
)
def night_report(
    context: dg.AssetExecutionContext,
    market: Market,
    nights: Nights,
    night_reports: NightReports,
    serving: Serving,
) -> dg.MaterializeResult:
    """What moved, what was wrong, what the record is: one HTML page a night, good on a phone."""
    tonight = nights.find(sessions_of_run(context.run.tags, market))
    pages = [night_reports.write(night, serving=serving) for night in tonight]
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.path(str(pages[-1])),
            "pages": len(pages),
            "size": f"{pages[-1].stat().st_size / 1024:.0f} KiB",
        }
    )
