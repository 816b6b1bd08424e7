"""From bars in the lake to features in the lake, at 100 to 10,000 symbols: time and memory.

`make bench-scaling`. Each size is a lake of its own with simulated bars. Clean prices, the core
features and labels are each derived in a process of its own: read, computed and written,
everything between two states of the lake; with `--catalogue`, all other features too. Then a new
session comes for all symbols, and every table follows it. Memory is touched before each. DuckDB's
window functions compute the core features from the same lake into Parquet files, where the size is
small enough to wait.
"""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.measurement import (
    Measurement,
    in_own_process,
    machine,
    measured,
    megabytes_in,
    touch_memory,
)
from benchmarks.simulated_lake import daily_rows, fill, lake_in, night_of
from pipelines.derivations import Lot
from pipelines.features.catalogue import CATALOGUE_GROUPS, CORE_GROUPS
from pipelines.features.derivation import feature_lots
from pipelines.features.engine import feature_query
from pipelines.features.market_returns import MARKET_RETURNS_DERIVATION
from pipelines.label_derivation import NEXT_SESSION_LABELS_DERIVATION
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.nights import Night
from pipelines.prices.total_return import CLEAN_PRICES_DERIVATION
from pipelines.tables import DAILY_PRICES

LOTS = {
    "clean_prices": (Lot.alone(CLEAN_PRICES_DERIVATION),),
    "core features": tuple(feature_lots(CORE_GROUPS)),
    "next_session_labels": (Lot.alone(NEXT_SESSION_LABELS_DERIVATION),),
    "market_returns": (Lot.alone(MARKET_RETURNS_DERIVATION),),
    "catalogue features": tuple(feature_lots(CATALOGUE_GROUPS)),
}
"""What is derived, in order, by the name of its line."""
EVERY_DESK = ("clean_prices", "core features", "next_session_labels")


@dataclass(frozen=True)
class Size:
    """A market, and the folder of its lake."""

    settings: SimulationSettings
    folder: Path


def main() -> None:
    """Measure every size and print a table of each."""
    options = _options()
    print(f"nightdesk scaling: {machine()}")
    names = tuple(LOTS) if options.catalogue else EVERY_DESK
    for symbols in options.symbols:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            size = Size(SimulationSettings(symbols, options.sessions + 1), Path(folder) / "lake")
            measure_size(size, names=names, windows=symbols <= options.windows)


def measure_size(size: Size, *, names: Sequence[str], windows: bool) -> None:
    """Print what deriving everything took, then one session, then DuckDB's windows."""
    rows = in_own_process(_fill, size)
    symbols, sessions = size.settings.symbols, size.settings.sessions - 1
    print(f"\n{symbols:,} symbols × {sessions:,} sessions, {rows:,} bars", flush=True)
    for name in names:
        touch_memory()
        taken = measured(derive, size, name)
        print(f"  {name:32}{taken.text()}, {sum(taken.result):,} rows", flush=True)
    print(f"  {'size of the lake':32}{megabytes_in(size.folder):12,.0f} MB")
    in_own_process(_add_last_session, size)
    after = measured(derive_all, size, names)
    for name, seconds in after.result.items():
        print(f"  {'one session: ' + name:32}{seconds:8.2f} s")
    print(f"  {'one session, all tables':32}{after.text()}", flush=True)
    if windows:
        taken = [measured(window_functions, size, group.name) for group in CORE_GROUPS]
        _print_sum("core features, DuckDB windows", taken)
    shutil.rmtree(size.folder)


def derive(size: Size, name: str) -> list[int]:
    """Bring tables up to date; return how many rows each got."""
    lake, night = lake_in(size.folder), _night(size)
    return [
        update.inserted
        for lot in LOTS[name]
        for update in lake.bring_lot_up_to_date(lot, night=night).values()
    ]


def derive_all(size: Size, names: Sequence[str]) -> dict[str, float]:
    """Bring every table up to date; return the seconds by line."""
    from time import perf_counter

    seconds = dict[str, float]()
    for name in names:
        started = perf_counter()
        if 0 in derive(size, name):
            message = f"a table of {name} did not follow the new session"
            raise RuntimeError(message)
        seconds[name] = perf_counter() - started
    return seconds


def window_functions(size: Size, group_name: str) -> None:
    """Compute a group by the published statement, into a Parquet file."""
    group = next(group for group in CORE_GROUPS if group.name == group_name)
    target = size.folder / f"{group_name}.parquet"
    with lake_in(size.folder).connect() as connection:
        connection.execute(
            f"COPY ({feature_query(group, source='clean_prices')}) TO '{target}' "
            "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
        )


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
    parser.add_argument("--catalogue", action="store_true", help="derive all features")
    parser.add_argument("--folder", help="where the lakes are made; 12 GB for 10,000 symbols")
    return parser.parse_args()


if __name__ == "__main__":
    main()
