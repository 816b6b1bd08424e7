"""Quality: which bars can't be true, and the clean prices that everything else is made from."""

import dagster as dg

from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, Group
from assets.ingest import daily_prices
from assets.partitions import sessions_of_run
from assets.reporting import counts_metadata, table_metadata, update_metadata
from pipelines.anomalies.rules import QUARANTINE_DERIVATION
from pipelines.anomalies.suite import expectations_table, judge_clean_prices, unmet
from pipelines.prices.total_return import CLEAN_PRICES_DERIVATION
from pipelines.tables import CLEAN_PRICES, QUARANTINED_PRICES
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights


@dg.asset(
    group_name=Group.QUALITY.value,
    owners=OWNERS,
    kinds={"ducklake", "sql"},
    pool=LAKE_POOL,
    deps=[daily_prices],
    backfill_policy=ONE_RUN,
    metadata=table_metadata(QUARANTINED_PRICES),
)
def quarantined_prices(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Bars that break a hard rule, as the vendor sent them, with the rules and the reasons."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update = lake.bring_up_to_date(QUARANTINE_DERIVATION, night=night)
    by_rule = lake.read(
        "SELECT rule, count(*) FROM (SELECT unnest(rules) AS rule FROM quarantined_prices) "
        "GROUP BY rule"
    )
    return dg.MaterializeResult(
        metadata={
            **update_metadata(lake, update),
            "bars_by_rule": counts_metadata(dict(by_rule.iter_rows())),
        }
    )


@dg.asset(
    group_name=Group.QUALITY.value,
    owners=OWNERS,
    kinds={"ducklake", "polars"},
    pool=LAKE_POOL,
    deps=[daily_prices, quarantined_prices],
    backfill_policy=ONE_RUN,
    metadata=table_metadata(CLEAN_PRICES),
)
def clean_prices(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Bars that break no hard rule, with a total return index chained forwards only."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update = lake.bring_up_to_date(CLEAN_PRICES_DERIVATION, night=night)
    return dg.MaterializeResult(metadata=update_metadata(lake, update))


@dg.asset_check(
    asset=clean_prices,
    blocking=True,
    description="Every clean bar is there once, with prices above zero, the high highest and the "
    "low lowest. Where one is not, the night stops before it publishes.",
)
def clean_prices_keep_the_hard_rules(lake: Lake) -> dg.AssetCheckResult:
    """Judge clean prices by the suite of Great Expectations; broken, it stops the night."""
    bars = lake.read("SELECT * FROM clean_prices")
    outcomes = judge_clean_prices(bars)
    return dg.AssetCheckResult(
        passed=not unmet(outcomes),
        metadata={
            "bars_judged": bars.height,
            "expectations_broken": len(unmet(outcomes)),
            "expectations": dg.MetadataValue.md(expectations_table(outcomes)),
        },
    )


@dg.asset_check(
    asset=quarantined_prices,
    description="Warns of bars that wait for a person's verdict; the night goes on without them.",
)
def quarantine_is_empty(lake: Lake) -> dg.AssetCheckResult:
    """Warn where bars are withheld: the night goes on without them, a person should look."""
    waiting = lake.read(
        "SELECT symbol, session::VARCHAR AS session, array_to_string(reasons, '; ') AS reasons "
        "FROM quarantined_prices ORDER BY session DESC, symbol LIMIT 20"
    )
    return dg.AssetCheckResult(
        passed=waiting.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "newest": [f"{row[0]} {row[1]}: {row[2]}" for row in waiting.iter_rows()] or "none"
        },
    )
