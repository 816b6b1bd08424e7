"""What a piece of work took, measured in a process of its own."""

import mmap
import multiprocessing
import os
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

KILOBYTE = 1024
KILOBYTES_A_MEGABYTE = 1024
MEGABYTE = 1024**2


@dataclass(frozen=True)
class Measurement:
    """Time of a piece of work, and the memory of its process; in seconds and megabytes.

    `result` is what the work returned.
    """

    seconds: float
    processor_seconds: float
    peak: float
    result: Any

    def text(self) -> str:
        """Return the figures for a line of a table."""
        return (
            f"{self.seconds:8.2f} s {self.processor_seconds:8.2f} s of processor time "
            f"{self.peak:8,.0f} MB at most"
        )


def touch_memory() -> None:
    """Touch half of the free memory, in a process of its own, and give it back.

    The host of a virtual machine hands memory over when it is first touched, at 2 s a gigabyte
    where this was measured: work that fills files would be charged for it, or not, by what ran
    before.
    """
    in_own_process(_touch, available_bytes() // 2)


def available_bytes() -> int:
    """Return how much memory can be taken."""
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if line.startswith("MemAvailable:"))
    return int(line.split()[1]) * KILOBYTE


def _touch(size: int) -> None:
    """Write into each page of so much memory."""
    with mmap.mmap(-1, size) as memory:
        for start in range(0, size, mmap.PAGESIZE):
            memory[start] = 1


def measured(work: Callable[..., Any], *arguments: Any) -> Measurement:
    """Run a function of a module in a fresh process and measure it, imports left out."""
    taken: Measurement = in_own_process(_timed, work, arguments)
    return taken


def in_own_process(work: Callable[..., Any], *arguments: Any) -> Any:
    """Run a function in a fresh process, whose memory goes with it."""
    pool = multiprocessing.get_context("spawn").Pool(1)
    try:
        return pool.apply(work, arguments)
    finally:
        pool.close()  # not terminated: what the work has started ends in its own way
        pool.join()


def _timed(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Measurement:
    started, busy = perf_counter(), process_time()
    result = work(*arguments)
    return Measurement(perf_counter() - started, process_time() - busy, peak_megabytes(), result)


def processor_seconds() -> float:
    """Return the processor time of this process and of the finished ones that it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_megabytes() -> float:
    """Return the largest resident size of this process so far.

    From /proc, since `getrusage` counts what the parent held when it started this process.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / KILOBYTES_A_MEGABYTE


def megabytes_in(folder: Path) -> float:
    """Return the size of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MEGABYTE


def machine() -> str:
    """Return what the figures were measured on."""
    models = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    load = os.getloadavg()[0]
    return (
        f"{len(models)} cores ({models[0] if models else 'unknown'}), load {load:.1f} at the start"
    )
