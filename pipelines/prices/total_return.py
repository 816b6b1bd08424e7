"""Clean prices: bars that break no hard rule, with total return chained forwards.

A vendor's adjusted close rewrites the past at every dividend. The index here starts at 1 in a
symbol's first session and is only ever appended to: its value at a session uses nothing later
(the total return index of CRSP, dividends reinvested at the close of the ex-date).
"""

import polars as pl

from pipelines.derivations import Derivation
from pipelines.tables import CLEAN_PRICES, DAILY_PRICES, QUARANTINED_PRICES

_QUERY = """
    WITH seeds AS (
        SELECT clean.symbol, max(clean.session) AS seed_session
        FROM clean_prices AS clean JOIN changes USING (symbol)
        WHERE clean.session < changes.from_session
        GROUP BY clean.symbol
    )
    SELECT clean.symbol, clean.session, clean.open, clean.high, clean.low, clean.close,
           clean.volume, clean.adjusted_close, clean.dividend_amount, clean.split_coefficient,
           clean.known_at, true AS is_clean, true AS is_seed,
           clean.split_factor AS seed_split_factor, clean.total_return_index AS seed_index
    FROM clean_prices AS clean
    JOIN seeds ON seeds.symbol = clean.symbol AND seeds.seed_session = clean.session
    UNION ALL BY NAME
    SELECT daily.symbol, daily.session, daily.open, daily.high, daily.low, daily.close,
           daily.volume, daily.adjusted_close, daily.dividend_amount, daily.split_coefficient,
           daily.known_at, quarantined.symbol IS NULL AS is_clean, false AS is_seed
    FROM daily_prices AS daily
    JOIN changes USING (symbol)
    LEFT JOIN seeds USING (symbol)
    LEFT JOIN quarantined_prices AS quarantined USING (symbol, session)
    WHERE seed_session IS NULL OR daily.session > seed_session
    ORDER BY symbol, session
"""
"""Daily bars from the last clean one before the change on, that one as the seed of the chain."""


def chain_total_returns(bars: pl.DataFrame) -> pl.DataFrame:
    """Return clean bars with their split factor and total return index.

    The value of a holding grows from one clean bar to the next by
    `(close · S + Σ dividend · S) / (close before · S before)`, S being the product of the split
    coefficients so far. Splits and dividends of withheld bars in between are carried over, since
    the money was paid whether or not the bar's prices can be trusted.

    Args:
        bars: Bars by symbol and session with `is_clean`; where `is_seed`, the row is the last one
            of the chain so far, with `seed_split_factor` and `seed_index`. Sorted.
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
            .over("symbol", "step")
        )
        .filter("is_clean")
        .with_columns(total_return_index=_growth().cum_prod().over("symbol"))
        .filter(~pl.col("is_seed"))
        .select(CLEAN_PRICES.column_names)
    )


def _growth() -> pl.Expr:
    """Return a clean bar's growth over the clean bar before; a seed is its own index."""
    holding = pl.col("close") * pl.col("split_factor")
    grown = (holding + pl.col("dividends")) / holding.shift(1).over("symbol")
    return pl.when("is_seed").then("seed_index").otherwise(grown.fill_null(1.0))


CLEAN_PRICES_DERIVATION = Derivation(
    table=CLEAN_PRICES,
    sources=(DAILY_PRICES, QUARANTINED_PRICES),
    query=_QUERY,
    transform=chain_total_returns,
)
