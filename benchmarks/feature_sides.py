"""Who computes the features: each function runs in a process of its own and times its own work.

Imports, the reading of what is given in memory and the loading of compiled kernels are left out.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import duckdb
import polars as pl

from benchmarks.feature_cases import ALPHA158, CASES, LEAVES, Bench, leaves_query
from benchmarks.plain_windows import window_query
from benchmarks.polars_windows import computed_by_polars
from benchmarks.simulated_lake import lake_in
from pipelines.features.alpha158.groups import ALPHA158_GROUPS

OURS = "nightdesk"

SOME_ROWS = 500


class Spent(NamedTuple):
    """What a side's own work took, in seconds: on the clock, and of all cores together."""

    seconds: float
    processor: float


class _Clock:
    """Runs from its creation on."""

    def __init__(self) -> None:
        self._started, self._busy = perf_counter(), process_time()

    def spent(self) -> Spent:
        """Return what has passed."""
        return Spent(perf_counter() - self._started, process_time() - self._busy)


def kernels_in_memory(bench: Bench, case: str, values: Path | None) -> Spent:
    """Our kernels, from arrays to arrays."""
    import numpy as np

    from pipelines.features.kernels.frames import panel_of
    from pipelines.features.kernels.panel import compute_features

    rows = pl.read_ipc(bench.bars).with_columns(is_wanted=True)
    compute_features(CASES[case], panel_of(rows.head(SOME_ROWS), LEAVES), dtype=np.float32)
    panel = panel_of(rows, LEAVES)
    clock = _Clock()
    made = compute_features(CASES[case], panel, dtype=np.float32)
    spent = clock.spent()
    if values:
        columns = [pl.Series(name, column) for name, column in made.items()]
        rows.select("symbol", "session").hstack(columns).write_ipc(values)
    return spent


def duckdb_in_memory(bench: Bench, case: str, values: Path | None) -> Spent:
    """DuckDB's window functions, from a table in memory to an Arrow table."""
    with duckdb.connect() as connection:
        connection.register("given", pl.read_ipc(bench.bars).to_arrow())
        connection.execute("SET enable_progress_bar = false; CREATE TABLE bars AS FROM given")
        clock = _Clock()
        made = connection.sql(window_query(CASES[case], source="bars")).to_arrow_table()
        spent = clock.spent()
    if values:
        pl.DataFrame(made).write_ipc(values)
    return spent


def polars_in_memory(bench: Bench, case: str, values: Path | None) -> Spent:
    """Polars, from a frame to a frame."""
    rows = pl.read_ipc(bench.bars)
    clock = _Clock()
    made = computed_by_polars(rows, CASES[case])
    spent = clock.spent()
    if values:
        made.write_ipc(values)
    return spent


def kernels_in_the_lake(bench: Bench) -> Spent:
    """Our tables, as a night derives them: read from the lake, computed, written and committed."""
    from pipelines.features.kernels.frames import feature_frame
    from resources.feature_tables import bring_features_up_to_date

    some = pl.read_ipc(bench.bars).head(SOME_ROWS).with_columns(is_wanted=True)
    for group in ALPHA158_GROUPS:
        feature_frame(group, some)
    lake = lake_in(bench.lake)
    lake.version()
    clock = _Clock()
    bring_features_up_to_date(lake, ALPHA158_GROUPS, night=bench.night)
    return clock.spent()


def duckdb_in_the_lake(bench: Bench) -> Spent:
    """DuckDB's window functions, from the lake to a Parquet file."""
    with lake_in(bench.lake).connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        clock = _Clock()
        query = window_query(ALPHA158, source=f"({leaves_query()})")
        connection.execute(f"COPY ({query}) TO '{bench.made}' (FORMAT parquet, COMPRESSION zstd)")
        return clock.spent()


def polars_in_the_lake(bench: Bench) -> Spent:
    """Polars, from the lake to a Parquet file."""
    lake = lake_in(bench.lake)
    lake.version()
    clock = _Clock()
    computed_by_polars(lake.read(leaves_query()), ALPHA158).write_parquet(bench.made)
    return clock.spent()


IN_MEMORY: Mapping[str, Callable[[Bench, str, Path | None], Spent]] = {
    OURS: kernels_in_memory,
    "DuckDB windows": duckdb_in_memory,
    "polars": polars_in_memory,
}
"""Each takes the market, the case and the file for values, where they are wanted."""

FROM_LAKE_TO_LAKE: Mapping[str, Callable[[Bench], Spent]] = {
    OURS: kernels_in_the_lake,
    "DuckDB windows": duckdb_in_the_lake,
    "polars": polars_in_the_lake,
}
"""Each takes the market and computes Alpha158."""
