"""`price_anomalies` brought up to date night after night, on tables of a plain DuckDB."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb
import polars as pl

from pipelines.anomalies.derivation import PRICE_ANOMALIES_DERIVATION
from pipelines.anomalies.tables import (
    BODY_ANOMALIES,
    PRICE_ANOMALIES,
    PRICE_REVISIONS,
    VERDICTS,
)
from pipelines.calendar import ExchangeCalendar
from pipelines.derivation_batches import LAST_DAY, cut_by_rows, rows_of_scope
from pipelines.derivations import INCOMING, delete_statement, merge_statement
from pipelines.table import Table, create_statement
from pipelines.tables import DAILY_PRICES, EXCHANGE_SESSIONS
from resources.lake_batches import stage_batch, stage_part

KEY = ["symbol", "session", "data_type", "anomaly_type"]
TABLES = (
    *(DAILY_PRICES, EXCHANGE_SESSIONS, PRICE_ANOMALIES, VERDICTS),
    *(PRICE_REVISIONS, BODY_ANOMALIES),
)

ROWS_AT_ONCE = 500
"""So few that some symbols are judged apart from the others."""


def stored_rows(bars: pl.DataFrame, *, revision: int = 1) -> pl.DataFrame:
    """Return bars as rows of `daily_prices`, known a day after their session."""
    return bars.with_columns(
        known_at=pl.col("session").cast(pl.Datetime("us", "UTC")) + pl.duration(hours=30),
        known_at_basis=pl.lit("assumed"),
        revision=pl.lit(revision, dtype=pl.Int32),
        response_id=pl.lit(1, dtype=pl.Int64),
    ).select(DAILY_PRICES.column_names)


@dataclass
class JudgedNights:
    """The tables that judging reads and writes, and what changed since it last did."""

    connection: duckdb.DuckDBPyConnection
    changed: list[pl.DataFrame] = field(default_factory=list)

    @classmethod
    def over(cls, sessions: pl.Series) -> "JudgedNights":
        """Return empty tables over the calendar of some sessions."""
        connection = duckdb.connect(config={"threads": 1})
        connection.execute("SET TimeZone = 'UTC'; ATTACH ':memory:' AS lake; USE lake")
        for table in TABLES:
            connection.execute(create_statement(table, catalog="lake"))
        nights = cls(connection)
        closes = ExchangeCalendar.of("XNYS").closes(sessions.min(), sessions.max())  # type: ignore[arg-type]
        schema = {"session": pl.Date(), "closes_at": pl.Datetime("us", "UTC")}
        nights._write(EXCHANGE_SESSIONS, pl.DataFrame(closes, schema=schema, orient="row"))
        return nights

    def put(self, rows: pl.DataFrame) -> None:
        """Insert or revise bars."""
        self.connection.register("sent", rows.select("symbol", "session").to_arrow())
        self.connection.execute(
            "DELETE FROM daily_prices AS bar USING sent "
            "WHERE bar.symbol = sent.symbol AND bar.session = sent.session"
        )
        self._write(DAILY_PRICES, rows)
        self.changed.append(rows.select("symbol", "session"))

    def decide(self, bars: pl.DataFrame, resolutions: Sequence[str], *, number: int) -> None:
        """Land a person's verdicts on bars with a revision; a higher number is a later one."""
        instant = datetime(2020, 1, 1, tzinfo=UTC).replace(microsecond=number)
        verdicts = bars.select("symbol", "session", "revision").with_columns(
            resolution=pl.Series(resolutions),
            resolved_at=pl.lit(instant),
            landed_at=pl.lit(instant),
            note=pl.lit(None, dtype=pl.String),
            collection=pl.lit("quarantined_prices"),
            night_id=pl.lit("night"),
        )
        self._write(VERDICTS, verdicts)
        self.changed.append(bars.select("symbol", "session"))

    def revise(self, rows: pl.DataFrame, *, kind: str) -> None:
        """Revise bars and note in the journal what stood before, as the nights do."""
        former = self.table("daily_prices").join(rows, on=["symbol", "session"], how="semi")
        journal = former.with_columns(
            revision=pl.col("revision") + 1,
            from_session="session",
            through_session="session",
            changed=pl.lit(["close"]),
            kind=pl.lit(kind),
            factor=pl.lit(None, dtype=pl.Float64),
            was_in_force=pl.lit(value=True),
            known_before="known_at",
            basis_before="known_at_basis",
            response_before="response_id",
            evidence=pl.lit("{}"),
            night_id=pl.lit("night"),
        )
        self._write(PRICE_REVISIONS, journal)
        self.put(rows)

    def judge(self) -> None:
        """Bring the table up to date with what changed, as the lake does."""
        changes = (
            pl.concat(self.changed)
            .group_by("symbol")
            .agg(from_session=pl.col("session").min())
            .with_columns(to_session=pl.lit(LAST_DAY))
        )
        stage_batch(self.connection, PRICE_ANOMALIES_DERIVATION, changes)
        sizes = self.connection.sql(rows_of_scope(DAILY_PRICES)).pl()
        for part in cut_by_rows(sizes, most=ROWS_AT_ONCE):
            batch = stage_part(self.connection, PRICE_ANOMALIES_DERIVATION, part)
            self._stage(INCOMING, batch.rows())
            self.connection.execute(delete_statement(PRICE_ANOMALIES, within=batch.within))
            self.connection.execute(merge_statement(PRICE_ANOMALIES, within=batch.within))
        self.changed.clear()

    def judge_from_nothing(self) -> None:
        """Forget all judgements and make them anew."""
        self.connection.execute("DELETE FROM price_anomalies")
        self.changed = [self.table("daily_prices").select("symbol", "session")]
        self.judge()

    def table(self, name: str) -> pl.DataFrame:
        """Return a table."""
        return self.connection.sql(f"FROM {name} ORDER BY symbol, session").pl()

    def judgements(self) -> pl.DataFrame:
        """Return the judgements by key."""
        return self.table(PRICE_ANOMALIES.name).sort(KEY)

    def bars_with_verdicts(self) -> pl.DataFrame:
        """Return the bars with the verdict that counts, as `judge_history` takes them."""
        return self.connection.sql(
            "SELECT bar.*, (SELECT arg_max(resolution, resolved_at) FROM verdicts "
            "WHERE verdicts.symbol = bar.symbol AND verdicts.session = bar.session "
            "AND verdicts.revision = bar.revision) AS verdict, closes_at "
            "FROM daily_prices AS bar LEFT JOIN exchange_sessions USING (session)"
        ).pl()

    def _write(self, table: Table, rows: pl.DataFrame) -> None:
        """Add rows to a table."""
        self.connection.register("rows", rows.select(table.column_names).to_arrow())
        self.connection.execute(f"INSERT INTO {table.name} BY NAME FROM rows")

    def _stage(self, name: str, rows: pl.DataFrame) -> None:
        """Keep a frame as a temporary table."""
        self.connection.register("staged", rows.to_arrow())
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM staged")
