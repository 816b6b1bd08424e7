"""What the vendor's listings and company overviews change in their tables."""

from datetime import datetime

import polars as pl

from pipelines.table import Table


def changed_rows(
    stored: pl.DataFrame, sent: pl.DataFrame, table: Table, *, as_of: datetime, response_id: int
) -> pl.DataFrame:
    """Return the rows of a table that are new or differ, known since `as_of`.

    Rows that say the same as before are left out: they were known when they were first said.
    """
    content = [name for name in table.column_names if name not in {"known_at", "response_id"}]
    news = sent.select(content).join(
        stored.select(content), on=content, how="anti", nulls_equal=True
    )
    return news.with_columns(
        pl.lit(as_of).cast(pl.Datetime("us", "UTC")).alias("known_at"),
        pl.lit(response_id, dtype=pl.Int64).alias("response_id"),
    )
