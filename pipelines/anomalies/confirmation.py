"""Jumps that later prices confirm.

This looks forwards, so it never decides what a model may use: it gives the published event of an
anomaly its explanation. A bar that was withheld stays so.
"""

import polars as pl

CONFIRMING_BARS = 3
"""So many bars after the jump must stand at its level."""
SHARE = 1 / 3
"""Nearer to the jump's level than this share of the jump."""
CONFIRMED_KINDS = ("unexplained_jump",)
"""A level that was withheld is not among them: one that is wrong stands as well as one that is
right."""


def confirmed_moves(anomalies: pl.DataFrame, bars: pl.DataFrame) -> pl.DataFrame:
    """Return the anomalies with an explanation where the next bars stand at the jump's level.

    Args:
        anomalies: Rows of `price_anomalies`.
        bars: Bars of their symbols, not withheld: symbol, session, close, split_coefficient.
    """
    of_symbol = bars.sort("symbol", "session").with_columns(
        splits=pl.col("split_coefficient").cum_prod().over("symbol")
    )
    value = pl.col("close") * pl.col("splits")
    later = [value.shift(-ahead).over("symbol") for ahead in range(1, CONFIRMING_BARS + 1)]
    jump = (value / value.shift(1).over("symbol")).log()
    stays = pl.all_horizontal((price / value).log().abs() < SHARE * jump.abs() for price in later)
    confirmed = of_symbol.with_columns(stays=stays).filter("stays").select("symbol", "session")
    words = f"prices of the next {CONFIRMING_BARS} sessions confirm it"
    is_confirmed = (
        pl.col("stays").fill_null(value=False)
        & pl.col("explanation").is_null()
        & pl.col("anomaly_type").is_in(CONFIRMED_KINDS)
    )
    return (
        anomalies.join(
            confirmed.with_columns(stays=True),
            on=["symbol", "session"],
            how="left",
            maintain_order="left",
        )
        .with_columns(
            explanation=pl.when(is_confirmed).then(pl.lit(words)).otherwise("explanation")
        )
        .drop("stays")
    )
