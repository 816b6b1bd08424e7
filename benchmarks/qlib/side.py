"""Qlib's side of the comparison: run by the Python of an environment that holds pyqlib.

It imports nothing of this project. Bars come as an .npz file (`symbols`, `sessions`, and a table
symbols × sessions for each field, NaN where a symbol was not listed) and are dumped into Qlib's own
binary files, 32-bit floats as Qlib keeps them. What was measured goes to standard output as one
line of JSON, values to an .npz file.
"""

import argparse
import contextlib
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import qlib
from qlib.contrib.data.loader import Alpha158DL
from qlib.data import D, cache

BYTES_A_KILOBYTE = 1024


def main() -> None:
    """Dump bars, or compute factors on dumped ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=["dump", "compute"])
    parser.add_argument("--bars", type=Path, help="the .npz file with the bars to dump")
    parser.add_argument("--store", type=Path, required=True, help="folder of Qlib's files")
    parser.add_argument("--only", nargs="+", help="names of Alpha158; without, all of them")
    parser.add_argument("--values", type=Path, help="the .npz file to write the values to")
    parser.add_argument("--cached", action="store_true", help="use both of Qlib's disk caches")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    if asked.task == "dump":
        dump(asked.bars, asked.store)
    else:
        compute(asked)


def dump(bars: Path, store: Path) -> None:
    """Write bars as Qlib's files: a calendar, the symbols with their first and last day, fields."""
    held = np.load(bars)
    sessions, symbols = held["sessions"].astype(str), held["symbols"].astype(str)
    fields = [name for name in held.files if name not in ("sessions", "symbols")]
    for folder in ("calendars", "instruments", "features"):
        (store / folder).mkdir(parents=True, exist_ok=True)
    (store / "calendars" / "day.txt").write_text("\n".join(sessions) + "\n")
    tables, lines = {field: held[field] for field in fields}, []
    for number, symbol in enumerate(symbols):
        listed = np.flatnonzero(~np.isnan(tables["close"][number]))
        first, last = listed[0], listed[-1]
        lines.append(f"{symbol}\t{sessions[first]}\t{sessions[last]}\n")
        folder = store / "features" / symbol.lower()
        folder.mkdir(exist_ok=True)
        for field, table in tables.items():
            # The number of the first session, then the values.
            held_values = np.concatenate([[first], table[number, first : last + 1]])
            held_values.astype("<f4").tofile(folder / f"{field}.day.bin")
    (store / "instruments" / "all.txt").write_text("".join(lines))


def compute(asked: argparse.Namespace) -> None:
    """Compute the factors of all symbols, and print seconds and peak memory."""
    settings = {"expression_cache": None, "dataset_cache": None}
    if asked.cached:
        without_redis()
        settings = {"expression_cache": "DiskExpressionCache", "dataset_cache": "DiskDatasetCache"}
    qlib.init(
        provider_uri=str(asked.store), region="us", kernels=asked.processes, logging_level=40,
        **settings,
    )  # fmt: skip
    factors = alpha158()
    if asked.only:
        factors = {name: factors[name] for name in asked.only}
    started, busy = time.perf_counter(), processor_seconds()
    frame = D.features(
        D.instruments("all"), list(factors.values()), freq="day", disk_cache=int(asked.cached)
    )
    seconds, processor = time.perf_counter() - started, processor_seconds() - busy
    if asked.values:
        frame = frame.sort_index()
        np.savez(
            asked.values,
            names=np.array(list(factors)),
            values=frame.to_numpy(np.float64),
            symbols=frame.index.get_level_values("instrument").to_numpy(str),
            sessions=frame.index.get_level_values("datetime").strftime("%Y-%m-%d").to_numpy(str),
        )
    own, children = (
        resource.getrusage(who).ru_maxrss * BYTES_A_KILOBYTE
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    # The largest of the worker processes, times their number, is at once with the parent.
    peak = own + children * asked.processes
    taken = {"seconds": seconds, "processor": processor, "peak": peak, "rows": len(frame)}
    print(json.dumps(taken))


def processor_seconds() -> float:
    """Return what all cores have spent on this process and the workers that have ended."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in spent)


def alpha158() -> dict[str, str]:
    """Return Alpha158 by name, as pyqlib defines it."""
    expressions, names = Alpha158DL.get_feature_config()
    return dict(zip(names, expressions, strict=True))


def without_redis() -> None:
    """Let the disk caches work without their locks, which need a Redis server: faster than with."""

    @contextlib.contextmanager
    def unlocked(*_: object, **__: object):
        yield

    cache.CacheUtils.reader_lock = staticmethod(unlocked)
    cache.CacheUtils.writer_lock = staticmethod(unlocked)
    qlib.config.can_use_cache = lambda: True
    sys.modules["qlib.utils"].can_use_cache = lambda: True


if __name__ == "__main__":
    main()
