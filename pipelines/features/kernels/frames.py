"""Frames in, frames out: a group of features by compiled kernels."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from pipelines.features.groups import FeatureGroup
from pipelines.features.inputs import LEAVES
from pipelines.features.kernels.arrays import FloatArray
from pipelines.features.kernels.days import leaves_of_days
from pipelines.features.kernels.panel import FeaturePanel, compute_features
from pipelines.features.kernels.results import arrow_of
from pipelines.features.sql import leaf_names

THREADS = 2
DAY_BITS = 32
"""Bits that a day's number takes at most."""


def feature_frame(
    group: FeatureGroup, rows: pl.DataFrame, *, threads: int = THREADS
) -> pl.DataFrame:
    """Return symbol, session and one FLOAT for each feature, on the wanted rows.

    They come year by year, as files hold them, and by symbol and session within a year. What a
    FLOAT can't hold is null, as everything else that is not a finite number.

    Args:
        group: The features.
        rows: What `pipelines.features.engine.reading_query` reads.
        threads: Batches of symbols that are computed at a time; no value depends on it.
    """
    rows = by_symbol_and_session(rows)
    keys = rows.select("symbol", "session").filter(rows["is_wanted"])
    order = np.argsort(keys["session"].dt.year().to_numpy().astype(np.int16), kind="stable")
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    panel = replace(panel_of(rows, leaf_names(group.expressions)), places=places)
    values = compute_features(group.expressions, panel, threads=threads, dtype=np.float32)
    # Not copied: the values are the most of what a build holds.
    features = [pl.Series(name, arrow_of(column)) for name, column in values.items()]
    return keys[order].hstack(features)


def by_symbol_and_session(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows in order.

    Files hold each symbol's sessions of a year in a row: such runs are merged, which takes less
    than to sort all rows.
    """
    runs = rows["symbol"].rle().struct.unnest()
    symbols = runs["value"].rank("dense").to_numpy().astype(np.int64)
    days = rows["session"].to_physical().to_numpy().astype(np.int64)
    keys = (np.repeat(symbols, runs["len"].to_numpy()) << DAY_BITS) + days
    if np.all(keys[1:] > keys[:-1]):
        return rows
    return rows[np.argsort(keys, kind="stable")]


def panel_of(rows: pl.DataFrame, leaves: Sequence[str]) -> FeaturePanel:
    """Return rows by symbol and session, with `is_wanted` and their leaves, as arrays.

    Of the rows are taken the leaves that the date does not tell.
    """
    days = rows["session"].to_physical().to_numpy().astype(np.int64)
    of_day = [name for name in leaves if LEAVES[name].is_of_day]
    first_day, last_day = (int(days.min()), int(days.max())) if len(days) else (0, 0)
    lengths = rows["symbol"].rle().struct.field("len").to_numpy()
    return FeaturePanel(
        starts=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
        days=days,
        leaves={name: _column(rows[name]) for name in leaves if name not in of_day},
        first_day=first_day,
        leaves_of_days=leaves_of_days(of_day, first_day, last_day),
        wanted=np.flatnonzero(rows["is_wanted"].to_numpy()),
    )


def _column(leaf: pl.Series) -> FloatArray:
    """Return a leaf as an array, NaN for null."""
    known = leaf.fill_null(np.nan) if leaf.null_count() else leaf
    return np.ascontiguousarray(known.to_numpy(), dtype=np.float64)
