"""Suites of Great Expectations as checks: what every row of prices, features and scores keeps."""

import dagster as dg

from assets.anomalies import bar_scores
from assets.features import SIGNAL_FEATURE_NAMES
from assets.partitions import sessions_of_run
from assets.quality import clean_prices
from assets.signals import signal_scores
from pipelines.expectations.features import FEATURE_SUITES
from pipelines.expectations.prices import CLEAN_PRICE_SUITE
from pipelines.expectations.rules import Suite
from pipelines.expectations.scores import BAR_SCORE_SUITE, SIGNAL_SCORE_SUITE
from pipelines.expectations.suite import NEWEST_ROWS, judge, outcomes_table, unmet
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.unjudged import unjudged_query


def _suite_check(
    name: str,
    asset: dg.AssetsDefinition | str,
    suite: Suite,
    *,
    blocking: bool,
    description: str,
) -> dg.AssetChecksDefinition:
    """Return the check that judges a table by its suite; one that crashes is a failed step."""

    @dg.asset_check(name=name, asset=asset, blocking=blocking, description=description)
    def meets_expectations(
        context: dg.AssetCheckExecutionContext, lake: Lake, market: Market, nights: Nights
    ) -> dg.AssetCheckResult:
        session = sessions_of_run(context.run.tags, market)[-1]
        written = unjudged_query(suite.table, lake=lake, nights=nights, session=session)
        newest = lake.read(suite.newest_query(written), {"rows": NEWEST_ROWS})
        swept = lake.read(suite.sweep_query(written))["rows_against"].to_list()
        outcomes = judge(suite, newest, swept=swept)
        return dg.AssetCheckResult(
            passed=not unmet(outcomes),
            severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
            metadata={
                "newest_rows_judged": newest.height,
                "swept": "the whole table" if written is None else "rows written since a night",
                "expectations_broken": len(unmet(outcomes)),
                "expectations": dg.MetadataValue.md(outcomes_table(outcomes)),
            },
        )

    return meets_expectations


clean_prices_keep_the_hard_rules = _suite_check(
    "clean_prices_keep_the_hard_rules",
    clean_prices,
    CLEAN_PRICE_SUITE,
    blocking=True,
    description="Every clean bar is there once, with prices above zero, the high highest and the "
    "low lowest. Where one is not, the night stops before it publishes.",
)

FEATURE_CHECKS = [
    _suite_check(
        f"{name}_meet_expectations",
        name,
        FEATURE_SUITES[name],
        blocking=False,
        description="Each feature lies where its own formula can reach, and no row is there twice, "
        "as Great Expectations sees the newest rows and a sweep all that the night wrote.",
    )
    for name in SIGNAL_FEATURE_NAMES
]

signal_scores_meet_expectations = _suite_check(
    "signal_scores_meet_expectations",
    signal_scores,
    SIGNAL_SCORE_SUITE,
    blocking=True,
    description="Every signal is there once, its chances lie between 0 and 1, and its model has "
    "seen nothing of its session. Where one is not, the night stops before it publishes.",
)

bar_scores_meet_expectations = _suite_check(
    "bar_scores_meet_expectations",
    bar_scores,
    BAR_SCORE_SUITE,
    blocking=False,
    description="Every bar is scored once, between 0 and 1, by a fit on earlier bars.",
)
