"""Changes of regime that are sure enough to tell: which they are, and what the webhook is sent."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl

from pipelines.nights import Night
from pipelines.regimes.names import MARKET, NAMES

SWITCH_CONFIDENCE = 0.8
"""Chance of the new regime from which on its change is told."""
LOOK_BACK = timedelta(days=10)
"""The session before is not further away: a gap beyond it is no change overnight."""
NEWS_FOR = timedelta(days=7)
"""What changed longer ago is no news to the webhook."""
MOST_TOLD = 50
"""Symbols that one call names, the market first; how many there are it says as well."""
CALL_KIND = "regime_switches"

_CONFIDENCE = " ".join(f"WHEN '{name.value}' THEN {name.value}" for name in NAMES)
SWITCHES_QUERY = f"""
    WITH told AS (
        SELECT symbol, session, regime, CASE regime {_CONFIDENCE} END AS confidence, origin,
               applies_from, lag(regime) OVER before AS regime_before,
               lag(applies_from) OVER before AS applied_before
        FROM regime_states WHERE abstain_reason IS NULL AND session BETWEEN $since AND $last
        WINDOW before AS (PARTITION BY symbol ORDER BY session)
    )
    SELECT symbol, session, regime_before, regime, confidence, origin,
           applies_from IS DISTINCT FROM applied_before AS is_by_refit
    FROM told
    WHERE regime != regime_before AND confidence >= $confidence AND session >= $first
    ORDER BY session, symbol != '{MARKET}', confidence DESC, symbol
"""
"""The market's change first, then those of symbols, the surest first."""


def switches_table(switches: pl.DataFrame) -> str:
    """Return changes of regime as a table of Markdown."""
    if switches.is_empty():
        return "none"
    head = "| symbol | session | before | now | chance | by a new fit |\n| --- | --- | --- | --- "
    lines = [
        f"| {row['symbol']} | {row['session']} | {row['regime_before']} | {row['regime']} "
        f"| {row['confidence']:.0%} | {'yes' if row['is_by_refit'] else 'no'} |"
        for row in switches.head(MOST_TOLD).iter_rows(named=True)
    ]
    return "\n".join([f"{head}| ---: | --- |", *lines])


def call_document(night: Night, switches: pl.DataFrame) -> dict[str, object]:
    """Return what the webhook is sent about a night's changes of regime."""
    return {
        "kind": CALL_KIND,
        "market": night.market,
        "session": night.session.isoformat(),
        "night_id": night.night_id,
        "switches": switches.height,
        "told": [_told(row) for row in switches.head(MOST_TOLD).iter_rows(named=True)],
    }


def idempotency_key(night: Night) -> str:
    """Return the name of a night's call: the same if it comes twice."""
    return f"{CALL_KIND}-{night.night_id}"


def _told(row: Mapping[str, Any]) -> dict[str, object]:
    """Return one change as JSON."""
    return {
        "symbol": row["symbol"],
        "before": row["regime_before"],
        "regime": row["regime"],
        "confidence": round(row["confidence"], 4),
        "is_by_refit": row["is_by_refit"],
    }
