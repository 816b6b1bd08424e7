"""From bars in the lake to features in the lake, at 100 to 10,000 symbols: time and memory.

`make bench-scaling`. Each size is a lake of its own with simulated bars. Each table is derived in
a process of its own: read, computed and written, everything between two states of the lake. Then a
new session comes for all symbols, and every table follows it. DuckDB's window functions compute
the same features from the same lake into Parquet files, where the size is small enough to wait.
"""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.measurement import Measurement, in_own_process, machine, measured, megabytes_in
from benchmarks.simulated_lake import daily_rows, fill, lake_in, night_of
from pipelines.derivations import Derivation, TableUpdate
from pipelines.features.catalogue import GROUPS
from pipelines.features.derivation import FEATURE_DERIVATIONS
from pipelines.features.engine import feature_query
from pipelines.label_derivation import NEXT_SESSION_LABELS_DERIVATION
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.nights import Night
from pipelines.prices.total_return import CLEAN_PRICES_DERIVATION
from pipelines.tables import DAILY_PRICES

DERIVATIONS = {
    one.table.name: one
    for one in (
        CLEAN_PRICES_DERIVATION,
        *FEATURE_DERIVATIONS.values(),
        NEXT_SESSION_LABELS_DERIVATION,
    )
}


@dataclass(frozen=True)
class Size:
    """A market, and the folder of its lake."""

    settings: SimulationSettings
    folder: Path


def main() -> None:
    """Measure every size and print a table of each."""
    options = _options()
    print(f"nightdesk scaling: {machine()}")
    for symbols in options.symbols:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            size = Size(SimulationSettings(symbols, options.sessions + 1), Path(folder) / "lake")
            measure_size(size, windows=symbols <= options.windows)


def measure_size(size: Size, *, windows: bool) -> None:
    """Print what deriving everything took, then one session, then DuckDB's windows."""
    rows = in_own_process(_fill, size)
    symbols, sessions = size.settings.symbols, size.settings.sessions - 1
    print(f"\n{symbols:,} symbols × {sessions:,} sessions, {rows:,} bars", flush=True)
    whole = {name: _print(name, measured(derive, size, name)) for name in DERIVATIONS}
    _print_sum("features, from nothing", [whole[name] for name in FEATURE_DERIVATIONS])
    print(f"  {'size of the lake':32}{megabytes_in(size.folder):12,.0f} MB")
    in_own_process(_add_last_session, size)
    after = measured(derive_all, size)
    for name, seconds in after.result.items():
        print(f"  {'one session: ' + name:32}{seconds:8.2f} s")
    print(f"  {'one session, all tables':32}{after.text()}")
    if windows:
        taken = [measured(window_functions, size, group.name) for group in GROUPS]
        _print_sum("DuckDB windows, from nothing", taken)
    shutil.rmtree(size.folder)


def derive(size: Size, name: str) -> TableUpdate:
    """Bring one table up to date."""
    return lake_in(size.folder).bring_up_to_date(DERIVATIONS[name], night=_night(size))


def derive_all(size: Size) -> dict[str, float]:
    """Bring every table up to date; return the seconds of each."""
    from time import perf_counter

    lake, seconds = lake_in(size.folder), {}
    lake.version()
    for name, derivation in DERIVATIONS.items():
        started = perf_counter()
        _require_one_session(lake.bring_up_to_date(derivation, night=_night(size)), derivation)
        seconds[name] = perf_counter() - started
    return seconds


def window_functions(size: Size, group_name: str) -> None:
    """Compute a group by the published statement, into a Parquet file."""
    group = next(group for group in GROUPS if group.name == group_name)
    target = size.folder / f"{group_name}.parquet"
    with lake_in(size.folder).connect() as connection:
        connection.execute(
            f"COPY ({feature_query(group, source='clean_prices')}) TO '{target}' "
            "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
        )


def _require_one_session(update: TableUpdate, derivation: Derivation) -> None:
    """Refuse to measure a session that was none."""
    if update.inserted == 0 or update.deleted:
        message = f"{derivation.table.name} did not follow the new session: {update}"
        raise RuntimeError(message)


def _fill(size: Size) -> int:
    return fill(size.folder, size.settings, last=1)


def _add_last_session(size: Size) -> None:
    """Let the newest bar of every symbol come."""
    last = size.settings.days[-1]
    rows = pl.concat(bars.filter(session=last) for bars in daily_rows(size.settings))
    lake_in(size.folder).commit(
        lambda writer: writer.merge(DAILY_PRICES, rows), night=_night(size), message="new session"
    )


def _night(size: Size) -> Night:
    return night_of(size.settings.days[-1])


def _print(name: str, taken: Measurement) -> Measurement:
    """Print one table's figures, and return them."""
    print(f"  {name:32}{taken.text()}, {taken.result.inserted:,} rows", flush=True)
    return taken


def _print_sum(name: str, parts: Sequence[Measurement]) -> None:
    """Print what several processes took together."""
    total = Measurement(
        sum(part.seconds for part in parts),
        sum(part.processor_seconds for part in parts),
        max(part.peak for part in parts),
        None,
    )
    print(f"  {name:32}{total.text()}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, nargs="+", default=[100, 1000, 3000, 10000])
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument(
        "--windows", type=int, default=1000, help="most symbols that DuckDB's windows are given"
    )
    parser.add_argument("--folder", help="where the lakes are made; 12 GB for 10,000 symbols")
    return parser.parse_args()


if __name__ == "__main__":
    main()
