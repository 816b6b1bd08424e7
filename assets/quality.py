"""Quality: which bars can't be true, and the clean prices that everything else is made from."""

import dagster as dg

from assets.groups import Group
from assets.ingest import daily_prices
from assets.partitions import sessions_of_run
from assets.reporting import counts_metadata, update_metadata
from assets.tables import table_asset
from assets.verdicts import reviewed_verdicts
from pipelines.anomalies.derivation import PRICE_ANOMALIES_DERIVATION
from pipelines.anomalies.quarantine import QUARANTINE_DERIVATION
from pipelines.anomalies.tables import PRICE_ANOMALIES, QUARANTINED_PRICES
from pipelines.prices.total_return import CLEAN_PRICES_DERIVATION
from pipelines.tables import CLEAN_PRICES
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights


@table_asset(
    PRICE_ANOMALIES, Group.QUALITY, deps=[daily_prices, reviewed_verdicts], kinds={"polars"}
)
def price_anomalies(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """What the rules find wrong or remarkable about each bar, by what its own night could know."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update = lake.bring_up_to_date(PRICE_ANOMALIES_DERIVATION, night=night)
    counts = [
        lake.read(f"SELECT {name}, count(*) FROM price_anomalies GROUP BY {name}").iter_rows()
        for name in ("anomaly_type", "severity")
    ]
    by_type, by_severity = (counts_metadata(dict(rows)) for rows in counts)
    return dg.MaterializeResult(
        metadata={
            **update_metadata(lake, update),
            "anomalies_by_type": by_type,
            "anomalies_by_severity": by_severity,
        }
    )


@table_asset(
    QUARANTINED_PRICES,
    Group.QUALITY,
    deps=[daily_prices, price_anomalies, reviewed_verdicts],
    kinds={"sql"},
)
def quarantined_prices(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Bars withheld by rules, the journal of revisions or a person, with reasons and evidence."""
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
            "former_revision_in_force": lake.read(
                "SELECT count(in_force_revision) FROM quarantined_prices"
            ).item(),
        }
    )


@table_asset(CLEAN_PRICES, Group.QUALITY, deps=[daily_prices, quarantined_prices], kinds={"polars"})
def clean_prices(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Bars that are not withheld, or as they last were good, with total return chained forwards."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update = lake.bring_up_to_date(CLEAN_PRICES_DERIVATION, night=night)
    return dg.MaterializeResult(metadata=update_metadata(lake, update))


@dg.asset_check(
    asset=quarantined_prices,
    description="Warns of bars that wait for a person's verdict; the night goes on without them.",
)
def quarantine_is_empty(lake: Lake) -> dg.AssetCheckResult:
    """Warn where bars are withheld: the night goes on without them, a person should look."""
    waiting = lake.read(
        "SELECT symbol, session::VARCHAR AS session, array_to_string(reasons, '; ') AS reasons "
        "FROM quarantined_prices WHERE resolution IS NULL ORDER BY session DESC, symbol LIMIT 20"
    )
    return dg.AssetCheckResult(
        passed=waiting.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "newest": [f"{row[0]} {row[1]}: {row[2]}" for row in waiting.iter_rows()] or "none"
        },
    )
