"""Bars of another symbol: equal to its bar of the session to the digit.

Of two equal bars the one that fits its own series worse is the stranger; where neither has a past,
as of a symbol that was renamed, none is. A run of such bars is
judged at its beginning, since later the strangers would pass for what is usual.
"""

import polars as pl

from pipelines.anomalies.findings import Finding, rounded
from pipelines.anomalies.measures import previous
from pipelines.anomalies.panel import NOWHERE, misfit

NAME = "wrong_symbol"
FAR_WORSE = 3.0
"""Among equal bars for some sessions already, another one at home changes the judgement only if it
is so many times nearer: three symbols may show one series."""
AT_HOME = 4.0
"""And only of a bar that fits its own series no better than this."""
OWN_MISFIT = misfit("usual_close", "usual_volume")
TWIN_MISFIT = misfit("twin_close", "twin_volume")


def with_strangers(bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars with `is_foreign`: whether the bar belongs to its twin and not to its symbol."""
    has_twin = pl.col("twin").is_not_null()
    # After a bar that can't tell, two series with one past go on as they were judged.
    is_one = (pl.col("usual_close") == pl.col("twin_close")) & (
        pl.col("usual_volume") == pl.col("twin_volume")
    )
    begins = has_twin & previous("twin").is_null() & ~is_one.fill_null(value=False)
    is_other = has_twin & (pl.col("twin") != previous("twin")).fill_null(value=False)
    # Series that are one from the first bar of both have two names: nobody is the stranger.
    is_worse = (OWN_MISFIT >= TWIN_MISFIT) & (TWIN_MISFIT < NOWHERE)
    is_far_worse = (OWN_MISFIT > FAR_WORSE * TWIN_MISFIT) & (OWN_MISFIT > AT_HOME)
    judged = (
        pl.when("is_context")
        .then("was_foreign")
        .otherwise((begins & is_worse) | (is_other & is_far_worse))
    )
    run = begins.cast(pl.Int64).cum_sum().over("symbol")
    return (
        bars.with_columns(run=run, judged=judged & has_twin)
        .with_columns(is_foreign=has_twin & pl.col("judged").cum_max().over("symbol", "run"))
        .drop("run", "judged")
    )


def strangers() -> list[Finding]:
    """Return what to look for in bars that another symbol has too."""
    figures = {
        "twin": pl.col("twin"),
        "own_misfit": rounded(OWN_MISFIT),
        "twin_misfit": rounded(TWIN_MISFIT),
    }
    said = pl.format("the bar is that of {} to the digit, volume {} included", "twin", "volume")
    is_at_home = pl.col("twin").is_not_null() & ~pl.col("is_foreign")
    return [
        Finding(NAME, pl.col("is_foreign"), said, figures),
        Finding(
            "shared_bar",
            is_at_home,
            said,
            figures,
            explanation=pl.when(TWIN_MISFIT < NOWHERE)
            .then(pl.format("the bar fits this symbol, not {}", "twin"))
            .otherwise(pl.format("{} is another name of the same series", "twin")),
        ),
    ]
