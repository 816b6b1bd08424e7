"""Bars as traded, made whole by the lists of dividends and splits.

Keyed by (symbol, session), one symbol at a time. An action counts from its day on, on the first bar
that there is; what is announced for a later day than the last bar waits. The adjusted close is
worked out from the bars and actions that are known, as the vendor does.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.markets.recorded import BAR_SCHEMA, with_adjusted_close
from pipelines.vendor.payloads import PLAIN_SCHEMA

UNEXPLAINED_MOVE = 1.15
"""A close that moves by more than this factor, up or down, may be a split nobody has told us of
(6 for 5, the smallest in use, moves by 1.2)."""


@dataclass(frozen=True)
class ListedActions:
    """The lists of one symbol, and the last session whose actions they must hold."""

    dividends: pl.DataFrame
    splits: pl.DataFrame
    checked_through: date


def first_unexplained_move(
    bars: pl.DataFrame, *, checked_through: date, splits: pl.DataFrame | None = None
) -> date | None:
    """Return the first session after `checked_through` whose close moved like a split.

    A move that a listed split explains is none.

    Args:
        bars: One symbol's bars as traded, sorted.
        checked_through: The last session whose splits are known.
        splits: Splits that are listed, by session.
    """
    factors = bars.select("session").with_columns(split_coefficient=pl.lit(1.0))
    if splits is not None:
        factors = factors.update(splits.select("session", "split_coefficient"), on="session")
    moved = bars.select("session", "close").with_columns(
        move=pl.col("close") * factors["split_coefficient"] / pl.col("close").shift(1)
    )
    is_like_split = (pl.col("move") > UNEXPLAINED_MOVE) | (pl.col("move") < 1 / UNEXPLAINED_MOVE)
    found = moved.filter(is_like_split & (pl.col("session") > checked_through))["session"]
    first: date | None = found.min()  # type: ignore[assignment]  # typed for any column
    return first


def with_listed_actions(
    bars: pl.DataFrame, stored: pl.DataFrame, actions: ListedActions
) -> pl.DataFrame:
    """Return a symbol's whole history in `BAR_SCHEMA`: the bars sent, and older ones as stored.

    A stored action that no list names is kept: a list may begin later than our history. Bars are
    left out from the first one on that moved like a split after the lists were made.

    Args:
        bars: Bars as traded that were sent, in `PLAIN_SCHEMA`, final ones only.
        stored: What is stored of the symbol, in `BAR_SCHEMA`.
        actions: The lists.
    """
    older = stored.join(bars, on="session", how="anti").select(PLAIN_SCHEMA.names())
    history = pl.concat([older, bars.select(PLAIN_SCHEMA.names())]).sort("session")
    splits = _on_bars(actions.splits, history, pl.col("split_coefficient").product())
    dividends = _on_bars(actions.dividends, history, pl.col("dividend_amount").sum())
    suspicious = first_unexplained_move(
        history, checked_through=actions.checked_through, splits=splits
    )
    if suspicious is not None:
        history = history.filter(pl.col("session") < suspicious)
    before = stored.select(
        "session", kept_dividend="dividend_amount", kept_split="split_coefficient"
    )
    whole = (
        history.join(before, on="session", how="left", maintain_order="left")
        .join(dividends, on="session", how="left", maintain_order="left")
        .join(splits, on="session", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("dividend_amount", "kept_dividend", 0.0).alias("dividend_amount"),
            pl.coalesce("split_coefficient", "kept_split", 1.0).alias("split_coefficient"),
            adjusted_close=pl.lit(None, dtype=pl.Float64),
        )
        .select(BAR_SCHEMA.names())
    )
    return with_adjusted_close(whole)


def _on_bars(actions: pl.DataFrame, history: pl.DataFrame, total: pl.Expr) -> pl.DataFrame:
    """Return actions on the bars they count on: that of their day, or the next one there is.

    Actions from before the first bar belong to a price that nobody has.
    """
    days = history.select("session", bar_session="session").sort("session")
    return (
        actions.drop("symbol")
        .filter(pl.col("session") >= history["session"].min())
        .sort("session")
        .join_asof(days, on="session", strategy="forward")
        .drop_nulls("bar_session")
        .group_by("bar_session", maintain_order=True)
        .agg(total)
        .rename({"bar_session": "session"})
    )
