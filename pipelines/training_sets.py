"""Training sets by name: which rows a model learned from, so that they can be had again.

A name says all that decides the rows: the versions of the features and the tables that hold them,
the version of the lake, the universe and the range. Its hash is the set's identity; the hash of the
rows themselves, as an Arrow stream, tells whether what comes out is what went in.

A row joins features and label by symbol and session, and by what was known. Left out is a row whose
features rest on bars that the vendor changed after the label's session had closed: nobody could
have computed those values in time, and a model would learn from the correction.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import IO, Any, Self

import polars as pl

from pipelines.features.groups import FeatureGroup, longest_look_back
from pipelines.signals.panel import PanelSource, PanelSpan, panel_query, yearly_spans

ROWS_A_BATCH = 1_000_000
"""Rows of a record batch; part of what the bytes of a set are."""
NEIGHBOURS = 1024
"""Rows beside a batch from which its bytes come out as if it were cut from all rows: Arrow fills a
buffer up to a multiple of 64 bytes with what follows in the larger one."""


@dataclass(frozen=True)
class TrainingSet:
    """The name of a training set.

    Attributes:
        features: Table, name and version of each feature, in the order of the columns.
        look_back: Rows before its own that the features of a row rest on.
        lake_snapshot: The lake version that holds them.
        universe: Symbols, in alphabetical order.
        first_session: First session of a row.
        ends_before: Labels that ended before this session are in it.
    """

    features: tuple[tuple[str, str, str], ...]
    look_back: int
    lake_snapshot: int
    universe: tuple[str, ...]
    first_session: date
    ends_before: date

    @classmethod
    def of(
        cls,
        groups: Sequence[FeatureGroup],
        *,
        lake_snapshot: int,
        universe: Sequence[str],
        sessions: tuple[date, date],
    ) -> Self:
        """Name the set of groups as they are defined now; `sessions` are the range's bounds."""
        features = tuple(
            (group.name, feature.name, feature.expression.version)
            for group in groups
            for feature in group.features
        )
        return cls(
            features, longest_look_back(groups), lake_snapshot, tuple(sorted(universe)), *sessions
        )

    @property
    def training_set_id(self) -> str:
        """Return the hash of the name: 16 hexadecimal digits."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    @property
    def feature_names(self) -> list[str]:
        """Return the names of the features, in order."""
        return [name for _, name, _ in self.features]

    def queries(self, sessions: Sequence[date] = ()) -> list[str]:
        """Return SQL for the rows, a statement a year, to be read with those of `parameters`.

        Args:
            sessions: The market's, ascending; without them one statement is for all rows.
        """
        tables = list(dict.fromkeys(table for table, _, _ in self.features))
        source = PanelSource(tables, self.feature_names, at=f"AT (VERSION => {self.lake_snapshot})")
        spans = yearly_spans(sessions, first=self.first_session, before=self.ends_before)
        return [_knowable(source, span, self.look_back) for span in spans]

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the values of the query's parameters."""
        return {
            "session": self.ends_before,
            "symbols": list(self.universe),
        }

    def to_json(self) -> str:
        """Return the name as text: equal names give equal text."""
        return json.dumps(asdict(self), default=date.isoformat, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the name that `to_json` wrote."""
        told = json.loads(text)
        days = {name: date.fromisoformat(told[name]) for name in ("first_session", "ends_before")}
        features = tuple((table, name, version) for table, name, version in told["features"])
        return cls(**{**told, **days, "features": features, "universe": tuple(told["universe"])})


def write_stream(rows: pl.DataFrame, sink: IO[bytes]) -> None:
    """Write rows as an uncompressed Arrow stream: equal rows give equal bytes."""
    import pyarrow as pa

    with pa.ipc.new_stream(sink, rows.clear().to_arrow().schema) as writer:
        for start in range(0, max(1, rows.height), ROWS_A_BATCH):
            before = min(start, NEIGHBOURS)
            piece = rows.slice(start - before, before + ROWS_A_BATCH + NEIGHBOURS)
            whole = piece.with_columns(map(_without_remains, piece))
            if rows.height > ROWS_A_BATCH:
                # Bits behind the last row are zero in rows put together, as more than a batch are.
                whole = pl.concat([whole.head(1), whole.slice(1)])
            writer.write_table(whole.rechunk().to_arrow().slice(before, ROWS_A_BATCH))


def content_sha256(rows: pl.DataFrame) -> str:
    """Return the SHA-256 of rows as an Arrow stream, without holding its bytes."""
    sink = _Digest()
    write_stream(rows, sink)  # type: ignore[arg-type]
    return sink.digest.hexdigest()


def _without_remains(column: pl.Series) -> pl.Expr:
    """Return a column with zero below each null, where the bytes of a computation remain."""
    value = pl.col(column.name)
    if column.null_count() == 0:
        return value
    return pl.when(value.is_not_null()).then(value.fill_null(pl.lit(0).cast(column.dtype)))


def _knowable(source: PanelSource, span: PanelSpan, look_back: int) -> str:
    """Return the panel's rows of a span, without those that rest on later corrections."""
    return f"""
        WITH days AS (
            SELECT session, closes_at, row_number() OVER (ORDER BY session) AS number
            FROM exchange_sessions {source.at}
        ), corrected AS (
            SELECT DISTINCT change.symbol, bar.session
            FROM (FROM price_revisions {source.at}) AS change
            JOIN days AS changed ON changed.session = change.session
            JOIN days AS bar ON bar.number BETWEEN changed.number AND changed.number + {look_back}
            JOIN days AS known ON known.number = bar.number + 1
            WHERE change.revision > 0 AND change.was_in_force
              AND change.known_at > known.closes_at
        )
        SELECT * FROM ({panel_query(source, span)}) AS panel
        WHERE list_contains($symbols, symbol)
          AND NOT EXISTS (FROM corrected WHERE corrected.symbol = panel.symbol
                          AND corrected.session = panel.session)
        ORDER BY session, symbol
    """


class _Digest:
    """A file that keeps nothing but the hash of what is written."""

    closed = False

    def __init__(self) -> None:
        """Start with nothing written."""
        self.digest = hashlib.sha256()

    def write(self, content: bytes) -> int:
        """Take in some bytes."""
        self.digest.update(content)
        return len(content)

    def flush(self) -> None:
        """Do nothing: nothing is kept."""
