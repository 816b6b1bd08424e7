"""Alpha158 and 14 factors, by pyqlib, DuckDB's window functions, polars and our kernels.

`make bench-features`. Qlib's own case is 800 symbols over the sessions of 2007 to 2020. In each
round all sides compute the same bars in turn, each in a process of its own, on two cores. Times are
medians of the rounds, ratios medians of the ratios within a round; where the machine does something
else besides, what all cores spent on the work tells more. pyqlib can't be given bars in memory: it
reads its own files in all cases, and what it makes of them stays a frame, where the others write
theirs from lake to lake.
"""

import argparse
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl

from benchmarks.bandwidth import copied_gigabytes_a_second
from benchmarks.feature_agreement import print_agreement
from benchmarks.feature_cases import CASES, Bench, prepare, tables_of
from benchmarks.feature_sides import FROM_LAKE_TO_LAKE, IN_MEMORY, OURS
from benchmarks.measurement import MEGABYTE, in_own_process, machine, measured
from benchmarks.qlib.environment import compute, dump_bars, qlib_python
from pipelines.markets.simulation.settings import SimulationSettings

LAKE_TO_LAKE = "Alpha158, lake to lake"
SESSIONS = 3525
"""Sessions of XNYS from 2007 to 2020."""


@dataclass(frozen=True)
class Taken:
    """What a side took in one round: seconds, those of all cores, and megabytes at most."""

    seconds: float
    processor: float
    peak: float


Figures = dict[str, dict[str, list[Taken]]]
"""By case and side, a figure for each round."""


def main() -> None:
    """Compare values, measure all sides round after round, and print the tables."""
    options = _options()
    print(f"nightdesk features: {machine()}")
    for threads in (1, 2):
        speed = in_own_process(copied_gigabytes_a_second, threads)
        print(f"memory: copies in {threads} thread(s) read and write {speed:.1f} GB/s together")
    qlib = None if options.without_qlib else _qlib()
    print_agreement(qlib)
    figures: Figures = {case: defaultdict(list) for case in (*CASES, LAKE_TO_LAKE)}
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            bench = Bench(SimulationSettings(options.symbols, options.sessions), Path(folder))
            rows = in_own_process(prepare, bench)
            print(f"round {number + 1}: {options.symbols:,} symbols, {rows:,} bars", flush=True)
            for case, side, taken in _round(bench, qlib):
                figures[case][side].append(taken)
                print(f"  {case}, {side}: {taken.seconds:.2f} s", flush=True)
    for case, sides in figures.items():
        _print_case(case, sides)


def _round(bench: Bench, qlib: Path | None) -> Iterator[tuple[str, str, Taken]]:
    """Let all sides compute all cases; yield case, side and what it took."""
    for case in CASES:
        for name, side in IN_MEMORY.items():
            yield case, name, _measured(side, bench, case, None)
    for name, side in FROM_LAKE_TO_LAKE.items():
        yield LAKE_TO_LAKE, name, _measured(side, bench)
    if qlib:
        store = dump_bars(qlib, bench.folder / "qlib", tables_of(pl.read_ipc(bench.bars)))
        yield from _round_of_qlib(qlib, store)


def _round_of_qlib(qlib: Path, store: Path) -> Iterator[tuple[str, str, Taken]]:
    """Let pyqlib compute both cases, the smaller one with its caches too."""
    few, all_of_them = CASES
    names = ["--only", *(name.upper() for name in CASES[few])]
    yield few, "pyqlib", _by_qlib(qlib, store, *names)
    _by_qlib(qlib, store, *names, "--cached")  # fills its caches
    yield few, "pyqlib, both caches", _by_qlib(qlib, store, *names, "--cached")
    taken = _by_qlib(qlib, store)
    yield all_of_them, "pyqlib", taken
    yield LAKE_TO_LAKE, "pyqlib", taken


def _measured(side: Any, *arguments: Any) -> Taken:
    """Run a side in a process of its own; what it returns is what the work alone took."""
    taken = measured(side, *arguments)
    return Taken(*taken.result, taken.peak)


def _by_qlib(qlib: Path, store: Path, *options: str) -> Taken:
    taken = compute(qlib, store, *options)
    return Taken(taken["seconds"], taken["processor"], taken["peak"] / MEGABYTE)


def _qlib() -> Path | None:
    """Return the Python that has pyqlib, or say why there is none."""
    try:
        return qlib_python()
    except subprocess.CalledProcessError as error:
        print(f"pyqlib could not be installed ({error}): the others are measured without it")
        return None


def _print_case(case: str, sides: Mapping[str, Sequence[Taken]]) -> None:
    """Print the medians of a case, and how many times our time each side takes."""
    columns = ("seconds", "× ours", "of all cores", "× ours", "MB at most")
    print(f"\n{case}\n  {'':22}" + "".join(f"{column:>14}" for column in columns))
    for name, rounds in sides.items():
        peak = median(one.peak for one in rounds)
        seconds, ratio = _against(rounds, sides[OURS], "seconds")
        processor, share = _against(rounds, sides[OURS], "processor")
        print(f"  {name:22}{seconds:14.2f}{ratio:14.1f}{processor:14.2f}{share:14.1f}{peak:14,.0f}")


def _against(rounds: Sequence[Taken], ours: Sequence[Taken], figure: str) -> tuple[float, float]:
    """Return the median of a figure, and the median of its ratio to ours of the same round."""
    figures, own = ([getattr(one, figure) for one in side] for side in (rounds, ours))
    return median(figures), median(one / other for one, other in zip(figures, own, strict=True))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=800)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without-qlib", action="store_true", help="measure the others alone")
    parser.add_argument("--folder", help="where markets are made; 4 GB for 800 symbols")
    return parser.parse_args()


if __name__ == "__main__":
    main()
