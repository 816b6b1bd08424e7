"""The adjusted close against the close and the listed splits and dividends, and those themselves.

Adjusted over traded close, times the steps of all actions so far, is one number for all bars of a
symbol. Where it changes, the adjusted close is wrong there or a listed action is.
"""

import polars as pl

from pipelines.anomalies.findings import Finding, rounded

SMALLEST_DRIFT = 0.0015
"""A dividend of 0.2 % that one side has and the other has not is found: both are exact."""
TREND, CREEP = 0.002, 0.0002
"""A drift that goes on moves by the first in five bars and by the second in one; one that stands
was told of already."""
SESSIONS_APART = 4
"""Nobody pays the same dividend twice within so many sessions."""
CENT = 0.0051
"""Half of what two decimals hide of a price, and a little."""


def with_repeated_dividends(bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars with `is_paid_again`: one of the bars just before has the same dividend."""
    paid = pl.col("dividend_amount")
    is_again = pl.any_horizontal(
        paid.shift(rows).over("symbol") == paid for rows in range(1, SESSIONS_APART + 1)
    )
    return bars.with_columns(is_paid_again=is_again)


def adjustment_findings() -> list[Finding]:
    """Return what to look for in the adjusted close."""
    # Some vendors round to cents: of a price of 10 cents that is 5 %.
    is_in_cents = ((pl.col("adjusted_close") * 100).round() - pl.col("adjusted_close") * 100).abs()
    hidden = pl.when(is_in_cents < 1e-6).then(CENT).otherwise(CENT / 100) / pl.col("adjusted_close")
    limit = SMALLEST_DRIFT + 2 * hidden
    step, off = pl.col("adjustment_move"), pl.col("adjustment_off")
    is_step = (step.abs() > limit) & (off.abs() > limit).fill_null(value=True)
    goes_on = (pl.col("adjustment_trend").abs() > TREND + 2 * hidden) & (step.abs() > CREEP)
    is_drift = (off.abs() > limit) & goes_on
    is_nothing = pl.col("adjusted_close") <= 0
    size = ((pl.coalesce(off, step).exp() - 1) * 100).round(2)
    return [
        _listed_twice(),
        Finding(
            "adjusted_close_drift",
            is_nothing | (is_step | is_drift).fill_null(value=False),
            pl.when(is_nothing)
            .then(pl.format("the adjusted close is {}", "adjusted_close"))
            .otherwise(
                pl.format(
                    "the adjusted close {} is {} % off what the close {} and the listed actions "
                    "make of the bars before",
                    "adjusted_close",
                    size,
                    "close",
                )
            ),
            {
                "adjusted_close": pl.col("adjusted_close"),
                "step": rounded(step),
                "off_usual": rounded(off),
                "split_coefficient": pl.col("split_coefficient"),
                "dividend_amount": pl.col("dividend_amount"),
            },
        ),
    ]


def _listed_twice() -> Finding:
    """Return what to look for in the list of dividends."""
    paid = pl.col("dividend_amount")
    return Finding(
        "dividend_listed_twice",
        (paid > 0) & pl.col("is_paid_again"),
        pl.format("a dividend of {} is listed once more, days after the first time", paid),
        {"dividend_amount": paid, "split_coefficient": pl.col("split_coefficient")},
    )
