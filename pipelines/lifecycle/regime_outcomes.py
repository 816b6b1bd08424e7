"""What came of live regimes: the market's next return, who was right, and whether the name ended.

Outcomes of abstentions are not asked for. A later night's entry stands when an older is run again.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from pipelines.documents.prediction_outcome import PredictionOutcome, RegimeOutcome
from pipelines.lifecycle.tables import REGIME_OUTCOMES
from pipelines.nights import Night
from pipelines.regimes.endings import RISK_SESSIONS
from pipelines.regimes.fits import FitKey, RegimeFit
from pipelines.regimes.foretelling import ForetoldReturn
from pipelines.regimes.names import MARKET
from pipelines.regimes.series import MarketSeries

RETURN_DIGITS = 12
"""Levels that are rebased give the same returns to so many digits: that is no correction."""
SCORES = ("log_score", "log_score_baseline", "crps", "crps_baseline", "level")
MARKET_RETURNS_SCHEMA = pl.Schema(
    {"session": pl.Date, "due_session": pl.Date, "realised_return": pl.Float64}
    | dict.fromkeys(SCORES, pl.Float64)
)
_NO_SCORES = ", ".join(f"NULL::DOUBLE AS {name}" for name in SCORES)
_OUTCOME = ("due_session", "realised_return", "is_hit", "has_ended", *SCORES)

MARKET_TOLD_QUERY = f"""
    SELECT session, applies_from, recipe, foretold FROM regime_states
    WHERE symbol = '{MARKET}' AND origin = 'live' AND abstain_reason IS NULL
      AND foretold IS NOT NULL AND session >= $since AND session < $session
    ORDER BY session
"""

DUE_REGIMES_QUERY = f"""
    WITH places AS (
      SELECT session, row_number() OVER (ORDER BY session) AS place
      FROM exchange_sessions WHERE session BETWEEN $since AND $session
    ), told AS (
      SELECT symbol, session, place, night_id, regime, transition_risk, origin,
             strftime(applies_from, '%Y-%m-%d') || '-' || recipe AS model_version,
             lag(regime) OVER (PARTITION BY symbol ORDER BY session) AS before
      FROM regime_states JOIN places USING (session) WHERE abstain_reason IS NULL
    ), changes AS (
      SELECT symbol, session AS due_session, place, max(CASE WHEN regime <> before THEN place END)
               OVER (PARTITION BY symbol ORDER BY place) AS changed_at
      FROM told
    ), returns AS (
      SELECT symbol, session, label_end AS due_session, next_session_return AS realised_return,
             {_NO_SCORES}
      FROM next_session_labels WHERE label_end BETWEEN $since AND $session
      UNION ALL BY NAME SELECT '{MARKET}' AS symbol, * FROM market_returns
    ), due AS (
      SELECT symbol, session, 1 AS horizon, due_session, realised_return, CASE regime
               WHEN 'bullish' THEN realised_return > 0 WHEN 'bearish' THEN realised_return < 0
             END AS is_hit, NULL::BOOLEAN AS has_ended, {", ".join(SCORES)}
      FROM told JOIN returns USING (symbol, session) WHERE origin = 'live'
      UNION ALL BY NAME
      SELECT told.symbol, told.session, {RISK_SESSIONS} AS horizon, due_session,
             coalesce(changed_at > told.place, false) AS has_ended, {_NO_SCORES}
      FROM told JOIN changes
        ON changes.symbol = told.symbol AND changes.place = told.place + {RISK_SESSIONS}
      WHERE origin = 'live'
    )
    SELECT due.*, told.night_id, told.model_version, told.regime, told.transition_risk,
           $as_of::TIMESTAMPTZ AS entered_at
    FROM due JOIN told USING (symbol, session)
    LEFT JOIN {REGIME_OUTCOMES.name} AS held USING (symbol, session, horizon)
    WHERE ({" OR ".join(f"due.{name} IS DISTINCT FROM held.{name}" for name in _OUTCOME)})
      AND (held.entered_at IS NULL OR held.entered_at <= $as_of)
    ORDER BY session, symbol, horizon
"""
"""Live regimes of `$since` or later, due by `$session`, that are not entered as they are.

The table market_returns has the market's next returns with their scores.
"""


def market_returns(
    told: pl.DataFrame, fits: Mapping[FitKey, RegimeFit], series: Sequence[MarketSeries]
) -> pl.DataFrame:
    """Return the return that came after each session, and the scores of what was foretold of it.

    Args:
        told: Rows of `MARKET_TOLD_QUERY`.
        fits: The fits that they were told by.
        series: What may stand for the market, through the newest session that is known.
    """
    named = {one.name: one for one in series}
    rows = [
        row
        for one in told.iter_rows(named=True)
        if (fit := fits[one["applies_from"], one["recipe"]]).series in named
        for row in _scored(one, fit, named[fit.series])
    ]
    return pl.DataFrame(rows, schema=MARKET_RETURNS_SCHEMA, orient="row")


def regime_documents_of(outcomes: pl.DataFrame, night: Night) -> Iterator[PredictionOutcome]:
    """Make the documents of rows of `regime_outcomes`."""
    own = RegimeOutcome.model_fields.keys()
    for row in outcomes.sort("session", "symbol", "horizon").iter_rows(named=True):
        part = RegimeOutcome(**{name: row.pop(name) for name in own})
        yield PredictionOutcome(model_name="regime", market=night.market, regime=part, **row)


def _scored(
    told: Mapping[str, Any], fit: RegimeFit, series: MarketSeries
) -> Iterator[tuple[Any, ...]]:
    """Yield what came the session after, with its scores; nothing where it is not known."""
    after = series.panel.filter(pl.col("session") > told["session"]).head(1)
    value = after["market_return"].to_list()[0] if after.height else None
    if value is None:
        return
    value = round(value, RETURN_DIGITS)
    foretold = ForetoldReturn.of(fit.model, np.array(json.loads(told["foretold"])))
    baseline = ForetoldReturn.baseline(fit.model)
    scores = (
        *(foretold.log_score(value), baseline.log_score(value)),
        *(foretold.crps(value), baseline.crps(value), foretold.level(value)),
    )
    yield told["session"], after["session"][0], float(np.expm1(value)), *scores
