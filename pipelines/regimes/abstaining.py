"""Why a series has no regime, and what stands in its place."""

from enum import StrEnum

import numpy as np
import polars as pl

from pipelines.regimes.model import FloatArray
from pipelines.regimes.names import NAMES, Regime

STALE_SESSIONS = 21
"""A series without a return for so long has no regime of its own any more."""
CONSTANT_SESSIONS = 21
"""One that has not moved in so many sessions, its whole window, does not trade."""


class AbstainReason(StrEnum):
    """Why there is no regime."""

    NO_MODEL = "no_model"
    NO_HISTORY = "no_history"
    STALE = "stale"
    CONSTANT = "constant_prices"


REASON_WORDS = {
    AbstainReason.NO_MODEL: "no model was fitted on sessions before this one: it takes a year of "
    "a market that moves, and the job training",
    AbstainReason.NO_HISTORY: "no return of it is known in the last year",
    AbstainReason.STALE: f"no return of it is known for {STALE_SESSIONS} sessions",
    AbstainReason.CONSTANT: "its price has not moved in the last year",
}


def abstain_reasons(returns: FloatArray, *, has_fit: bool) -> list[str | None]:
    """Return why each row of returns (rows × sessions, the newest last) has no regime, if so."""
    is_known = np.isfinite(returns)
    counts = is_known.sum(axis=1)
    recent = is_known[:, -STALE_SESSIONS:].sum(axis=1)
    distance = np.abs(np.where(is_known, returns, 0.0)).sum(axis=1)
    conditions = (
        (AbstainReason.NO_MODEL, np.full(len(returns), not has_fit)),
        (AbstainReason.NO_HISTORY, counts == 0),
        (AbstainReason.STALE, recent == 0),
        (AbstainReason.CONSTANT, (distance == 0) & (counts >= CONSTANT_SESSIONS)),
    )
    return [
        next((reason.value for reason, holds in conditions if holds[row]), None)
        for row in range(len(returns))
    ]


def without_opinion(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of `regime_states` with all names alike where there is a reason to abstain."""
    replaced = {
        "regime": pl.lit(Regime.SIDEWAYS.value),
        **{name.value: pl.lit(1.0 / len(NAMES)) for name in NAMES},
        "sessions_in_regime": pl.lit(0),
        "expected_sessions": pl.lit(None),
        "transition_risk": pl.lit(0.0),
        "log_score": pl.lit(None),
        "foretold": pl.lit(None),
    }
    abstains = pl.col("abstain_reason").is_not_null()
    return rows.with_columns(
        pl.when(abstains).then(value.cast(rows.schema[name])).otherwise(name).alias(name)
        for name, value in replaced.items()
    )
