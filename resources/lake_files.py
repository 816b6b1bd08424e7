"""Parquet files of tables, written beside the lake's own and handed to it in a transaction.

A file holds the rows of a year in the order they came, by symbol and session; a row group holds
those of one batch. So the last sessions lie in one file of each table, and some symbols in a few
row groups of every year.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.table import Table

WRITERS = 2
"""Files that are written at a time."""
COMPRESSION = "none"
"""The digits of features are as good as random: split by bytes, lz4 makes their files a seventh
smaller, for two fifths more processor time (measured: 68.1 MB in 0.119 s, 58.1 MB in 0.168 s)."""
FLOATS = ("FLOAT", "DOUBLE")
MOST_ROWS_A_GROUP = 128 * 1024
ROWS_A_STEP = 64 * 1024
"""Rows that are encoded at a time: by the 1024 of Arrow's default it takes a tenth longer."""


class LakeFiles:
    """Files of tables, one a year of each; they are removed unless the lake takes them over."""

    def __init__(self, tables: Sequence[Table], data_path: str) -> None:
        """Write nothing yet.

        Args:
            tables: Tables with sessions that the same rows fill.
            data_path: Folder of the lake's files.
        """
        self._tables = tables
        self._folder = Path(data_path) / "main"
        self._opened: dict[tuple[str, int], tuple[Path, pq.ParquetWriter]] = {}
        self._pool = ThreadPoolExecutor(max_workers=WRITERS)
        self._pending: list[Future[None]] = []
        self._is_handed_over = False

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop writing; remove what the lake has not taken."""
        self._pool.shutdown(cancel_futures=True)
        for path, writer in self._opened.values():
            writer.close()
            if not self._is_handed_over:
                path.unlink(missing_ok=True)

    def write(self, rows: pl.DataFrame) -> None:
        """Write rows while the caller goes on; waits for those of the call before.

        Each table gets its own columns of them. Rows that come year by year are not copied.
        """
        parts = list(_by_year(rows))
        self._wait()
        self._pending = [
            self._pool.submit(self._write_year, table, year, part)
            for table in self._tables
            for year, part in parts
        ]

    def hand_over(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Close the files and make them part of their tables, in the open transaction."""
        self._wait()
        paths = defaultdict[str, list[str]](list)
        for (name, _), (path, writer) in self._opened.items():
            writer.close()
            paths[name].append(str(path))
        for name, files in paths.items():
            connection.execute(
                "CALL ducklake_add_data_files('lake', $table, $paths, hive_partitioning => true)",
                {"table": name, "paths": files},
            )
        self._is_handed_over = True

    def _wait(self) -> None:
        """Wait until what was handed in is written, and tell what went wrong."""
        for pending in self._pending:
            pending.result()
        self._pending = []

    def _write_year(self, table: Table, year: int, rows: pa.Table) -> None:
        """Append a table's columns of the rows of a year as a row group."""
        own = rows.select(table.column_names)
        if (table.name, year) not in self._opened:
            self._opened[table.name, year] = self._open(table, year, own.schema)
        self._opened[table.name, year][1].write_table(own, row_group_size=MOST_ROWS_A_GROUP)

    def _open(self, table: Table, year: int, schema: pa.Schema) -> tuple[Path, pq.ParquetWriter]:
        """Return the path of a year's file and what writes it."""
        # The lake knows a file's partition by the name of its folder.
        path = self._folder / table.name / f"year={year}" / f"nightdesk-{uuid4()}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        floats = [column.name for column in table.columns if column.type in FLOATS]
        writer = pq.ParquetWriter(
            path,
            schema,
            compression=COMPRESSION,
            use_dictionary=[name for name in table.column_names if name not in floats],
            write_batch_size=ROWS_A_STEP,
        )
        return path, writer


def _by_year(rows: pl.DataFrame) -> Iterator[tuple[int, pa.Table]]:
    """Yield the rows of each year, in the order they came."""
    years = rows["session"].dt.year()
    if not years.is_sorted():
        order = years.to_frame("year").with_row_index().sort("year", maintain_order=True)
        rows, years = rows[order["index"]], order["year"]
    arrow, start = rows.to_arrow(), 0
    # Of the few different symbols, once for all tables; each file's writer would find them again.
    place = arrow.column_names.index("symbol")
    arrow = arrow.set_column(place, "symbol", arrow["symbol"].dictionary_encode())
    for length, year in years.rle().struct.unnest().iter_rows():
        yield year, arrow.slice(start, length)
        start += length
