"""Adjusted closes that moved because a dividend or split became known.

A vendor multiplies the adjusted close of the whole past at every action. Nothing of what was traded
changes, so such a bar keeps its revision and the instant since which it is known; the journal tells
of the range in one row. Whatever the listed actions do not explain is a revision of its bar.
"""

import polars as pl

from pipelines.markets.recorded import BAR_SCHEMA, adjustment_step

TOLERANCE = 1e-3
"""How far a factor may lie from the listed one: dividends and closes are rounded by the vendor."""
LATE_ACTIONS = 3
"""Actions known before that an older part of a history may still have to take in: a short answer
readjusts only the sessions that it shows."""

_FOUND = {
    "expected_factor": pl.Float64,
    "is_readjusted": pl.Boolean,
    "action_session": pl.Date,
    "action_kind": pl.String,
}


def with_readjustments(
    news: pl.DataFrame, stored: pl.DataFrame, sent: pl.DataFrame
) -> pl.DataFrame:
    """Add to changed bars whether listed actions explain their adjusted close.

    `expected_factor` is what the actions that are new make of the adjusted close; `is_readjusted`
    is true where nothing but the adjusted close changed, as expected; `action_session` is then the
    first action after the bar, null where the digits alone differ, and `action_kind` names it.

    Args:
        news: Bars that are new or changed, with former values as `<name>_before` and `changed`.
        stored: The stored bars of their symbols.
        sent: All bars that were sent, one a key.
    """
    moved = news.filter(pl.col("changed").list.contains("adjusted_close"))["symbol"].unique()
    if moved.is_empty():
        return news.with_columns(
            pl.lit(None, dtype=kind).alias(name) for name, kind in _FOUND.items()
        )
    factors = _factors(
        *(bars.filter(pl.col("symbol").is_in(moved.implode())) for bars in (stored, sent))
    )
    ratio = pl.col("adjusted_close") / pl.col("adjusted_close_before")
    is_alone = pl.col("changed") == pl.lit(["adjusted_close"])
    fits = [
        is_alone & ((ratio / pl.col(f"factor_{late}") - 1).abs() <= TOLERANCE)
        for late in range(LATE_ACTIONS + 1)
    ]
    chosen = [
        pl.when(fit).then(pl.struct(action_session=f"action_{late}", action_kind=f"kind_{late}"))
        for late, fit in enumerate(fits)
    ]
    return (
        news.join(factors, on=["symbol", "session"], how="left", maintain_order="left")
        .with_columns(
            pl.coalesce(chosen).alias("action"),
            expected_factor=pl.col("factor_0"),
            is_readjusted=pl.any_horizontal(fits).fill_null(value=False),
        )
        .unnest("action")
        .select(*news.columns, *_FOUND)
    )


def _factors(stored: pl.DataFrame, sent: pl.DataFrame) -> pl.DataFrame:
    """Return what actions after each bar make of its adjusted close, by how many are late.

    Columns are `factor_n`, `action_n` and `kind_n`: with the actions that are new and the last n of
    those known before, their factor, the first of them after the bar, and what it is.
    """
    columns = BAR_SCHEMA.names()
    older = stored.join(sent, on=["symbol", "session"], how="anti")
    after = pl.concat([older.select(columns), sent.select(columns)]).sort("symbol", "session")
    before = stored.select(columns).sort("symbol", "session")
    steps = (
        after.with_columns(step=adjustment_step())
        .join(
            before.select("symbol", "session", step_before=adjustment_step()),
            on=["symbol", "session"],
            how="left",
            maintain_order="left",
        )
        .with_columns(pl.col("step_before").fill_null(1.0))
        .with_columns(is_new=pl.col("step") != pl.col("step_before"))
        .with_columns(is_known=(pl.col("step") != 1) & ~pl.col("is_new"))
        .with_columns(place=pl.col("is_known").cum_sum(reverse=True).over("symbol"))
    )
    for late in range(LATE_ACTIONS + 1):
        steps = steps.with_columns(_late_factor(late))
    names = [f"{name}_{late}" for late in range(LATE_ACTIONS + 1) for name in ("factor", "action")]
    kinds = [f"kind_{late}" for late in range(LATE_ACTIONS + 1)]
    return steps.select("symbol", "session", *names, *kinds)


def _late_factor(late: int) -> list[pl.Expr]:
    """Return the columns for the new actions and the last `late` of those known before."""
    is_late = pl.col("is_known") & (pl.col("place") <= late)
    acts = pl.col("is_new") | is_late
    news = pl.when("is_new").then(pl.col("step") / pl.col("step_before"))
    step = news.when(is_late).then("step").otherwise(1.0)
    kind = (
        pl.when(pl.col("split_coefficient") != 1)
        .then(pl.lit("split"))
        .otherwise(pl.lit("dividend"))
    )
    return [
        step.shift(-1).fill_null(1.0).cum_prod(reverse=True).over("symbol").alias(f"factor_{late}"),
        *(
            pl.when(acts)
            .then(value)
            .shift(-1)
            .backward_fill()
            .over("symbol")
            .alias(f"{name}_{late}")
            for name, value in (("action", pl.col("session")), ("kind", kind))
        ),
    ]
