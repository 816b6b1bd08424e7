"""Outcomes of live signals for tests: drawn by the chance that was stated, or by another."""

from datetime import date

import numpy as np
import polars as pl

from pipelines.nights import Night
from tests.support.lake import CALENDAR, night_of

SESSIONS = CALENDAR.sessions(date(2012, 3, 1), date(2013, 3, 1))
TONIGHT: Night = night_of(SESSIONS[-1])


def outcomes(
    *, sessions: int = 60, symbols: int = 12, seed: int = 1, truth: float = 1.0, version: int = 1
) -> pl.DataFrame:
    """Return rows of `prediction_outcomes`, the last due tonight.

    Log-odds are stated, and hold when multiplied by `truth`: 1 is calibrated, 0 knows nothing.
    """
    rng = np.random.default_rng(seed)
    first = len(SESSIONS) - 1 - sessions
    rows = []
    for at in range(first, len(SESSIONS) - 1):
        log_odds = 0.8 * rng.standard_normal(symbols)
        is_up = rng.random(symbols) < 1 / (1 + np.exp(-truth * log_odds))
        size = 0.01 * np.abs(rng.standard_normal(symbols)) + 1e-4
        exit_at = at + 2
        for number in range(symbols):
            moved = float(size[number] if is_up[number] else -size[number])
            rows.append(
                {
                    "symbol": f"S{number:02d}",
                    "session": SESSIONS[at],
                    "horizon": 1,
                    "night_id": f"n{at}",
                    "model_version": version,
                    "raw_probability": float(1 / (1 + np.exp(-log_odds[number]))),
                    "probability": float(1 / (1 + np.exp(-log_odds[number]))),
                    "base_rate": 0.5,
                    "recommendation": "buy" if log_odds[number] > 0 else "sell",
                    "abstain_reason": None,
                    "due_session": SESSIONS[at + 1],
                    "next_session_return": moved,
                    "is_up": bool(is_up[number]),
                    "exit_session": SESSIONS[exit_at] if exit_at < len(SESSIONS) else None,
                    "next_open_return": moved if exit_at < len(SESSIONS) else None,
                    "entered_at": CALENDAR.known_at(SESSIONS[at + 1]),
                }
            )
    schema = {"abstain_reason": pl.String, "exit_session": pl.Date, "next_open_return": pl.Float64}
    return pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)
