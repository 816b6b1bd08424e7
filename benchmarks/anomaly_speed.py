"""How long the rules take, and how much memory, each in a process of its own."""

import multiprocessing
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import polars as pl

from pipelines.markets.simulated import simulate_chunks
from pipelines.markets.simulation.settings import SimulationSettings

FIVE_YEARS = 1260
CONTEXT_SESSIONS = 64
"""Sessions before a new one that it is judged by."""
KILOBYTES_A_MEGABYTE = 1024


@dataclass(frozen=True)
class Measurement:
    """What judging took; memory in megabytes."""

    bars: int
    seconds: float
    processor_seconds: float
    peak: float
    peak_before: float


def print_speed(*, history_symbols: int, night_symbols: int) -> None:
    """Print the time and peak memory of five years at once, and of one night."""
    print("\nspeed, in a process of its own")
    for words, symbols, sessions, judge in (
        ("five years from nothing", history_symbols, FIVE_YEARS, judge_all),
        ("one new session", night_symbols, CONTEXT_SESSIONS + 1, judge_last),
    ):
        if symbols:
            took = _measured(symbols, sessions, judge)
            print(
                f"  {words:26}{symbols:>7,} symbols × {sessions:>5,} sessions, {took.bars:,} bars:"
                f"{took.seconds:6.1f} s ({took.processor_seconds:.1f} s of processor time), "
                f"peak {took.peak:,.0f} MB, {took.peak_before:,.0f} MB before"
            )


def judge_all(bars: pl.DataFrame) -> None:
    """Judge a history from nothing."""
    from pipelines.anomalies.judging import judge_history

    judge_history(bars)


def judge_last(bars: pl.DataFrame) -> None:
    """Judge the last session, the earlier ones being known and good."""
    from pipelines.anomalies.judging import judge_bars, with_all_columns
    from pipelines.anomalies.panel import with_panel_facts

    is_context = pl.col("session") < pl.col("session").max()
    complete = with_all_columns(bars).with_columns(is_context=is_context)
    judge_bars(with_panel_facts(complete, bars["session"].unique().sort().to_list()))


def _measured(symbols: int, sessions: int, judge: Callable[[pl.DataFrame], None]) -> Measurement:
    """Measure in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.parquet"
        # Made in a process of its own as well, whose memory goes with it.
        spawn = multiprocessing.get_context("spawn")
        with spawn.Pool(1) as pool:
            pool.apply(_make, (path, symbols, sessions))
        with spawn.Pool(1) as pool:
            return pool.apply(_time, (path, judge))


def _make(path: Path, symbols: int, sessions: int) -> None:
    """Write a simulated market."""
    settings = SimulationSettings(symbols, sessions, seed=1)
    pl.concat(chunk.bars for chunk in simulate_chunks(settings)).write_parquet(path)


def _time(path: Path, judge: Callable[[pl.DataFrame], None]) -> Measurement:
    """Judge bars from a file."""
    bars = pl.read_parquet(path)
    judge(bars.head(1_000))  # imports what is needed
    before, started, busy = _peak(), perf_counter(), process_time()
    judge(bars)
    return Measurement(
        bars.height, perf_counter() - started, process_time() - busy, _peak(), before
    )


def _peak() -> float:
    """Return the largest resident size so far, in megabytes.

    From /proc, since `getrusage` counts what the parent held when it started this process.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / KILOBYTES_A_MEGABYTE
