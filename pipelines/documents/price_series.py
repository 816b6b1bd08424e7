"""Bars of a collection as data: how they follow from clean prices, and in which chunks they move.

A chunk is one symbol's bars of a month or a year. Its fingerprint covers everything that its
documents are made from, so a chunk with the fingerprint that was published last needs no look at
its documents.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import polars as pl

from pipelines.documents.base import recipe_of
from pipelines.documents.price_bar import PriceBar

Chunk = tuple[str, str]
"""A symbol, and the name of a month or year."""


class Chunking(StrEnum):
    """How bars are cut by date; the value is the chunk's name as strftime and MongoDB write it."""

    MONTH = "%Y-%m"
    YEAR = "%Y"

    @property
    def unit(self) -> str:
        """The unit of `date_trunc`."""
        return self.name.lower()

    def name_of(self, instant: datetime) -> str:
        """Return the name of the chunk that an instant lies in."""
        return f"{instant.year:04d}" + (f"-{instant.month:02d}" if self is Chunking.MONTH else "")

    def bounds_of(self, name: str) -> tuple[datetime, datetime]:
        """Return the first instant of a chunk and the first one after it."""
        year, month = int(name[:4]), int(name[5:] or 1)
        months = 1 if self is Chunking.MONTH else 12
        following = year * 12 + month - 1 + months
        return (
            datetime(year, month, 1, tzinfo=UTC),
            datetime(following // 12, following % 12 + 1, 1, tzinfo=UTC),
        )


@dataclass(frozen=True)
class PriceSeries:
    """The documents of one price collection.

    Attributes:
        model: Their model.
        chunking: How they are cut into chunks.
        query: SQL that makes their rows from `bars`, rows of `clean_prices` of whole symbols. The
            columns are fields of the model; `date` is a DATE.
        dates: SQL for `symbol` and `date` of the same rows alone.
        findings: SQL for more fields of bars that were found remarkable, by `symbol` and `date`,
            from the relations of `finding_tables`; None where there are none.
        finding_tables: The lake table behind each of those relations.
        unremarkable: What those fields say of any other bar, as SQL.
    """

    model: type[PriceBar]
    chunking: Chunking
    query: str
    dates: str
    findings: str | None = None
    finding_tables: Mapping[str, str] = field(default_factory=dict)
    unremarkable: Mapping[str, str] = field(default_factory=dict)

    def fingerprints_query(self) -> str:
        """Return SQL for `symbol`, `chunk`, `documents` and `fingerprint` of every chunk.

        The fingerprint is 64 bits: a change goes unnoticed once in 2^64. Another DuckDB version may
        hash otherwise; then everything is compared once and found unchanged.
        """
        return f"""
            WITH {self._relations()}
            SELECT symbol, strftime(date, '{self.chunking.value}') AS chunk,
                   count(*) AS documents, printf('%016x', bit_xor(hash(documents))) AS fingerprint
            FROM documents GROUP BY ALL ORDER BY ALL"""

    def counts_query(self) -> str:
        """Return SQL for `symbol`, `chunk` and `documents` of every chunk."""
        return f"""
            WITH bars AS (SELECT symbol, session FROM clean_prices {{at}}), dates AS ({self.dates})
            SELECT symbol, strftime(first, '{self.chunking.value}') AS chunk, documents FROM (
                SELECT symbol, date_trunc('{self.chunking.unit}', date) AS first,
                       count(*) AS documents
                FROM dates GROUP BY ALL
            )"""

    def changed_query(self, *, since: int, until: int) -> str:
        """Return SQL for the symbols that changed between two lake versions.

        Beside `symbol` stands `first`, the first day of the first chunk that a change can reach: a
        bar has a part in its own week or month, and in what is compared with that.
        """
        feeds = " UNION ALL ".join(
            f"SELECT symbol, session FROM lake.table_changes('{name}', {since + 1}, {until})"
            for name in ("clean_prices", *self.finding_tables.values())
        )
        return f"""
            SELECT symbol, date_trunc('{self.chunking.unit}',
                                      date_trunc('week', min(session)))::DATE AS first
            FROM ({feeds}) GROUP BY symbol"""

    def newer_fingerprints_query(self) -> str:
        """Return SQL like `fingerprints_query` for the chunks of some symbols from a day on.

        The symbols are the parameters `symbols` and `firsts`, two lists of one length; `since` is
        what `since_query` says of them.
        """
        condition = " WHERE session >= $since AND symbol IN (SELECT symbol FROM due)"
        return f"""
            WITH due AS (SELECT unnest($symbols) AS symbol, unnest($firsts) AS first),
            {self._relations(condition)},
            hashed AS (SELECT symbol, date, hash(documents) AS hash FROM documents)
            SELECT symbol, strftime(date, '{self.chunking.value}') AS chunk,
                   count(*) AS documents, printf('%016x', bit_xor(hash)) AS fingerprint
            FROM hashed SEMI JOIN due ON due.symbol = hashed.symbol AND hashed.date >= due.first
            GROUP BY ALL"""

    def since_query(self) -> str:
        """Return SQL for the first session from which the rows of some chunks follow.

        The chunks are the parameters `symbols` and `firsts`, two lists of one length: the first day
        of each. The period of a row begins at most in the week of that day, and compares itself
        with the bar before: what lies before that bar has no part in it.
        """
        return """
            WITH due AS (
                SELECT symbol, min(date_trunc('week', first))::DATE AS first
                FROM (SELECT unnest($symbols) AS symbol, unnest($firsts) AS first)
                GROUP BY symbol
            ), before AS (
                SELECT symbol, max(session) AS session
                FROM clean_prices {at} JOIN due USING (symbol) WHERE session < first GROUP BY symbol
            )
            SELECT min(coalesce(session, first)) FROM due LEFT JOIN before USING (symbol)"""

    def rows_query(self) -> str:
        """Return SQL for the documents' rows of some chunks.

        The chunks are the parameters `symbols` and `names`, two lists of one length; `since` is
        what `since_query` says of them. Beside the fields of the documents stand `chunk`, its name,
        and `fingerprint`, that of the chunk's rows up to this one.
        """
        condition = " WHERE session >= $since AND symbol IN (SELECT symbol FROM due)"
        return f"""
            WITH due AS (SELECT unnest($symbols) AS symbol, unnest($names) AS name),
            {self._relations(condition)},
            hashed AS (
                SELECT documents.*, strftime(date, '{self.chunking.value}') AS chunk,
                       hash(documents) AS hash
                FROM documents
            )
            SELECT hashed.* EXCLUDE (hash),
                   printf('%016x', bit_xor(hash) OVER (
                       PARTITION BY hashed.symbol, chunk ORDER BY date)) AS fingerprint
            FROM hashed SEMI JOIN due ON due.symbol = hashed.symbol AND due.name = chunk
            ORDER BY symbol, date"""

    def _relations(self, condition: str = "") -> str:
        """Return the relations of a WITH clause that end in `documents`: a row a document."""
        tables = {"bars": "clean_prices", **self.finding_tables}
        relations = [
            f"{name} AS (SELECT * FROM {table} {{at}}{condition})" for name, table in tables.items()
        ]
        if self.findings is None:
            return ", ".join([*relations, f"documents AS ({self.query})"])
        filled = ", ".join(
            f"coalesce({name}, {value}) AS {name}" for name, value in self.unremarkable.items()
        )
        joined = f"SELECT * REPLACE ({filled}) FROM plain LEFT JOIN findings USING (symbol, date)"
        return ", ".join(
            [
                *relations,
                f"plain AS ({self.query})",
                f"findings AS ({self.findings})",
                f"documents AS ({joined})",
            ]
        )

    def documents(self, rows: pl.DataFrame, *, source: str) -> Iterator[PriceBar]:
        """Make the documents of rows, in their order."""
        fields = rows.drop("chunk", "fingerprint").with_columns(_at_midnight())
        for row in fields.iter_rows(named=True):
            yield self.model.model_validate(row | {"source": source})

    def recipe(self, *, source: str) -> str:
        """Return a hash of what, beside the bars, goes into every document: model and source."""
        return recipe_of(self.model, source=source)


@dataclass(frozen=True)
class FreshRows:
    """Rows of chunks without those that stand as they were published.

    Attributes:
        rows: Rows of `rows_query`.
        since: The first date that is left, of each chunk of which rows stand.
    """

    rows: pl.DataFrame
    since: Mapping[Chunk, datetime]


def fresh_rows(rows: pl.DataFrame, published: pl.DataFrame) -> FreshRows:
    """Leave out the first rows of each chunk where together they are all that was published of it.

    They are, where their fingerprint is the chunk's and they are as many as its documents: such
    rows need no look at their documents, as a chunk that did not change needs none. Of a month to
    which a session was added, that session is left.

    Args:
        rows: Rows of `rows_query`.
        published: `symbol`, `chunk`, `published`, its fingerprint, and `documents`, their number.
    """
    chunk = ["symbol", "chunk"]
    numbered = rows.with_columns(number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(chunk))
    standing = (
        numbered.join(published, on=chunk)
        .filter(
            pl.col("fingerprint") == pl.col("published"), pl.col("number") == pl.col("documents")
        )
        .select(*chunk, standing="number")
    )
    left = (
        numbered.join(standing, on=chunk, how="left", maintain_order="left")
        .filter(pl.col("number") > pl.col("standing").fill_null(0))
        .drop("number")
    )
    first = (
        left.filter(pl.col("standing").is_not_null())
        .group_by(chunk)
        .agg(_at_midnight().min())
        .iter_rows()
    )
    return FreshRows(left.drop("standing"), {(symbol, name): day for symbol, name, day in first})


def _at_midnight() -> pl.Expr:
    """Return the date of a document as it is stored."""
    return pl.col("date").cast(pl.Datetime("us", "UTC"))
