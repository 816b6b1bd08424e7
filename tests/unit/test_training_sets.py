"""The bytes of a training set follow from its rows alone."""

import io

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from pipelines import training_sets
from pipelines.training_sets import _without_remains, content_sha256, write_stream


def half_known(below_the_null: float) -> pl.DataFrame:
    """Return a value and a null, and what a computation has left below the null."""
    values = np.array([1.5, below_the_null])
    is_known = np.packbits([True, False], bitorder="little")
    buffers = [pa.py_buffer(is_known), pa.py_buffer(values)]
    return pl.DataFrame({"value": pl.Series(pa.Array.from_buffers(pa.float64(), 2, buffers))})


def test_what_remains_below_a_null_is_no_part_of_the_rows() -> None:
    """The same rows, read again, would not be those that were trained on."""
    assert half_known(7.0).equals(half_known(8.0))
    assert content_sha256(half_known(7.0)) == content_sha256(half_known(8.0))
    assert content_sha256(half_known(7.0)) != content_sha256(half_known(7.0).fill_null(0.0))


def test_batches_do_not_change_the_hash() -> None:
    """Rows that came in chunks are the same rows."""
    rows = pl.DataFrame({"value": [1.0, None, 3.0, None], "name": ["a", "b", None, "d"]})
    chunked = pl.concat([rows.head(1), rows.slice(1)], rechunk=False)
    assert content_sha256(chunked) == content_sha256(rows)


@pytest.mark.parametrize("number", [0, 1, 20, 21, 35, 40, 47, 63])
def test_a_hash_taken_in_pieces_is_that_of_all_rows_at_once(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sets that are named already would no longer be found to be what was trained on."""
    monkeypatch.setattr(training_sets, "ROWS_A_BATCH", 20_000)
    rows = pl.DataFrame({"number": range(number * 1000 + number % 7)}).select(
        pl.col("number").cast(pl.String).repeat_by(pl.col("number") % 3 + 1).list.join("."),
        pl.when(pl.col("number") % 5 > 0).then(pl.col("number") / 7).alias("value"),
        (pl.col("number") % 2 == 0).alias("is_even"),
    )
    at_once = io.BytesIO()
    # A lake gives more rows than a batch in several chunks.
    chunks = [rows] if rows.height <= 20_000 else [rows.head(20_000), rows.slice(20_000)]
    table = pl.concat(chunks).with_columns(map(_without_remains, rows)).rechunk().to_arrow()
    with pa.ipc.new_stream(at_once, table.schema) as writer:
        for batch in table.to_batches(max_chunksize=20_000):
            writer.write_batch(batch)
    in_pieces = io.BytesIO()
    write_stream(rows, in_pieces)
    assert in_pieces.getvalue() == at_once.getvalue()


def test_a_value_or_its_type_changes_the_hash() -> None:
    """Other rows would pass for those that were trained on."""
    rows = pl.DataFrame({"value": [1.0, None, 3.0]})
    assert content_sha256(rows) != content_sha256(rows.cast(pl.Float32))
    assert content_sha256(rows) != content_sha256(rows.with_columns(pl.col("value") + 1e-15))
