"""The rows of a panel that models may learn from, in the order that they learn in."""

from collections.abc import Collection, Sequence

import polars as pl

from pipelines.scratch import IN_MEMORY, Scratch, pieces
from pipelines.signals.model import finite_features

PANEL_KEY = ("symbol", "session", "label_end", "next_session_return", "is_up")
# What trading on a row would have earned and when that was known; a panel may come without them.
TRADE_COLUMNS = {"exit_session": pl.Date(), "next_open_return": pl.Float64()}


def usable_rows(
    panel: pl.DataFrame,
    features: Sequence[str],
    *,
    dispensable: Collection[str] = (),
    scratch: Scratch = IN_MEMORY,
) -> pl.DataFrame:
    """Return the labelled rows of `panel` with all features but dispensable ones, in order.

    The order is by session and symbol. A panel that comes in it is taken piece by piece.

    Raises:
        ValueError: a column is missing or the name of a feature stands twice.
    """
    missing = [name for name in (*PANEL_KEY, *features) if name not in panel.columns]
    if missing or len(set(features)) < len(features) or not features:
        message = f"the panel lacks {missing} or the features repeat or are none: {list(features)}"
        raise ValueError(message)
    unknown = [
        pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in TRADE_COLUMNS.items()
        if name not in panel.columns
    ]
    needed = [*PANEL_KEY, *(name for name in features if name not in dispensable)]
    in_order = panel if is_in_order(panel) else panel.sort("session", "symbol")
    return scratch.rows(
        piece.with_columns(unknown)
        .select(*PANEL_KEY, *TRADE_COLUMNS, *finite_features(features))
        .drop_nulls(needed)
        for piece in pieces(in_order)
    )


def is_in_order(panel: pl.DataFrame) -> bool:
    """Return whether each row comes after the one before it, by session and symbol."""
    return all(_rises(keys) for keys in pieces(panel.select("session", "symbol"), before=1))


def _rises(keys: pl.DataFrame) -> bool:
    """Return whether each key comes after the one before it; no null does."""
    session, symbol = pl.col("session"), pl.col("symbol")
    comes_after = (session > session.shift()) | (
        (session == session.shift()) & (symbol > symbol.shift())
    )
    return bool(keys.select(comes_after.slice(1).fill_null(value=False).all()).item())
