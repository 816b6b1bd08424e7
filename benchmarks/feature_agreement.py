"""Whether all sides compute the same features: a ratio of times means nothing otherwise."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.feature_cases import Bench, prepare, tables_of
from benchmarks.feature_sides import IN_MEMORY, OURS
from benchmarks.measurement import in_own_process
from benchmarks.qlib.environment import compute, dump_bars
from pipelines.markets.simulation.settings import SimulationSettings

SYMBOLS, SESSIONS = 20, 1000
TOLERANCE = 1e-6
"""Of the value, or of 1 where that is more."""

QLIB_ROUNDS = (
    "pyqlib keeps ratios and logarithms in 32 bits on the way: of those are corr, cord, wvma"
)
"""What tests/unit/features/test_alpha158.py shows: from numbers so rounded its values follow."""


def print_agreement(qlib: Path | None) -> None:
    """Let all sides compute Alpha158 of a small market, and print how far each is from us."""
    print(f"values, on {SYMBOLS} symbols × {SESSIONS} sessions, where a window is full:")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(SimulationSettings(SYMBOLS, SESSIONS), Path(folder))
        in_own_process(prepare, bench)
        for name, side in IN_MEMORY.items():
            in_own_process(side, bench, "Alpha158", bench.values(name))
        sides = {name: pl.read_ipc(bench.values(name)) for name in IN_MEMORY}
        if qlib:
            sides["pyqlib"] = _of_qlib(qlib, bench)
    for name, made in sides.items():
        if name != OURS:
            print(f"  {name}: {_compared(sides[OURS], made)}", flush=True)
    if qlib:
        print(f"  {QLIB_ROUNDS}")


def _of_qlib(qlib: Path, bench: Bench) -> pl.DataFrame:
    """Return pyqlib's values by symbol and session."""
    store = dump_bars(qlib, bench.folder / "qlib", tables_of(pl.read_ipc(bench.bars)))
    compute(qlib, store, "--values", bench.folder / "values.npz")
    made = np.load(bench.folder / "values.npz")
    keys = {"symbol": made["symbols"], "session": made["sessions"].astype("datetime64[D]")}
    columns = zip(made["names"], made["values"].T, strict=True)
    return pl.DataFrame(keys | {str(name).lower(): column for name, column in columns})


def _compared(ours: pl.DataFrame, theirs: pl.DataFrame) -> str:
    """Say how many features agree, and name those that don't with their largest error."""
    names = [name for name in theirs.columns if name in ours.columns[2:]]
    both = ours.join(theirs, on=["symbol", "session"], suffix="_theirs", validate="1:1")
    errors = dict(_errors(both, names))
    off = [f"{name} {error:.0e}" for name, error in errors.items() if not error < TOLERANCE]
    agreeing = f"{len(names) - len(off)} of {len(names)} features within {TOLERANCE:.0e}"
    return f"{agreeing} on {both.height:,} rows" + (f"; off: {', '.join(off)}" if off else "")


def _errors(both: pl.DataFrame, names: list[str]) -> Iterator[tuple[str, float]]:
    """Yield the largest error of each feature, where both sides have a value."""
    for name in names:
        own, other = (both[column].to_numpy() for column in (name, f"{name}_theirs"))
        error = np.abs(own - other) / np.maximum(1.0, np.abs(own))
        yield name, float(np.nanmax(error[np.isfinite(other)]))
