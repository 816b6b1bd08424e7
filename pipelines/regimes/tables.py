"""Lake tables of regimes: fits that are made once, and each night's states."""

from pipelines.regimes.names import NAMES
from pipelines.table import SESSION, SYMBOL, Column, Table

REGIME_FITS = Table(
    "regime_fits",
    "Models of the market's regimes, one a year, each made of sessions before it alone; never "
    "changed, so that a past session is told by a model of its time and any night can be replayed.",
    ("applies_from", "recipe"),
    (
        Column("applies_from", "DATE", "First session that it may tell of."),
        Column("recipe", "VARCHAR", "Hash of settings and code; fits of another are not used."),
        Column("fitted_from", "DATE", "First session that it was made of."),
        Column("fitted_through", "DATE", "Last session that it was made of."),
        Column("night_id", "VARCHAR", "The night that made it."),
        Column("made_at", "TIMESTAMPTZ", "The instant of that night; earlier ones never use it."),
        Column("series", "VARCHAR", "What stands for the market, in words."),
        Column("candidate", "VARCHAR", "The chosen model: family, states, columns."),
        Column("log_score", "DOUBLE", "Log density of held-out market returns, nats a session."),
        Column("switches_per_year", "DOUBLE", "How often its label changed when held out."),
        Column("agreement", "DOUBLE", "Share of held-out sessions that two fits named alike."),
        Column("renamed", "INTEGER", "States whose name the fit changed."),
        Column("body", "VARCHAR", "Model, names, candidates, decision, as JSON."),
        Column("lake_snapshot", "BIGINT", "Version of the lake that it was made of.", True),
        Column("code_version", "VARCHAR", "Hash of the code that made it.", nullable=True),
        Column("run_id", "VARCHAR", "MLflow run with its evidence.", nullable=True),
    ),
)

REGIME_WITHDRAWALS = Table(
    "regime_withdrawals",
    "Fits that a person took back: nights told from then on use the fit before.",
    ("applies_from", "recipe"),
    (
        Column("applies_from", "DATE", "First session that the fit applied from."),
        Column("recipe", "VARCHAR", "The fit's recipe."),
        Column("withdrawn_at", "TIMESTAMPTZ", "When."),
        Column("withdrawn_by", "VARCHAR", "Who."),
        Column("reason", "VARCHAR", "Why."),
        Column("in_favour_of", "DATE", "First session of the fit that goes on."),
    ),
)

REGIME_STATES = Table(
    "regime_states",
    "The regime of the market (symbol MARKET) and of each symbol after each session, by what was "
    "known then.",
    ("symbol", "session"),
    (
        SYMBOL,
        SESSION,
        Column("night_id", "VARCHAR", "The night that told it."),
        Column("origin", "VARCHAR", "'live' states are never rewritten; 'backfill' ones may be."),
        Column("applies_from", "DATE", "The fit, in regime_fits; null without one.", True),
        Column("recipe", "VARCHAR", "The fit's recipe; null without one.", nullable=True),
        Column("regime", "VARCHAR", "The name that holds: hysteresis and minimum dwell included."),
        *(
            Column(name.value, "DOUBLE", f"Chance that the state is a {name.value} one.")
            for name in NAMES
        ),
        Column("sessions_in_regime", "INTEGER", "For how many sessions the name has stood."),
        Column(
            "expected_sessions", "DOUBLE", "Sessions it should go on; null: no end foreseen.", True
        ),
        Column("transition_risk", "DOUBLE", "Chance that it ends within five sessions."),
        Column("log_score", "DOUBLE", "Log density foretold of the session's return.", True),
        Column(
            "foretold",
            "VARCHAR",
            "Of the market: chance of each of the fit's states in the next session, as JSON.",
            True,
        ),
        Column("trailing_return_pct", "DOUBLE", "Return of the last 63 sessions, in percent."),
        Column("volatility_pct", "DOUBLE", "Deviation of their returns, percent a year."),
        Column("drawdown_pct", "DOUBLE", "Fall below their highest level, percent above zero."),
        Column("momentum_z", "DOUBLE", "Mean of their returns in its standard errors."),
        Column("last_seen", "DATE", "Newest session with a return, within the window.", True),
        Column("abstain_reason", "VARCHAR", "Why there is no regime.", True),
    ),
)

REGIME_CALLS = Table(
    "regime_calls",
    "Sessions whose changes of regime the webhook has taken; written after it did.",
    ("session",),
    (
        SESSION,
        Column("night_id", "VARCHAR", "The night that called."),
        Column("switches", "INTEGER", "How many changes of regime were sure enough to tell."),
        Column("called_at", "TIMESTAMPTZ", "The instant of that night."),
    ),
)

REGIME_TABLES = (REGIME_FITS, REGIME_WITHDRAWALS, REGIME_STATES, REGIME_CALLS)
"""In the order of the night."""
