"""The bytes of a training set follow from its rows alone."""

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.training_sets import content_sha256


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


def test_a_value_or_its_type_changes_the_hash() -> None:
    """Other rows would pass for those that were trained on."""
    rows = pl.DataFrame({"value": [1.0, None, 3.0]})
    assert content_sha256(rows) != content_sha256(rows.cast(pl.Float32))
    assert content_sha256(rows) != content_sha256(rows.with_columns(pl.col("value") + 1e-15))
