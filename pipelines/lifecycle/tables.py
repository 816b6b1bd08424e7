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
            "'published': opinions as published; 'model': whatever a model said, abstained or not.",
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
    *(MODEL_REFERENCES, MODEL_FILES, MODEL_DRIFT, RETRAINING_DECISIONS),
)
