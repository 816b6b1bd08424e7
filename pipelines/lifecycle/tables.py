"""Lake tables of the lifecycle: what came of predictions, and the records made of it."""

from pipelines.table import SESSION, SYMBOL, Column, Table

PREDICTION_OUTCOMES = Table(
    "prediction_outcomes",
    "What came of each live signal, entered when it was due. Backfilled ones have none: whoever "
    "makes them could know how they ended.",
    ("symbol", "session", "horizon"),
    (
        SYMBOL,
        SESSION,
        Column("horizon", "INTEGER", "Sessions ahead that the signal was about."),
        Column("night_id", "VARCHAR", "The night that said so."),
        Column("model_version", "BIGINT", "Version in the model registry.", nullable=True),
        Column("raw_probability", "DOUBLE", "The model's own opinion, abstained or not.", True),
        Column("probability", "DOUBLE", "The chance that was published."),
        Column("base_rate", "DOUBLE", "Share of higher sessions that the model was trained on."),
        Column("recommendation", "VARCHAR", "strong_buy, buy, hold, sell or strong_sell."),
        Column("abstain_reason", "VARCHAR", "Why there was no opinion.", nullable=True),
        Column("due_session", "DATE", "Session whose close decided it: the next one."),
        Column("next_session_return", "DOUBLE", "Total return of that session, a fraction."),
        Column("is_up", "BOOLEAN", "Whether that return is above zero."),
        Column("exit_session", "DATE", "Session after due_session, with a bar.", nullable=True),
        Column(
            "next_open_return",
            "DOUBLE",
            "Return from the open of due_session to that of exit_session; null until then.",
            nullable=True,
        ),
        Column("entered_at", "TIMESTAMPTZ", "as_of of the night that last changed the row."),
    ),
)
"""A revised price corrects the outcomes of the last year; older ones stand as they are."""

TRACK_RECORDS = Table(
    "track_records",
    "What live signals were worth by the outcomes known at each night, by model version and "
    "length of the record. A live night's is never rewritten.",
    ("session", "basis", "model_version", "window_sessions"),
    (
        SESSION,
        Column(
            "basis",
            "VARCHAR",
            "'published': opinions as published; 'model': whatever a model said, abstained or not. "
            "With _in_ and the regime where it counts that one's sessions alone.",
        ),
        Column("model_version", "VARCHAR", "Version in the model registry, or 'all'."),
        Column("window_sessions", "INTEGER", "The newest sessions with an outcome: at most these."),
        Column("night_id", "VARCHAR", "The night that measured."),
        Column("origin", "VARCHAR", "'live' records are never rewritten; 'backfill' ones may be."),
        Column("rows", "BIGINT", "Outcomes measured."),
        Column("sessions", "BIGINT", "Sessions that they are of."),
        Column("first_session", "DATE", "The first of these."),
        Column("last_session", "DATE", "The last of these."),
        Column("figures", "VARCHAR", "Each figure with its 95 % interval, as JSON."),
        Column("note", "VARCHAR", "Why figures are missing.", nullable=True),
        Column(
            "regime",
            "VARCHAR",
            "Of sessions after which the market's published regime was this; null: of all.",
            nullable=True,
        ),
    ),
)

REGIME_OUTCOMES = Table(
    "regime_outcomes",
    "What came of each live regime that had an opinion: at horizon 1 the next session's return "
    "against what was foretold of it, at horizon 5 whether the regime that was told has ended.",
    ("symbol", "session", "horizon"),
    (
        SYMBOL,
        SESSION,
        Column("horizon", "INTEGER", "Sessions ahead: 1 for the return, 5 for the end."),
        Column("night_id", "VARCHAR", "The night that told it."),
        Column("model_version", "VARCHAR", "First session of its fit and the fit's recipe."),
        Column("regime", "VARCHAR", "The name that was told."),
        Column("transition_risk", "DOUBLE", "Chance that was given to its end within five."),
        Column("due_session", "DATE", "Session whose close decided it."),
        Column("realised_return", "DOUBLE", "Return of that session, a fraction.", True),
        Column("is_hit", "BOOLEAN", "Bullish and it rose, bearish and it fell; else null.", True),
        Column("has_ended", "BOOLEAN", "Whether another name was told within five.", True),
        Column("log_score", "DOUBLE", "Log density foretold of the market's log return.", True),
        Column("log_score_baseline", "DOUBLE", "The same of one normal for all sessions.", True),
        Column("crps", "DOUBLE", "Continuous ranked probability score of that return.", True),
        Column("crps_baseline", "DOUBLE", "The same of one normal for all sessions.", True),
        Column("level", "DOUBLE", "Probability integral transform of that return.", True),
        Column("entered_at", "TIMESTAMPTZ", "as_of of the night that last changed the row."),
    ),
)

FORECAST_OUTCOMES = Table(
    "forecast_outcomes",
    "What came of each live portfolio forecast at the horizons that are published.",
    ("portfolio_id", "session", "horizon_days"),
    (
        Column("portfolio_id", "VARCHAR", "Source and name, such as watchlist:<_id>."),
        SESSION,
        Column("horizon_days", "INTEGER", "Sessions ahead."),
        Column("night_id", "VARCHAR", "The night that forecast."),
        Column("model_version", "VARCHAR", "The pool, and :model where that was published for it."),
        Column("due_session", "DATE", "Session whose close decided it."),
        Column("realised_return_pct", "DOUBLE", "Return over the horizon, per cent."),
        Column("is_within_90", "BOOLEAN", "Whether the value lay within p05 and p95."),
        Column("is_below_5", "BOOLEAN", "Whether it fell short of p05: VaR of 95 % exceeded."),
        Column("is_below_1", "BOOLEAN", "Whether it fell short of p01: VaR of 99 % exceeded."),
        Column("pinball_pct", "DOUBLE", "Mean pinball loss of the nine quantiles, % of value."),
        Column("crps", "DOUBLE", "CRPS of the calibrated pool, log growth.", nullable=True),
        Column("crps_baseline", "DOUBLE", "CRPS of the random walk, log growth.", nullable=True),
        Column("entered_at", "TIMESTAMPTZ", "as_of of the night that last changed the row."),
    ),
)

FAMILY_RECORDS = Table(
    "family_records",
    "What live regimes and forecasts were worth by the outcomes known at each night, by model "
    "version and length of the record. A live night's is never rewritten.",
    ("session", "model_name", "basis", "model_version", "window_sessions"),
    (
        SESSION,
        Column("model_name", "VARCHAR", "regime or forecast."),
        Column("basis", "VARCHAR", "Whom it is of, sessions ahead, _in_ and the regime."),
        *TRACK_RECORDS.columns[2:],
    ),
)

MODEL_REFERENCES = Table(
    "model_references",
    "What each version learned from, made at its training: how every feature, the log-odds and the "
    "next return were spread, how far months lie from that, and what each feature is worth.",
    ("model_version", "feature"),
    (
        Column("model_version", "BIGINT", "Version in the model registry."),
        Column("feature", "VARCHAR", "The feature; or 'prediction' (log-odds), 'label' (return)."),
        Column("importance", "DOUBLE", "Share of all absolute SHAP values.", nullable=True),
        Column("correlation", "DOUBLE", "Correlation with the next session's return.", True),
        Column("edges", "VARCHAR", "Inner edges of bins of about equal count, as JSON."),
        Column("shares", "VARCHAR", "Share of each bin and of missing values, as JSON."),
        Column("log_ks_mean", "DOUBLE", "Mean log KS distance of the months of training."),
        Column("log_ks_deviation", "DOUBLE", "Standard deviation of the same."),
        Column("months", "BIGINT", "Months of training, of 21 sessions each."),
    ),
)

MODEL_DRIFT = Table(
    "model_drift",
    "How far the last 21 sessions lie from what the champion learned from, by night.",
    ("session", "metric"),
    (
        SESSION,
        Column("metric", "VARCHAR", "A feature, 'prediction', 'label' or 'live_auc'."),
        Column("night_id", "VARCHAR", "The night that measured."),
        Column("model_version", "BIGINT", "The champion of the night."),
        Column("metric_value", "DOUBLE", "PSI; of live_auc the upper end of its 95 % interval."),
        Column("threshold", "DOUBLE", "From where it counts."),
        Column("ks", "DOUBLE", "KS distance at the edges of the bins.", nullable=True),
        Column("p_value", "DOUBLE", "Chance of a month of training so far off.", nullable=True),
        Column("importance", "DOUBLE", "Share of all absolute SHAP values.", nullable=True),
        Column("is_significant", "BOOLEAN", "Whether it is a drift, false discoveries bounded."),
        Column("severity", "VARCHAR", "low, medium, high or critical."),
        Column("since", "DATE", "Session since which it is a drift each night.", nullable=True),
        Column("message", "VARCHAR", "What was found, in words."),
        Column("remedy", "VARCHAR", "What a person should do."),
    ),
)

RETRAINING_DECISIONS = Table(
    "retraining_decisions",
    "Whether each night asked for a training, and why it did or did not.",
    ("session",),
    (
        SESSION,
        Column("night_id", "VARCHAR", "The night that decided."),
        Column("trains", "BOOLEAN", "Whether it asked for one."),
        Column("reason", "VARCHAR", "Why, in words."),
        Column("weighted_psi", "DOUBLE", "Mean PSI of features, each counted by its importance."),
        Column("drifting", "BIGINT", "Quantities that drift."),
        Column("trained_through", "DATE", "How far the newest training has seen.", nullable=True),
    ),
)

MODEL_FILES = Table(
    "model_files",
    "Which versions of signal models MLflow was given, and the hash of each one's file: what a "
    "registry that is made again is held against.",
    ("model_version",),
    (
        Column("model_version", "BIGINT", "Version in the model registry."),
        Column("market", "VARCHAR", "Market that it was trained on."),
        Column("run_id", "VARCHAR", "Its training's run in MLflow."),
        Column("trained_through", "DATE", "The last label that it has seen."),
        Column("data_hash", "VARCHAR", "Hash of the rows that it was fitted on."),
        Column("file_sha256", "VARCHAR", "SHA-256 of its file, hexadecimal."),
    ),
)

LIFECYCLE_TABLES = (
    *(PREDICTION_OUTCOMES, TRACK_RECORDS),
    *(REGIME_OUTCOMES, FORECAST_OUTCOMES, FAMILY_RECORDS),
    *(MODEL_REFERENCES, MODEL_FILES, MODEL_DRIFT, RETRAINING_DECISIONS),
)
