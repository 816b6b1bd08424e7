"""Chunks of prices as the lake has them: number of bars and fingerprint of each.

Hashing every bar of every year takes minutes where a session came. So a night that published notes
in the lake through which version it saw all bars, beside a digest of the fingerprints that it left
as marks. Where the marks are still those, chunks that no change since then can reach have the
fingerprints of their marks; else, and after a change of code, all are made anew. A lake or a
database that was put back has other marks than the note tells of.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import xor

import polars as pl

from pipelines.documents.price_series import Chunk, PriceSeries
from pipelines.nights import Night
from pipelines.tables import CLEAN_PRICES
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.provenance import code_version
from resources.settings import PROJECT_ROOT


@dataclass(frozen=True)
class Chunks:
    """Number of bars and fingerprint of every chunk, as one version of the lake has them.

    Attributes:
        fingerprints: By symbol, then by the chunk's name.
        is_noted: Whether the lake has a note of the marks that these were followed from.
    """

    version: int
    bars: Mapping[Chunk, int]
    fingerprints: Mapping[str, Mapping[str, str]]
    is_noted: bool = field(default=False, compare=False)

    @classmethod
    def of(
        cls,
        version: int,
        bars: Mapping[Chunk, int],
        known: Mapping[Chunk, str],
        *,
        is_noted: bool = False,
    ) -> "Chunks":
        """Return chunks whose fingerprints are known by chunk."""
        by_symbol = defaultdict[str, dict[str, str]](dict)
        for symbol, name in bars:
            by_symbol[symbol][name] = known[symbol, name]
        return cls(version, bars, by_symbol, is_noted)

    def fingerprint(self, chunk: Chunk) -> str | None:
        """Return a chunk's fingerprint; None if it has no bar."""
        symbol, name = chunk
        return self.fingerprints.get(symbol, {}).get(name)


@dataclass(frozen=True)
class ChunkReader:
    """Reads the chunks of a collection.

    Attributes:
        recipe: Of the documents that the marks speak of.
    """

    lake: Lake
    series: PriceSeries
    recipe: str

    def read(self, marks: Mapping[Chunk, str]) -> Chunks:
        """Return every chunk that the lake's clean prices make.

        Args:
            marks: The fingerprints that chunks were published by.
        """
        return self.followed(marks) or self.from_scratch()

    def from_scratch(self) -> Chunks:
        """Return every chunk, all bars hashed."""
        version = self.lake.version()
        rows = self.lake.read(self.series.fingerprints_query(), version=version)
        bars, fingerprints = dict[Chunk, int](), dict[Chunk, str]()
        for symbol, name, count, fingerprint in rows.iter_rows():
            bars[symbol, name] = count
            fingerprints[symbol, name] = fingerprint
        return Chunks.of(version, bars, fingerprints)

    def followed(self, marks: Mapping[Chunk, str]) -> Chunks | None:
        """Return every chunk, those hashed that changes can reach; None where marks don't tell."""
        version, since = self.lake.version(), self._seen_through(marks)
        if since is None or since > version:
            return None
        bars = self._bars(version)
        changed = self._changed(since, version)
        fresh = self._fingerprints(changed, version)
        firsts = {
            symbol: self.series.chunking.name_of(first) for symbol, first in changed.iter_rows()
        }
        known = dict[Chunk, str]()
        for chunk in bars:
            symbol, name = chunk
            is_reached = symbol in firsts and name >= firsts[symbol]
            fingerprint = (fresh if is_reached else marks).get(chunk)
            if fingerprint is None:
                return None
            known[chunk] = fingerprint
        return Chunks.of(version, bars, known, is_noted=True)

    def note(self, chunks: Chunks, *, night: Night) -> None:
        """Note that the marks are now the fingerprints of these chunks."""
        left = (one for of_symbol in chunks.fingerprints.values() for one in of_symbol.values())
        state = self._state(left)

        def work(writer: LakeWriter) -> None:
            collection = self.series.model.collection
            writer.advance(collection, CLEAN_PRICES.name, position=chunks.version, recipe=state)

        self.lake.commit(work, night=night, message=f"note {self.series.model.collection}")

    def _seen_through(self, marks: Mapping[Chunk, str]) -> int | None:
        """Return the lake version whose bars the marks speak of; None where it is not known."""
        if not self.lake.tells_changes:
            return None
        noted = self.lake.read(
            "SELECT position FROM consumer_positions "
            "WHERE consumer = $consumer AND source = $source AND recipe = $state",
            {
                "consumer": self.series.model.collection,
                "source": CLEAN_PRICES.name,
                "state": self._state(marks.values()),
            },
        )
        return noted.item() if noted.height else None

    def _state(self, fingerprints: Iterable[str]) -> str:
        """Return a digest of fingerprints, which tell each its chunk, and of what made them."""
        digest = reduce(xor, (int(one, 16) for one in fingerprints), 0)
        return f"{code_version(PROJECT_ROOT)} {self.recipe} {digest:016x}"

    def _bars(self, version: int) -> dict[Chunk, int]:
        """Return the number of bars of every chunk, by symbol and time."""
        rows = self.lake.read(self.series.counts_query(), version=version)
        return {
            (symbol, name): count for symbol, name, count in rows.sort(rows.columns).iter_rows()
        }

    def _changed(self, since: int, until: int) -> pl.DataFrame:
        """Return the symbols that changed, and the first day that a change can reach."""
        if since == until:
            return pl.DataFrame(schema={"symbol": pl.String, "first": pl.Date})
        return self.lake.read(self.series.changed_query(since=since, until=until))

    def _fingerprints(self, changed: pl.DataFrame, version: int) -> dict[Chunk, str]:
        """Return the fingerprints of the chunks of changed symbols that a change can reach."""
        if changed.is_empty():
            return {}
        asked = {"symbols": changed["symbol"].to_list(), "firsts": changed["first"].to_list()}
        since = self.lake.read(self.series.since_query(), asked, version=version).item()
        rows = self.lake.read(
            self.series.newer_fingerprints_query(), {**asked, "since": since}, version=version
        )
        return {(symbol, name): fingerprint for symbol, name, _, fingerprint in rows.iter_rows()}
