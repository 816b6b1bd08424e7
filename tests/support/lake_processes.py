"""What other processes do to a lake while a test looks on."""

import multiprocessing
import os
import signal
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.tables import VENDOR_BODIES
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from tests.support.lake import night_of, temporary_lake

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.support.lake_processes"])
COMMITS = 3
NEW_LAKES = 3


def write(lake: Lake, consumer: str, position: int, source: str = "source") -> None:
    """Commit one row of `consumer_positions`."""
    lake.commit(
        lambda writer: writer.advance(consumer, source, position=position),
        night=night_of(),
        message=f"write {consumer}",
    )


def bodies(count: int, *, length: int) -> pl.DataFrame:
    """Return rows of `vendor_bodies` that no compression makes smaller."""
    noise = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "body_sha256": [f"killed {number}" for number in range(count)],
            "body": [noise.bytes(length) for _ in range(count)],
        }
    )


def commit_several(folder: Path, consumer: str, barrier: Barrier) -> None:
    """Commit a few rows from a process of one's own, beginning with the others."""
    lake = temporary_lake(folder, busy_attempts=20)
    lake.version()
    barrier.wait(60)
    for number in range(COMMITS):
        write(lake, consumer, number, f"source {number}")


def open_new_lakes(folder: Path, barrier: Barrier) -> None:
    """Open lakes that do not exist yet, each at the same moment as the others."""
    for number in range(NEW_LAKES):
        lake = temporary_lake(folder / f"lake {number}")
        barrier.wait(120)
        lake.version()


def die_in_the_commit(folder: Path) -> None:
    """Write many rows and be killed while the transaction is open."""

    def work(writer: LakeWriter) -> None:
        writer.append(VENDOR_BODIES, bodies(200, length=1_000))
        writer.advance("killed", "source", position=2)
        os.kill(os.getpid(), signal.SIGKILL)

    temporary_lake(folder).commit(work, night=night_of(), message="be killed")
