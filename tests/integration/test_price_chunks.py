"""Fingerprints of chunks are followed from night to night, and come out as if made anew."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from pipelines.documents.daily_price import DAILY_PRICE_SERIES
from pipelines.documents.period_price import MONTHLY_PRICE_SERIES, WEEKLY_PRICE_SERIES
from pipelines.documents.price_series import Chunk, PriceSeries
from pipelines.tables import CLEAN_PRICES
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.price_chunks import ChunkReader, Chunks
from tests.support.clean_bars import chained
from tests.support.documents import AS_OF
from tests.support.lake import SESSIONS, night_of, simulated_bars, temporary_lake
from tests.support.quality_tables import put

ALL_SERIES = (DAILY_PRICE_SERIES, WEEKLY_PRICE_SERIES, MONTHLY_PRICE_SERIES)
CLEAN = chained(simulated_bars(sessions=90)).with_columns(known_at=pl.lit(AS_OF))
MONTH_ENDS = [day for day, after in pairwise(SESSIONS[:90]) if after.month != day.month]
CHANGES = {
    "the newest session goes": f"DELETE FROM clean_prices WHERE session = '{SESSIONS[89]}'",
    "a week ends in the month before": "DELETE FROM clean_prices WHERE symbol = 'S0' "
    f"AND session > '{MONTH_ENDS[1]}' AND session < '{MONTH_ENDS[1] + timedelta(days=5)}'",
    "closes at a month's end change": "UPDATE clean_prices SET close = close + 1 "
    f"WHERE session = '{MONTH_ENDS[1]}'",
    "a bar at a month's end goes": "DELETE FROM clean_prices "
    f"WHERE session = '{MONTH_ENDS[0]}' AND symbol = 'S1'",
    "a split comes": "UPDATE clean_prices SET split_factor = 2 * split_factor "
    f"WHERE session >= '{SESSIONS[44]}' AND symbol = 'S0'",
    "adjusted closes move": "UPDATE clean_prices SET adjusted_close = adjusted_close / 2 "
    f"WHERE session <= '{MONTH_ENDS[0]}' AND symbol = 'S1'",
    "a symbol goes": "DELETE FROM clean_prices WHERE symbol = 'S2'",
}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with the clean bars of three symbols over 90 sessions."""
    lake = temporary_lake(tmp_path)
    lake.commit(lambda writer: writer.append(CLEAN_PRICES, CLEAN), night=night_of(), message="put")
    return lake


def marks_of(chunks: Chunks) -> Mapping[Chunk, str]:
    """Return what is marked once these chunks are published."""
    return {
        (symbol, name): fingerprint
        for symbol, of_symbol in chunks.fingerprints.items()
        for name, fingerprint in of_symbol.items()
    }


def changed(lake: Lake, statement: str) -> None:
    """Change clean prices by a statement of SQL."""

    def work(writer: LakeWriter) -> None:
        writer.connection.execute(statement)

    lake.commit(work, night=night_of(), message="change")


@pytest.mark.parametrize("series", ALL_SERIES, ids=lambda one: one.model.collection)
def test_followed_chunks_are_those_made_anew(lake: Lake, series: PriceSeries) -> None:
    """A change that no one follows into its chunks is never published."""
    reader = ChunkReader(lake, series, "recipe")
    chunks = reader.from_scratch()
    for name, statement in CHANGES.items():
        reader.note(chunks, night=night_of())
        changed(lake, statement)
        followed, before, chunks = reader.followed(marks_of(chunks)), chunks, reader.from_scratch()
        assert followed == chunks, name
        assert chunks.fingerprints != before.fingerprints, name


def test_what_is_found_of_a_bar_is_followed(lake: Lake) -> None:
    """Scores and anomalies stand beside prices, and come without a change of them."""
    reader = ChunkReader(lake, DAILY_PRICE_SERIES, "recipe")
    before = reader.from_scratch()
    reader.note(before, night=night_of())
    put(lake, "bar_scores", symbol="S0", session=SESSIONS[9], isolation_score=0.8)
    after = reader.followed(marks_of(before))
    assert after == reader.from_scratch() != before


def test_an_unchanged_lake_keeps_its_chunks(lake: Lake) -> None:
    """The note itself is a new version."""
    reader = ChunkReader(lake, DAILY_PRICE_SERIES, "recipe")
    before = reader.from_scratch()
    reader.note(before, night=night_of())
    after = reader.followed(marks_of(before))
    assert after is not None
    assert (after.bars, after.fingerprints) == (before.bars, before.fingerprints)


@pytest.mark.parametrize("change", ["a mark", "a mark less", "no note", "another recipe"])
def test_marks_that_the_note_does_not_speak_of_are_not_trusted(lake: Lake, change: str) -> None:
    """A lake or a database that was put back, a wiped one, and another model."""
    reader = ChunkReader(lake, DAILY_PRICE_SERIES, "recipe")
    chunks = reader.from_scratch()
    if change != "no note":
        reader.note(chunks, night=night_of())
    marks = dict(marks_of(chunks))
    first = next(iter(marks))
    if change == "a mark":
        marks[first] = f"{int(marks[first], 16) ^ 1:016x}"
    elif change == "a mark less":
        del marks[first]
    elif change == "another recipe":
        reader = ChunkReader(lake, DAILY_PRICE_SERIES, "other")
    assert reader.followed(marks) is None
    assert reader.read(marks).bars == chunks.bars
