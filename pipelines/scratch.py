"""Rows that may be more than memory holds: files that they lie in, pieces and views of them.

A file is mapped into memory, so that its pages belong to the operating system, which drops them and
reads them again as it needs the room. It never has a name: its room on disk is given back with the
last frame that looks into it, or with the process, however that ends.
"""

import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import polars as pl
from numpy.typing import NDArray

ROWS_A_PIECE = 1_000_000
"""Rows that are held at once where rows are walked through, some 250 MB of a training's panel."""


@dataclass(frozen=True)
class Scratch:
    """Where rows lie while work on them lasts: in files of a folder, or in memory without one.

    Rows are the same to the bit in both. The folder is made where it is not there yet; it should
    lie on a disk, since a temporary file system may be memory itself.
    """

    folder: Path | None = None

    def rows(self, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
        """Return frames of one schema, one at least, as one frame in their order.

        Frames are taken one at a time and not kept.
        """
        parts = (part.rechunk() for frame in frames for part in pieces(frame))
        if self.folder is None:
            return pl.concat(parts)
        return _in_file(parts, _existing(self.folder))

    def matrix(self, columns: pl.DataFrame) -> NDArray[np.float32]:
        """Return FLOAT columns as a matrix (rows × columns), column after column, null as NaN."""
        matrix, start = self._empty_matrix(columns.shape), 0
        for piece in pieces(columns):
            matrix[start : start + piece.height] = piece.to_numpy()
            start += piece.height
        return matrix

    def _empty_matrix(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        if self.folder is None or 0 in shape:
            return np.empty(shape, dtype=np.float32, order="F")
        with TemporaryFile(dir=_existing(self.folder)) as file:
            return np.memmap(file, dtype=np.float32, mode="w+", shape=shape, order="F")


IN_MEMORY = Scratch()


def pieces(rows: pl.DataFrame, *, before: int = 0) -> Iterator[pl.DataFrame]:
    """Yield views of `rows`, ROWS_A_PIECE one after another; of no rows one view of none.

    Args:
        rows: Any rows.
        before: How many rows each view but the first begins before its own.
    """
    for start in range(0, max(1, rows.height), ROWS_A_PIECE):
        begin = max(0, start - before)
        yield rows.slice(begin, start + ROWS_A_PIECE - begin)


def rows_where(rows: pl.DataFrame, keep: pl.Series) -> pl.DataFrame:
    """Return the rows where `keep` is true: where they follow one another as a view, not a copy.

    Args:
        rows: Any rows.
        keep: A Boolean for each; null counts as false.
    """
    kept, first = int(keep.sum()), keep.arg_max()
    if kept and first is not None and keep.slice(first, kept).sum() == kept:
        return rows.slice(first, kept)
    return rows.filter(keep)


def _existing(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _in_file(parts: Iterable[pl.DataFrame], folder: Path) -> pl.DataFrame:
    """Return frames as one frame over a mapped Arrow file."""
    import pyarrow as pa

    with TemporaryFile(dir=folder) as file:
        writer = None
        for part in parts:
            table = part.to_arrow(compat_level=pl.CompatLevel.newest())
            writer = writer or pa.ipc.new_file(file, table.schema)
            writer.write_table(table)
        if writer is None:
            message = "there are no frames to lay down: give one, if only without rows"
            raise ValueError(message)
        writer.close()
        file.flush()
        content = pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    mapped = pl.from_arrow(pa.ipc.open_file(content).read_all())
    if not isinstance(mapped, pl.DataFrame):
        message = f"an Arrow file holds a table, got {type(mapped).__name__}"
        raise TypeError(message)
    return mapped
