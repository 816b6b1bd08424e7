"""Rows in mapped files are the rows that were laid down, and cost no second copy."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import scratch
from pipelines.scratch import IN_MEMORY, Scratch, pieces, rows_where


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few rows be several pieces."""
    monkeypatch.setattr(scratch, "ROWS_A_PIECE", 64)


def rows_of(number: int, *, seed: int = 1) -> pl.DataFrame:
    """Return rows of every type that a panel has, with gaps."""
    rng = np.random.default_rng(seed)
    value = pl.Series("value", rng.standard_normal(number), dtype=pl.Float32)
    return pl.DataFrame([value]).with_columns(
        pl.when(pl.col("value") > 0).then(pl.lit("a name of more than twelve bytes")).alias("name"),
        pl.when(pl.col("value") < 1).then(pl.col("value").cast(pl.Float64)).alias("exact"),
        pl.when(pl.col("value") < 2).then(pl.col("value") > 0).alias("is_up"),
        pl.lit(date(2020, 1, 2)).alias("session"),
    )


def test_rows_of_a_file_are_those_laid_down(tmp_path: Path) -> None:
    """A model of other rows than the lake's would pass for the lake's."""
    frames = [rows_of(150), rows_of(0), rows_of(77, seed=2)]
    mapped = Scratch(tmp_path / "new").rows(iter(frames))
    assert mapped.equals(pl.concat(frames))
    assert mapped.schema == frames[0].schema
    assert mapped.equals(IN_MEMORY.rows(frames))


@pytest.mark.parametrize("number", [0, 200])
def test_a_matrix_in_a_file_is_that_of_the_columns(tmp_path: Path, number: int) -> None:
    """CatBoost learns from it: column after column, an unknown value as NaN."""
    columns = rows_of(number).select("value", pl.col("exact").cast(pl.Float32))
    for one in (Scratch(tmp_path), IN_MEMORY):
        matrix = one.matrix(columns)
        assert matrix.flags.f_contiguous
        np.testing.assert_array_equal(matrix, columns.to_numpy())


def test_a_killed_run_leaves_no_file(tmp_path: Path) -> None:
    """Files of ten gigabytes that nobody deletes would fill the disk by and by."""
    held = Scratch(tmp_path).rows([rows_of(100)]), Scratch(tmp_path).matrix(rows_of(9)[["value"]])
    assert list(tmp_path.iterdir()) == []
    assert held[0].height == 100


def test_no_frames_are_refused(tmp_path: Path) -> None:
    """What has no schema is no table."""
    with pytest.raises(ValueError, match="no frames"):
        Scratch(tmp_path).rows([])


def test_pieces_are_all_rows_in_their_order() -> None:
    """A row that is left out, or told twice, would be another training set."""
    rows = rows_of(150)
    assert pl.concat(pieces(rows)).equals(rows)
    assert [piece.height for piece in pieces(rows, before=1)] == [64, 65, 23]
    assert [piece.height for piece in pieces(rows.clear())] == [0]


@settings(deadline=None)
@given(keep=st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=12))
def test_rows_that_are_kept_are_those_of_a_filter(keep: list[bool | None]) -> None:
    """A view is an economy, never another answer."""
    rows = pl.DataFrame({"number": range(len(keep))})
    mask = pl.Series(keep, dtype=pl.Boolean)
    assert rows_where(rows, mask).equals(rows.filter(mask))


def test_rows_that_follow_one_another_are_not_copied(tmp_path: Path) -> None:
    """A fold is most of the panel: a copy of it would not fit where the panel does not."""
    rows = Scratch(tmp_path).rows([rows_of(60)])
    kept = rows_where(rows, pl.Series([False] * 10 + [True] * 40 + [False] * 10))
    assert _values(kept).address == _values(rows).address


def _values(rows: pl.DataFrame) -> pa.Buffer:
    """Return the memory that the values of the first column lie in."""
    (chunk,) = rows["value"].to_frame().to_arrow().column(0).chunks
    return chunk.buffers()[1]
