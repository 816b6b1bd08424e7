"""Publishing 10,000 and 100,000 documents into a real mongod: new, unchanged, and all changed.

`make bench-publishing`. Documents are daily bars, built and validated as models, written with
journal, read back and compared. The bare driver inserts the same documents beside it, unchecked:
what the server takes at least.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import polars as pl
from pymongo import MongoClient

from benchmarks.measurement import machine, peak_megabytes
from benchmarks.simulated_lake import CALENDAR
from pipelines.documents.daily_price import DAILY_PRICE_SERIES, DailyPrice
from pipelines.documents.price_bar import PriceBar
from pipelines.markets.simulated import simulate_chunks
from pipelines.markets.simulation.settings import SimulationSettings
from resources.embedded_mongo import ensure_running, stop
from resources.publishing_scope import PublishingScope
from resources.reconciliation import reconcile

SYMBOLS = 1000
ANY_SESSION = date(2000, 1, 3)
EVERYTHING = PublishingScope.of({})


def main() -> None:
    """Measure every size on a server of its own."""
    options = _options()
    print(f"nightdesk publishing: {machine()}", flush=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        home = Path(folder)
        client: MongoClient[dict[str, Any]] = MongoClient(
            ensure_running(home), tz_aware=True, journal=True
        )
        try:
            for documents in options.documents:
                measure(client, _rows(documents), options.repeats)
        finally:
            client.close()
            stop(home)


def measure(client: MongoClient[dict[str, Any]], rows: pl.DataFrame, repeats: int) -> None:
    """Print the median seconds of each kind of publishing."""
    changed = rows.with_columns(volume=pl.col("volume") + 1)
    print(f"\n{rows.height:,} documents, median of {repeats}")
    taken: dict[str, list[float]] = {}
    for number in range(repeats):
        collection = client[f"bench_{rows.height}"][f"of_{number}"]
        bare = client[f"bench_{rows.height}"][f"bare_{number}"]
        stored = [document.to_mongo() for document in _documents(rows)]
        for name, work in {
            "bare insert_many, unchecked": partial(bare.insert_many, stored),
            "new": partial(_publish, collection, rows),
            "unchanged": partial(_publish, collection, rows),
            "all changed": partial(_publish, collection, changed),
            "built and validated alone": partial(_build, rows),
        }.items():
            taken.setdefault(name, []).append(_seconds(work))
    for name, seconds in taken.items():
        middle = median(seconds)
        print(f"  {name:32}{middle:8.2f} s {rows.height / middle:12,.0f} documents a second")
    print(f"  {'memory at most':32}{peak_megabytes():8,.0f} MB", flush=True)


def _publish(collection: Any, rows: pl.DataFrame) -> None:
    """Make the collection exactly these documents."""
    reconcile(
        collection,
        DailyPrice,
        _documents(rows),
        scope=EVERYTHING,
        as_of=CALENDAR.known_at(ANY_SESSION),
    )


def _build(rows: pl.DataFrame) -> list[dict[str, object]]:
    """Return the documents as they are stored."""
    return [document.to_mongo() for document in _documents(rows)]


def _documents(rows: pl.DataFrame) -> Iterator[PriceBar]:
    """Yield the documents of rows."""
    return DAILY_PRICE_SERIES.documents(rows, source="simulated")


def _rows(documents: int) -> pl.DataFrame:
    """Return rows of daily bars as the lake's query makes them."""
    sessions = -(-documents // SYMBOLS) * 2 + 20
    settings = SimulationSettings(SYMBOLS, sessions)
    bars = pl.concat(chunk.bars for chunk in simulate_chunks(settings))
    before = pl.col("close").shift(1).over("symbol")
    return (
        bars.head(documents)
        .rename({"session": "date"})
        .with_columns(
            price_change=pl.col("close") - before,
            price_change_percent=100 * (pl.col("close") - before) / before,
            iso_anomaly_score=pl.lit(0.4),
            volume_z_score=pl.lit(0.3),
            anomaly_severity=pl.lit("normal"),
            anomaly_reasons=pl.lit([], dtype=pl.List(pl.String)),
        )
    )


def _seconds(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes."""
    started = perf_counter()
    work()
    return perf_counter() - started


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", help="where the server keeps its files")
    return parser.parse_args()


if __name__ == "__main__":
    main()
