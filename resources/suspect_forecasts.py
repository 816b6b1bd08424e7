"""Forecasts of suspects: their histories out of the lake, Prophet's residual of each."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from pipelines.anomalies.prophet_residual import (
    HISTORY_DAYS,
    MOST_FORECASTS,
    residual_score,
    suspects,
)
from pipelines.anomalies.score_queries import HISTORIES_QUERY, RULED_QUERY
from resources.lake_writer import LakeWriter

SCHEMA = pl.Schema({"symbol": pl.String, "session": pl.Date, "prophet_score": pl.Float64})


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Scores of suspects, and how many suspects there was no room for."""

    scores: pl.DataFrame
    left_out: int


def forecast_suspects(writer: LakeWriter, rows: pl.DataFrame) -> Forecasts:
    """Return Prophet's residual of the most suspect bars of each session.

    Args:
        writer: The transaction.
        rows: Scored bars with `log_return`, the move since the clean bar before.
    """
    sessions = rows["session"].unique().sort().to_list()
    if not sessions:
        return Forecasts(pl.DataFrame(schema=SCHEMA), 0)
    ruled = writer.read(RULED_QUERY, {"sessions": sessions})
    found = suspects(rows, ruled)
    chosen = found.group_by("session", maintain_order=True).head(MOST_FORECASTS)
    histories = writer.read(
        HISTORIES_QUERY,
        {
            "symbols": chosen["symbol"].unique().sort().to_list(),
            "first": sessions[0] - timedelta(days=HISTORY_DAYS),
            "last": sessions[-1],
        },
    )
    scores = [
        (symbol, session, _score(histories, symbol, session, log_return))
        for symbol, session, log_return in chosen.select(
            "symbol", "session", "log_return"
        ).iter_rows()
    ]
    found_scores = pl.DataFrame(scores, schema=SCHEMA, orient="row").drop_nulls()
    return Forecasts(found_scores, found.height - chosen.height)


def _score(
    histories: pl.DataFrame, symbol: str, session: date, log_return: float | None
) -> float | None:
    """Return the residual of one bar; None where its move or its past is unknown."""
    past = histories.filter(
        pl.col("symbol") == symbol,
        pl.col("session").is_between(session - timedelta(days=HISTORY_DAYS), session, "left"),
    )
    if past.is_empty() or log_return is None:
        return None
    levels = np.log(past["total_return_index"].to_numpy())
    bar = levels[-1] + log_return
    return residual_score([*past["session"], session], np.append(levels, bar))
