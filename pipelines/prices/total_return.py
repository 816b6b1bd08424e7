"""Clean prices: bars that are not withheld, with total return chained forwards.

A vendor's adjusted close rewrites the past at every dividend. The index here starts at 1 in a
symbol's first session and is only ever appended to: its value at a session uses nothing later
(the total return index of CRSP, dividends reinvested at the close of the ex-date).
"""

import polars as pl

from pipelines.anomalies.quarantine import WRONG_ACTIONS
from pipelines.anomalies.tables import QUARANTINED_PRICES
from pipelines.derivations import Cut, Derivation, Reach
from pipelines.table import BAR_COLUMNS
from pipelines.tables import CLEAN_PRICES, DAILY_PRICES

_FORMER = ", ".join(f"former.{column.name}" for column in BAR_COLUMNS)
_HAS_FORMER_VALUES = " AND ".join(
    f"former.{column.name} IS NOT DISTINCT FROM daily.{column.name}" for column in BAR_COLUMNS
)
_QUERY = f"""
    WITH seeds AS (
        SELECT * EXCLUDE (is_wanted) FROM clean_prices_in_reach AS clean WHERE NOT is_wanted
        QUALIFY clean.session = max(clean.session) OVER (PARTITION BY clean.symbol)
    ),
    due AS (
        SELECT daily.* EXCLUDE (is_wanted)
        FROM daily_prices_in_reach AS daily LEFT JOIN seeds USING (symbol)
        WHERE seeds.session IS NULL OR daily.session > seeds.session
    ),
    last_in_force AS (
        SELECT * FROM price_revisions
        WHERE was_in_force AND symbol IN (SELECT symbol FROM changes)
        QUALIFY revision = max(revision) OVER (PARTITION BY symbol, session)
    ),
    withheld AS (
        SELECT symbol, session, in_force_revision, in_force_revision IS NOT NULL AS has_former,
               list_has_any(rules, [{", ".join(f"'{rule}'" for rule in WRONG_ACTIONS)}])
                   AS has_wrong_action
        FROM quarantined_prices
    ),
    of_newest_revision AS (
        SELECT daily.* REPLACE (
                   CASE WHEN {_HAS_FORMER_VALUES} THEN former.known_before
                        ELSE daily.known_at END AS known_at,
                   CASE WHEN withheld.has_wrong_action THEN 1.0
                        ELSE daily.split_coefficient END AS split_coefficient,
                   CASE WHEN withheld.has_wrong_action THEN 0.0
                        ELSE daily.dividend_amount END AS dividend_amount),
               withheld.symbol IS NULL AS is_clean
        FROM due AS daily
        LEFT JOIN withheld USING (symbol, session)
        LEFT JOIN last_in_force AS former USING (symbol, session)
        WHERE NOT coalesce(withheld.has_former, false)
    ),
    of_former_revision AS (
        SELECT due.symbol, due.session, {_FORMER}, former.known_before AS known_at,
               true AS is_clean
        FROM due JOIN withheld USING (symbol, session)
        JOIN price_revisions AS former
            ON former.symbol = due.symbol AND former.session = due.session
           AND former.revision = withheld.in_force_revision + 1
    )
    SELECT * EXCLUDE (split_factor, total_return_index, total_return_units),
           true AS is_clean, true AS is_seed,
           split_factor AS seed_split_factor, total_return_units AS seed_units
    FROM seeds
    UNION ALL BY NAME
    SELECT * EXCLUDE (known_at_basis, revision, response_id), false AS is_seed
    FROM of_newest_revision
    UNION ALL BY NAME
    SELECT *, false AS is_seed FROM of_former_revision
    ORDER BY symbol, session
"""
"""Daily bars from the last clean one before the change on, that one as the seed of the chain.

A withheld bar with a good former revision is replaced by it; of another, a split or dividend that
is itself the fault is not carried to the bars after. Values that were in force before and
have come back keep the instant since which they were known: the bar between was never used.
"""


def chain_total_returns(bars: pl.DataFrame) -> pl.DataFrame:
    """Return clean bars with their split factor and total return index.

    One dollar buys `1 / close` shares at the first clean bar. From one clean bar to the next a
    holding grows by the splits, and by `1 + Σ dividend · S / (close · S)` where dividends are
    reinvested, S being the product of the split coefficients so far; the index is what it is worth
    at the close. So a close that is corrected moves the index of its own session alone, unless it
    is the first one or that of an ex-date. Splits and dividends of withheld bars in between are
    carried over, since the money was paid whether or not the bar's prices can be trusted.

    Args:
        bars: Bars by symbol and session with `is_clean`; where `is_seed`, the row is the last one
            of the chain so far, with `seed_split_factor` and `seed_units`. Sorted.
    """
    split = pl.when(pl.col("split_coefficient") > 0).then("split_coefficient").otherwise(1.0)
    paid = pl.when(pl.col("dividend_amount") > 0).then("dividend_amount").otherwise(0.0)
    with_factor = bars.sort("symbol", "session").with_columns(
        split_factor=pl.when("is_seed")
        .then("seed_split_factor")
        .otherwise(split)
        .cum_prod()
        .over("symbol"),
        # Withheld bars belong to the next clean one, so that a sum never reaches across it:
        # the same rows are added in the same order wherever the chain is taken up.
        step=(pl.col("is_clean").cum_sum() - pl.col("is_clean").cast(pl.Int64)).over("symbol"),
    )
    return (
        with_factor.with_columns(
            dividends=(pl.when("is_seed").then(0.0).otherwise(paid) * pl.col("split_factor"))
            .sum()
            .over("symbol", "step"),
            shares=split.product().over("symbol", "step"),
        )
        .filter("is_clean")
        .with_columns(total_return_units=_growth().cum_prod().over("symbol"))
        .with_columns(total_return_index=pl.col("close") * pl.col("total_return_units"))
        .filter(~pl.col("is_seed"))
        .select(CLEAN_PRICES.column_names)
    )


def _growth() -> pl.Expr:
    """Return by what the shares grow at a clean bar; the first one is bought with one dollar."""
    reinvested = 1 + pl.col("dividends") / (pl.col("close") * pl.col("split_factor"))
    is_first = pl.int_range(pl.len()).over("symbol") == 0
    bought = pl.when("is_seed").then("seed_units").otherwise(1 / pl.col("close"))
    return pl.when(is_first).then(bought).otherwise(pl.col("shares") * reinvested)


CLEAN_PRICES_DERIVATION = Derivation(
    table=CLEAN_PRICES,
    sources=(DAILY_PRICES, QUARANTINED_PRICES),
    query=_QUERY,
    transform=chain_total_returns,
    revision="2",
    reach=Reach(1, CLEAN_PRICES, (DAILY_PRICES, CLEAN_PRICES)),
    cut=Cut.SYMBOLS,
)
