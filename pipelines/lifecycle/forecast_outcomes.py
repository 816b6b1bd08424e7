"""What came of live portfolio forecasts at the horizons that are published."""

from collections.abc import Iterator

import polars as pl

from pipelines.documents.prediction_outcome import ForecastOutcome, PredictionOutcome
from pipelines.forecasts.evaluation import PUBLISHED
from pipelines.forecasts.members.catalogue import YARDSTICK
from pipelines.forecasts.settings import HORIZONS, PERCENTILES
from pipelines.lifecycle.tables import FORECAST_OUTCOMES
from pipelines.nights import Night

_OUTCOME = (
    *("due_session", "realised_return_pct", "is_within_90", "is_below_5", "is_below_1"),
    *("pinball_pct", "crps", "crps_baseline"),
)
_PINBALL = " + ".join(
    f"greatest({percentile} * (outcome_value - p{percentile:02d}), "
    f"{percentile - 100} * (outcome_value - p{percentile:02d}))"
    for percentile in PERCENTILES
)

DUE_FORECASTS_QUERY = f"""
    WITH due AS (
      SELECT history.portfolio_id, history.session, history.horizon_days, history.night_id,
             due_session, 100 * (outcome_value / last_portfolio_value - 1) AS realised_return_pct,
             is_within_90, outcome_value < p05 AS is_below_5, outcome_value < p01 AS is_below_1,
             ({_PINBALL}) / {len(PERCENTILES)} / last_portfolio_value AS pinball_pct,
             concat_ws(':', document ->> '$.pool_version',
                       nullif(document ->> '$.published_model', 'pool')) AS version_of_pool,
             coalesce(nullif(version_of_pool, ''), 'pool') AS model_version,
             evaluated.crps[list_position(models, '{PUBLISHED}')] AS crps,
             evaluated.crps[list_position(models, '{YARDSTICK}')] AS crps_baseline
      FROM portfolio_forecast_history AS history
      JOIN portfolio_forecasts AS made USING (portfolio_id, session, horizon_days)
      CROSS JOIN (SELECT first(version ORDER BY decided_at) AS version
                  FROM pool_decisions) AS first_pool
      LEFT JOIN portfolio_evaluations AS evaluated
        ON evaluated.portfolio_id = history.portfolio_id AND evaluated.session = history.session
       AND evaluated.horizon_days = history.horizon_days
       AND evaluated.definition_hash = made.definition_hash AND matured <= $session
       AND coalesce(evaluated.pool_version, first_pool.version)
           IS NOT DISTINCT FROM coalesce(document ->> '$.pool_version', first_pool.version)
      WHERE history.origin = 'live' AND history.session >= $since AND due_session <= $session
        AND history.horizon_days IN {HORIZONS}
    )
    SELECT due.* EXCLUDE (version_of_pool), $as_of::TIMESTAMPTZ AS entered_at
    FROM due LEFT JOIN {FORECAST_OUTCOMES.name} AS held
      USING (portfolio_id, session, horizon_days)
    WHERE ({" OR ".join(f"due.{name} IS DISTINCT FROM held.{name}" for name in _OUTCOME)})
      AND (held.entered_at IS NULL OR held.entered_at <= $as_of)
    ORDER BY session, portfolio_id, horizon_days
"""
"""Live forecasts of `$since` or later, due by `$session`, that are not entered as they are."""


def forecast_documents_of(outcomes: pl.DataFrame, night: Night) -> Iterator[PredictionOutcome]:
    """Make the documents of rows of `forecast_outcomes`; a portfolio stands where a symbol does."""
    own = ForecastOutcome.model_fields.keys()
    named = outcomes.rename({"portfolio_id": "symbol", "horizon_days": "horizon"})
    for row in named.sort("session", "symbol", "horizon").iter_rows(named=True):
        part = ForecastOutcome(**{name: row.pop(name) for name in own})
        yield PredictionOutcome(model_name="forecast", market=night.market, forecast=part, **row)
