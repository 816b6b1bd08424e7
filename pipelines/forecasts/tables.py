"""Lake tables of the forecasts: portfolios, their values, fits, evaluations, what was published.

Fits, evaluations and published forecasts happened once and are kept for good: a night is made again
from them to the byte.
"""

from pipelines.forecasts.settings import PERCENTILES
from pipelines.table import SESSION, Column, Table

_PORTFOLIO = Column("portfolio_id", "VARCHAR", "Source and name, such as watchlist:<_id>.")
_DEFINITION = Column("definition_hash", "VARCHAR", "SHA-256 of the definition that it was made of.")
_HORIZON = Column("horizon_days", "INTEGER", "Sessions ahead.")
_AS_OF = Column("as_of", "TIMESTAMPTZ", "The instant that the night is seen from.")
_NIGHT = (
    Column("night_id", "VARCHAR", "The night that forecast."),
    Column("origin", "VARCHAR", "'live' forecasts are never rewritten; 'backfill' ones may be."),
)

PORTFOLIOS = Table(
    "portfolios",
    "Portfolios of the backend, the file and a recorded market, as the last night found them.",
    ("portfolio_id",),
    (
        _PORTFOLIO,
        Column("name", "VARCHAR", "Name for people."),
        Column("source", "VARCHAR", "universe, watchlist, backtest, execution or file."),
        Column("definition", "VARCHAR", "Weights, rebalancing, start and known values, as JSON."),
        _DEFINITION,
        Column("reason", "VARCHAR", "Code of why it can't be valued.", nullable=True),
        Column("message", "VARCHAR", "The same in words.", nullable=True),
        Column("landed_at", "TIMESTAMPTZ", "Instant of the night that landed it as it is."),
    ),
)

PORTFOLIO_EQUITY = Table(
    "portfolio_equity",
    "Value of each portfolio at each session, marked to market from clean prices.",
    ("portfolio_id", "session"),
    (_PORTFOLIO, SESSION, Column("value", "DOUBLE", "Value at the close, in dollars.")),
)

PORTFOLIO_FITS = Table(
    "portfolio_fits",
    "Every fit of a forecasting model to a portfolio, kept so that later nights go on from it.",
    ("portfolio_id", "model", "fitted_through", "definition_hash"),
    (
        _PORTFOLIO,
        Column("model", "VARCHAR", "Name of the model."),
        Column("fitted_through", "DATE", "Last session that the fit has seen."),
        _DEFINITION,
        Column("values_seen", "INTEGER", "How many values of the curve the fit lies behind."),
        Column("parameters", "VARCHAR", "The fit as JSON.", nullable=True),
        Column("fault", "VARCHAR", "Why there is none.", nullable=True),
        Column("recipe", "VARCHAR", "Code revision/sessions looked back on; null: 1/1000.", True),
    ),
)

PORTFOLIO_EVALUATIONS = Table(
    "portfolio_evaluations",
    "What each model, their pool and the calibrated pool were worth at each past session: weights "
    "and calibration are carried on from these. Lists go along `models`.",
    ("portfolio_id", "session", "horizon_days", "definition_hash", "pool_version"),
    (
        _PORTFOLIO,
        SESSION,
        _HORIZON,
        _DEFINITION,
        Column("matured", "DATE", "Session at which the outcome became known."),
        Column("outcome", "DOUBLE", "Log growth of the value over the horizon."),
        Column("models", "VARCHAR[]", "Members of the pool, then pool and published."),
        Column("crps", "DOUBLE[]", "Continuous ranked probability score of the log growth."),
        Column("hit", "DOUBLE[]", "Level of the outcome in the forecast distribution."),
        Column("width", "DOUBLE[]", "Width of the band from 5 to 95 %, in log growth."),
        Column("var_95", "DOUBLE[]", "Value at risk of 95 %, a share of the value."),
        Column("var_99", "DOUBLE[]", "Value at risk of 99 %."),
        Column("es_95", "DOUBLE[]", "Expected shortfall of 95 %."),
        Column("es_99", "DOUBLE[]", "Expected shortfall of 99 %."),
        Column("pool_version", "VARCHAR", "The pool in pool_decisions; null: the first one.", True),
    ),
)

PORTFOLIO_FORECASTS = Table(
    "portfolio_forecasts",
    "Each night's forecast of each portfolio, or the reason for having none.",
    ("portfolio_id", "session", "horizon_days"),
    (
        _PORTFOLIO,
        SESSION,
        _HORIZON,
        *_NIGHT,
        _DEFINITION,
        Column("abstain_reason", "VARCHAR", "Why there is no forecast.", nullable=True),
        Column("document", "VARCHAR", "The published document as JSON."),
    ),
)

PORTFOLIO_FORECAST_HISTORY = Table(
    "portfolio_forecast_history",
    "Every quantile ever published, session by session ahead, with its outcome once it is due. A "
    "superset of the backend's table of that name.",
    ("portfolio_id", "session", "horizon_days"),
    (
        _PORTFOLIO,
        SESSION,
        _HORIZON,
        *_NIGHT,
        _AS_OF,
        *(
            Column(f"p{percentile:02d}", "DOUBLE", f"Value at the {percentile} % quantile.")
            for percentile in PERCENTILES
        ),
        Column("expected_return_pct", "DOUBLE", "Mean return over the horizon, in per cent."),
        Column("expected_volatility_pct", "DOUBLE", "Deviation of that return, in per cent."),
        Column("last_portfolio_value", "DOUBLE", "Value that the forecast starts from."),
        Column("created_at", "TIMESTAMPTZ", "Instant of the night, as the backend's table has it."),
        Column("due_session", "DATE", "Session whose close decided it.", nullable=True),
        Column("outcome_value", "DOUBLE", "What the value came to.", nullable=True),
        Column("is_within_90", "BOOLEAN", "Whether that lay within p05 and p95.", nullable=True),
    ),
)

POOL_DECISIONS = Table(
    "pool_decisions",
    "Every decision about a pool of forecasting models: the first, and each challenge of another "
    "to the one that reigns; never changed, so that a night is made by the pool of its time.",
    ("session", "version"),
    (
        SESSION,
        Column("version", "VARCHAR", "Hash of the pool's models, settings and code revision."),
        Column("night_id", "VARCHAR", "The night that decided."),
        Column("decided_at", "TIMESTAMPTZ", "The instant of that night; earlier ones ignore it."),
        Column("verdict", "VARCHAR", "first, promoted, refreshed, kept or blocked."),
        Column("definition", "VARCHAR", "The pool's models, settings and revision, as JSON."),
        Column("decision", "VARCHAR", "Checklist, comparison and reason, as JSON."),
        Column("data_hash", "VARCHAR", "SHA-256 of the curves and scores that it rests on."),
        Column("lake_snapshot", "BIGINT", "Version of the lake that it was made of."),
        Column("code_version", "VARCHAR", "Hash of the code that decided."),
    ),
)

POOL_WITHDRAWALS = Table(
    "pool_withdrawals",
    "Pools that a person took back: nights from then on are forecast by the one before.",
    ("version",),
    (
        Column("version", "VARCHAR", "The pool."),
        Column("withdrawn_at", "TIMESTAMPTZ", "When."),
        Column("withdrawn_by", "VARCHAR", "Who."),
        Column("reason", "VARCHAR", "Why."),
        Column("in_favour_of", "VARCHAR", "The pool that goes on."),
    ),
)

FORECAST_TABLES = (
    PORTFOLIOS,
    PORTFOLIO_EQUITY,
    PORTFOLIO_FITS,
    PORTFOLIO_EVALUATIONS,
    PORTFOLIO_FORECASTS,
    PORTFOLIO_FORECAST_HISTORY,
    POOL_DECISIONS,
    POOL_WITHDRAWALS,
)
