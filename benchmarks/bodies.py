"""Vendor bodies read and merged into a lake that holds twenty years of every symbol.

`make bench-bodies`. Compact bodies of all symbols, then full ones, are landed with one session more
than the lake holds; then the desk's own step reads them: decompressed, parsed, compared with every
stored bar, what is new or revised merged. Full bodies are those of some symbols, since 10,000 of
them are 12 GB of text. All are JSON: a body in CSV names no symbol, and so the desk asks for none.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from benchmarks.measurement import in_own_process, machine, measured, touch_memory
from benchmarks.simulated_lake import CALENDAR, chunks_as_sent, fill, lake_in, night_of
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.vendor.requests import daily_request
from pipelines.vendor.responses import DATA, VendorResponse
from pipelines.vendor.series_answers import series_answer
from resources.price_ingestion import ingest_prices
from resources.vendor_archive import VendorArchive

LANDED_AT_ONCE = 1000
"""Answers a transaction, where nothing is lost that was paid for."""


@dataclass(frozen=True)
class Kind:
    """Bodies of a size, of so many symbols."""

    size: str
    symbols: int

    @property
    def name(self) -> str:
        """Return what a line calls it."""
        return f"{self.symbols:,} {self.size} bodies"


@dataclass(frozen=True)
class Desk:
    """A market, and the folder of its lake."""

    settings: SimulationSettings
    folder: Path


def main() -> None:
    """Fill a lake, then land and read one kind of bodies after the other."""
    options = _options()
    print(f"nightdesk bodies: {machine()}", flush=True)
    kinds = [Kind("compact", options.symbols), Kind("full", options.full)]
    settings = SimulationSettings(options.symbols, options.sessions + len(kinds))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        desk = Desk(settings, Path(folder) / "lake")
        rows = in_own_process(fill_before, desk, len(kinds))
        print(f"  {options.symbols:,} symbols, {rows:,} bars in the lake", flush=True)
        for number, kind in enumerate(kinds):
            session = settings.days[number - len(kinds)]
            characters = in_own_process(land, desk, kind, session)
            touch_memory()
            taken = measured(read, desk, session)
            bodies, inserted = taken.result
            print(f"  {kind.name:32}{taken.text()}, {bodies / taken.seconds:,.0f} bodies and "
                  f"{characters / taken.seconds / 1e6:,.0f} MB of text a second, "
                  f"{inserted:,} new bars", flush=True)  # fmt: skip


def fill_before(desk: Desk, kept_back: int) -> int:
    """Fill the lake but for the last sessions; return its bars."""
    return fill(desk.folder, desk.settings, last=kept_back)


def land(desk: Desk, kind: Kind, session: date) -> int:
    """Land a body of each symbol that trades on a session; return their characters."""
    lake, night = lake_in(desk.folder), night_of(session)
    archive = VendorArchive(lake=lake, metered_batch=LANDED_AT_ONCE)
    characters = 0

    def counted() -> Iterator[VendorResponse]:
        nonlocal characters
        for answer in _answers(desk.settings, kind, session):
            characters += len(answer.body or "")
            yield answer

    archive.land(counted(), night=night, progress=lambda _: None)
    return characters


def read(desk: Desk, session: date) -> tuple[int, int]:
    """Read what is landed; return how many bodies that were, and the bars they brought.

    Raises:
        RuntimeError: a body could not be read, or changed a bar that was known.
    """
    report = ingest_prices(
        lake_in(desk.folder), night=night_of(session), calendar=CALENDAR, progress=lambda _: None
    )
    if report.unreadable or report.revised or not report.inserted:
        message = (
            f"{report.bodies} bodies brought {report.inserted} bars and revised {report.revised}, "
            f"{len(report.unreadable)} could not be read: not what one session more should make"
        )
        raise RuntimeError(message)
    return report.bodies, report.inserted


def _answers(settings: SimulationSettings, kind: Kind, session: date) -> Iterator[VendorResponse]:
    """Yield the answers of the first symbols that trade on a session."""
    left, fetched_at = kind.symbols, CALENDAR.known_at(session)
    for chunk in chunks_as_sent(settings):
        known = chunk.filter(pl.col("session") <= session)
        for bars in known.partition_by("symbol"):
            if bars["session"][-1] == session:
                request = daily_request(bars["symbol"][0], kind.size)
                body = series_answer(bars, request.query)
                yield VendorResponse(request, fetched_at, DATA, None, body)
                left -= 1
            if not left:
                return


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=10_000)
    parser.add_argument("--sessions", type=int, default=5000, help="history in the lake")
    parser.add_argument("--full", type=int, default=500, help="symbols that full bodies come of")
    parser.add_argument("--folder", help="where the lake is made; 6 GB for 10,000 symbols")
    return parser.parse_args()


if __name__ == "__main__":
    main()
