"""Rows of the quality stage's tables made by hand, whole ones with single values changed."""

from datetime import UTC, datetime
from typing import Any

import polars as pl

from pipelines.anomalies.tables import (
    BAR_SCORES,
    BODY_ANOMALIES,
    PRICE_ANOMALIES,
    PRICE_REVISIONS,
    QUARANTINED_PRICES,
    VERDICTS,
)
from pipelines.table import Table
from pipelines.tables import CLEAN_PRICES, DAILY_PRICES, EXCHANGE_SESSIONS, LISTINGS
from resources.lake import Lake
from tests.support.lake import SESSIONS, exchange_sessions, night_of

AS_OF = datetime(2013, 3, 2, 1, tzinfo=UTC)
NIGHT = night_of()
"""The night of the last session, seen at AS_OF."""

BAR: dict[str, Any] = {
    "open": 10.0,
    "high": 11.0,
    "low": 9.0,
    "close": 10.0,
    "volume": 1_000,
    "adjusted_close": 10.0,
    "dividend_amount": 0.0,
    "split_coefficient": 1.0,
}
KEY: dict[str, Any] = {"symbol": "IBM", "session": SESSIONS[-1]}
DEFAULTS: dict[str, dict[str, Any]] = {
    "daily_prices": {
        **BAR,
        "known_at": AS_OF,
        "known_at_basis": "observed",
        "revision": 1,
        "response_id": 1,
    },
    "clean_prices": {
        **BAR,
        "split_factor": 1.0,
        "total_return_index": 10.0,
        "total_return_units": 1.0,
        "known_at": AS_OF,
    },
    "price_anomalies": {
        "data_type": "daily",
        "anomaly_type": "unapplied_split",
        "revision": 1,
        "severity": "high",
        "message": "close halved",
        "evidence": '{"ratio": 0.5}',
        "explanation": None,
        "is_withheld": True,
        "known_at": AS_OF,
    },
    "body_anomalies": {
        "data_type": "daily",
        "anomaly_type": "history_shrank",
        "severity": "medium",
        "message": "300 rows are gone",
        "evidence": "{}",
        "known_at": AS_OF,
        "response_id": 7,
    },
    "bar_scores": {
        "revision": 1,
        "isolation_score": 0.4,
        "tail_score": 0.3,
        "volume_z_score": 1.5,
        "prophet_score": None,
        "reviewed_score": None,
        "p_value": 0.5,
        "is_alert": False,
        "applies_from": SESSIONS[0],
    },
    "quarantined_prices": {
        **BAR,
        "known_at": AS_OF,
        "known_at_basis": "observed",
        "revision": 1,
        "response_id": 1,
        "rules": ["unapplied_split"],
        "severity": "high",
        "evidence": '{"unapplied_split": {"ratio": 0.5}}',
        "reasons": ["close halved"],
    },
    "verdicts": {
        "revision": 1,
        "resolved_at": AS_OF,
        "resolution": "release",
        "note": "is right",
        "collection": "quarantined_prices",
        "night_id": "n2",
        "landed_at": AS_OF,
    },
    "listings": {
        "status": "Active",
        "name": "A company",
        "exchange": "NYSE",
        "asset_type": "Stock",
        "known_at": AS_OF,
        "response_id": 3,
    },
    "price_revisions": {
        **BAR,
        "revision": 2,
        "changed": ["close"],
        "kind": "correction",
        "was_in_force": True,
        "from_session": SESSIONS[-1],
        "through_session": SESSIONS[-1],
        "evidence": "{}",
        "night_id": "n2",
        "known_at": AS_OF,
        "response_id": 2,
    },
}
TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        *(DAILY_PRICES, CLEAN_PRICES, PRICE_ANOMALIES, BODY_ANOMALIES, BAR_SCORES),
        *(QUARANTINED_PRICES, VERDICTS, PRICE_REVISIONS, LISTINGS),
    )
}


def rows_of(table: str, *rows: dict[str, Any]) -> pl.DataFrame:
    """Return rows of a table as a frame, IBM's last session where nothing else is said."""
    whole = [{**KEY, **DEFAULTS[table], **row} for row in rows]
    return pl.DataFrame(
        [{name: row.get(name) for name in TABLES[table].column_names} for row in whole],
        infer_schema_length=None,
    )


def put(lake: Lake, table: str, **changes: Any) -> None:
    """Write one row of a table, IBM's last session where nothing else is said."""
    row = {**KEY, **DEFAULTS[table], **changes}
    names = TABLES[table].column_names
    columns = ", ".join(f"${name} AS {name}" for name in names)
    lake.commit(
        lambda writer: writer.merge(
            TABLES[table],
            writer.read(
                f"SELECT {', '.join(names)} FROM {table} WHERE false "
                f"UNION ALL BY NAME SELECT {columns}",
                {name: row.get(name) for name in names},
            ),
        ),
        night=NIGHT,
        message=f"put a row of {table}",
    )


def take_out(lake: Lake, table: str, symbol: str = "IBM") -> None:
    """Remove a symbol's rows from a table."""
    lake.commit(
        lambda writer: writer.connection.execute(
            f"DELETE FROM {table} WHERE symbol = $symbol", {"symbol": symbol}
        ),
        night=NIGHT,
        message=f"take {symbol} out of {table}",
    )


def with_sessions(lake: Lake) -> Lake:
    """Return a lake after it was told the exchange's sessions."""
    lake.commit(
        lambda writer: writer.append(EXCHANGE_SESSIONS, exchange_sessions()),
        night=NIGHT,
        message="put sessions",
    )
    return lake
