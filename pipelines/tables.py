"""Every lake table as data: columns, types, units, key and meaning.

DDL, Dagster column schemas, key checks and `docs/tables.md` are made from these entries. A table
that is not here does not exist in the lake.
"""

from collections.abc import Mapping

from pipelines.anomalies.tables import QUALITY_TABLES
from pipelines.evaluation.tables import EVALUATION_REQUESTS, EVALUATIONS
from pipelines.features.catalogue import GROUPS
from pipelines.features.groups import FeatureGroup
from pipelines.features.version_tables import VERSION_TABLES
from pipelines.forecasts.tables import FORECAST_TABLES
from pipelines.lifecycle.tables import LIFECYCLE_TABLES
from pipelines.regimes.tables import REGIME_TABLES
from pipelines.table import (
    BAR_COLUMNS,
    KNOWN_AT,
    REVISION_COLUMNS,
    SESSION,
    SYMBOL,
    Column,
    Table,
)

NIGHTS = Table(
    "nights",
    "Every night ever opened: one session of one market, seen from one instant.",
    ("market", "session"),
    (
        Column("market", "VARCHAR", "Where the data comes from: alpha_vantage, sample, simulated."),
        SESSION,
        Column("night_id", "VARCHAR", "Hash of market, session and as_of."),
        Column("as_of", "TIMESTAMPTZ", "The instant the night is seen from; never changed."),
        Column("origin", "VARCHAR", "'live' or 'backfill'."),
        Column("lake_snapshot", "BIGINT", "Lake version that was published.", nullable=True),
        Column("is_published", "BOOLEAN", "Whether its manifest was written; null if not.", True),
        Column("manifest", "VARCHAR", "Its manifest as JSON, without the runs.", nullable=True),
    ),
)

EXCHANGE_SESSIONS = Table(
    "exchange_sessions",
    "Sessions of the exchange up to the newest night, as the calendar had them.",
    ("session",),
    (
        SESSION,
        Column("closes_at", "TIMESTAMPTZ", "Close of the session, early closes included."),
    ),
)

CONSUMER_POSITIONS = Table(
    "consumer_positions",
    "How far each derived table has read its source; written in the transaction that derives.",
    ("consumer", "source"),
    (
        Column("consumer", "VARCHAR", "The table that is derived, or collection of prices."),
        Column("source", "VARCHAR", "The table that it is derived from."),
        Column("position", "BIGINT", "Last response_id or lake version that was taken in."),
        Column(
            "recipe",
            "VARCHAR",
            "Hash of how the consumer is derived, if it is; of a collection also of its marks.",
            True,
        ),
    ),
)

WATCHLISTS = Table(
    "watchlists",
    "Symbols on a watchlist of the backend's users, as the last night found them.",
    ("symbol",),
    (
        SYMBOL,
        Column("first_seen", "TIMESTAMPTZ", "The night's instant at which it was first on one."),
        Column("landed_at", "TIMESTAMPTZ", "The instant of the night that landed it last."),
    ),
)

VENDOR_BODIES = Table(
    "vendor_bodies",
    "Bodies of vendor answers exactly as they came, each distinct one kept once.",
    ("body_sha256",),
    (
        Column("body_sha256", "VARCHAR", "SHA-256 of the body's bytes."),
        Column("body", "BLOB", "The body, gzip-compressed."),
    ),
)

VENDOR_RESPONSES = Table(
    "vendor_responses",
    "Every answer of the vendor, refusals and faults too, in the order they came.",
    ("response_id",),
    (
        Column("response_id", "BIGINT", "Number of the answer, counted from 1."),
        Column("function", "VARCHAR", "The vendor function that was asked for."),
        Column("symbol", "VARCHAR", "The symbol that was asked for.", nullable=True),
        Column("request", "VARCHAR", "The query's parameters as JSON, without the key."),
        Column("fetched_at", "TIMESTAMPTZ", "When the answer came, by the market's clock."),
        Column("outcome", "VARCHAR", "'data', or the kind of refusal or fault."),
        Column("message", "VARCHAR", "What was wrong, without the key.", nullable=True),
        Column("body_sha256", "VARCHAR", "The body, in vendor_bodies.", nullable=True),
    ),
)

LISTINGS = Table(
    "listings",
    "Symbols that trade and symbols that have left, as the vendor last listed them.",
    ("symbol", "status"),
    (
        SYMBOL,
        Column("status", "VARCHAR", "'Active' or 'Delisted'; a symbol used again has both."),
        Column("name", "VARCHAR", "Name of the company or fund."),
        Column("exchange", "VARCHAR", "Exchange in the vendor's words, such as NYSE."),
        Column("asset_type", "VARCHAR", "'Stock' or 'ETF'."),
        Column("ipo_date", "DATE", "First day of trading.", nullable=True),
        Column("delisting_date", "DATE", "Last day of trading.", nullable=True),
        KNOWN_AT,
        Column("response_id", "BIGINT", "The vendor response that last changed the row."),
    ),
)

COMPANY_OVERVIEWS = Table(
    "company_overviews",
    "Companies as the vendor last described them; asked for once a quarter.",
    ("symbol",),
    (
        SYMBOL,
        Column("name", "VARCHAR", "Name of the company or fund.", nullable=True),
        Column("exchange", "VARCHAR", "Exchange in the vendor's words.", nullable=True),
        Column("asset_type", "VARCHAR", "Kind of security, 'Common Stock' or 'ETF'.", True),
        Column("sector", "VARCHAR", "Sector in the vendor's words.", nullable=True),
        Column("industry", "VARCHAR", "Industry in the vendor's words.", nullable=True),
        KNOWN_AT,
        Column("response_id", "BIGINT", "The vendor response that last changed the row."),
    ),
)

DAILY_PRICES = Table(
    "daily_prices",
    "Daily bars as the vendor last sent them, right or wrong.",
    ("symbol", "session"),
    (SYMBOL, SESSION, *BAR_COLUMNS, *REVISION_COLUMNS),
    is_history=True,
)

WEEKLY_PRICES = Table(
    "weekly_prices",
    "Weekly bars as the vendor last sent them, by which its daily ones are checked.",
    ("symbol", "session"),
    (
        SYMBOL,
        Column("session", "DATE", "Latest session of the week that the bar holds."),
        Column("open", "DOUBLE", "First price of the week as traded, in dollars."),
        Column("high", "DOUBLE", "Highest price of the week as traded, in dollars."),
        Column("low", "DOUBLE", "Lowest price of the week as traded, in dollars."),
        Column("close", "DOUBLE", "Last price of the week as traded, in dollars."),
        Column("volume", "BIGINT", "Shares traded in the week, not adjusted."),
        Column("adjusted_close", "DOUBLE", "The close adjusted for later splits and dividends."),
        Column("dividend_amount", "DOUBLE", "Cash dividends of the week, dollars a share."),
        *REVISION_COLUMNS,
    ),
)
"""A running week's bar gives way to the next one, which stands under a later session."""

INDEX_PRICES = Table(
    "index_prices",
    "Daily levels of whole markets and of implied volatility, as the vendor last sent them.",
    ("symbol", "session"),
    (
        Column("symbol", "VARCHAR", "The vendor's name of the index: SPX, NDX, COMP or VIX."),
        SESSION,
        Column("open", "DOUBLE", "First level of the session, in points.", nullable=True),
        Column("high", "DOUBLE", "Highest level of the session, in points.", nullable=True),
        Column("low", "DOUBLE", "Lowest level of the session, in points.", nullable=True),
        Column("close", "DOUBLE", "Last level of the session, in points; of VIX in percent."),
        Column("volume", "BIGINT", "Shares traded of all members; the vendor tells none.", True),
        *REVISION_COLUMNS,
    ),
)

CLEAN_PRICES = Table(
    "clean_prices",
    "Daily bars that break no hard rule, with total return chained forwards only.",
    ("symbol", "session"),
    (
        SYMBOL,
        SESSION,
        *BAR_COLUMNS,
        Column(
            "split_factor",
            "DOUBLE",
            "Product of all split coefficients up to the session: shares now for one at first.",
        ),
        Column(
            "total_return_index",
            "DOUBLE",
            "Value of one dollar held since the first session, dividends reinvested; 1 at first.",
        ),
        Column(
            "total_return_units",
            "DOUBLE",
            "Shares that this dollar is by now: it changes at splits and dividends alone.",
        ),
        KNOWN_AT,
    ),
    is_derived=True,
    is_history=True,
)

NEXT_SESSION_LABELS = Table(
    "next_session_labels",
    "What happened in the session after: the truth that signals are trained and judged on.",
    ("symbol", "session"),
    (
        SYMBOL,
        SESSION,
        Column("label_end", "DATE", "Session in which the label became known: the next one."),
        Column("next_session_return", "DOUBLE", "Total return of the next session, a fraction."),
        Column("is_up", "BOOLEAN", "Whether that return is above zero."),
    ),
    is_derived=True,
    is_history=True,
)

SIGNAL_SCORES = Table(
    "signal_scores",
    "Each night's opinion on each symbol's next session, or the reason for having none.",
    ("symbol", "session", "horizon"),
    (
        SYMBOL,
        SESSION,
        Column("horizon", "INTEGER", "Sessions ahead that the opinion is about."),
        Column("night_id", "VARCHAR", "The night that scored."),
        Column("origin", "VARCHAR", "'live' scores are never rewritten; 'backfill' ones may be."),
        Column("model_version", "BIGINT", "Version in the model registry.", nullable=True),
        Column("trained_through", "DATE", "Last label end the model has seen.", nullable=True),
        Column(
            "raw_probability", "DOUBLE", "The model's opinion, abstained or not.", nullable=True
        ),
        Column("probability", "DOUBLE", "Published chance that the next session ends higher."),
        Column("base_rate", "DOUBLE", "Share of higher sessions that the model was trained on."),
        Column("confidence", "DOUBLE", "0 to 1: how surely the probability differs from the base."),
        Column("recommendation", "VARCHAR", "strong_buy, buy, hold, sell or strong_sell."),
        Column("abstain_reason", "VARCHAR", "Why there is no opinion.", nullable=True),
        Column("contributions", "VARCHAR", "Feature contributions in log-odds, as JSON."),
        Column(
            "baseline_log_odds",
            "DOUBLE",
            "Log-odds of the probability less all contributions.",
            nullable=True,
        ),
    ),
)

SIGNAL_CHANGES = Table(
    "signal_changes",
    "What moved each symbol's probability since the session before, where both nights had an "
    "opinion. The parts are in probability and add up to the move.",
    ("symbol", "session", "horizon"),
    (
        SYMBOL,
        SESSION,
        Column("horizon", "INTEGER", "Sessions ahead that the opinion is about."),
        Column("night_id", "VARCHAR", "The night that scored."),
        Column("origin", "VARCHAR", "'live' changes are never rewritten; 'backfill' ones may be."),
        Column("former_session", "DATE", "The session before."),
        Column("former_model_version", "BIGINT", "The version that scored it."),
        Column("former_probability", "DOUBLE", "The opinion that was published then."),
        Column("data_revision", "DOUBLE", "By its features as they are known now."),
        Column("new_bar", "DOUBLE", "By tonight's features in their place."),
        Column("model", "DOUBLE", "By tonight's ensemble, on the former calibration line."),
        Column("calibration", "DOUBLE", "By tonight's calibration line."),
    ),
)

TRIALS = Table(
    "trials",
    "Every family of models ever tried out of sample, published or not: the count that the best of "
    "them must be judged against.",
    ("trial_id",),
    (
        Column("trial_id", "VARCHAR", "Hash of market, family, settings, features and data."),
        SESSION,
        Column("night_id", "VARCHAR", "The night that tried it first."),
        Column("family", "VARCHAR", "lightgbm, catboost, or average of both."),
        Column("is_published", "BOOLEAN", "Whether its models are the ones that score."),
        Column("settings_hash", "VARCHAR", "SHA-256 of the settings."),
        Column("settings", "VARCHAR", "All settings of the training, as JSON."),
        Column("features_version", "VARCHAR", "Hash of the feature definitions."),
        Column("data_hash", "VARCHAR", "SHA-256 of the predictions that were measured."),
        Column("metrics", "VARCHAR", "Out-of-sample figures with intervals, as JSON."),
    ),
)

TRIAL_RETURNS = Table(
    "trial_returns",
    "What each trial would have earned out of sample: entered at the next open, left at the open "
    "after.",
    ("trial_id", "session"),
    (
        Column("trial_id", "VARCHAR", "The trial, in trials."),
        SESSION,
        Column("gross_return", "DOUBLE", "Return on a dollar long and short together, a share."),
        Column("net_return", "DOUBLE", "The same after costs."),
        Column("turnover", "DOUBLE", "Dollars traded for a dollar held."),
        Column("positions", "BIGINT", "Symbols held."),
    ),
)


MARKET_RETURNS = Table(
    "market_returns",
    "The market's return of each session: the mean of all symbols that have one, two or more.",
    ("symbol", "session"),
    (
        Column("symbol", "VARCHAR", "`*`, all symbols."),
        SESSION,
        Column("mean_return", "DOUBLE", "Mean total return, each symbol with the same weight."),
        Column("symbols", "BIGINT", "Symbols in the mean."),
    ),
    is_derived=True,
)


def feature_table(group: FeatureGroup) -> Table:
    """Return the lake table that holds a group of features."""
    return Table(
        group.name,
        group.description,
        ("symbol", "session"),
        (
            SYMBOL,
            SESSION,
            *(
                Column(feature.name, "FLOAT", f"{feature.description} [{feature.unit}]", True)
                for feature in group.features
            ),
        ),
        is_derived=True,
        is_history=True,
    )


FEATURE_TABLES: Mapping[str, Table] = {group.name: feature_table(group) for group in GROUPS}
"""The table of each group of features, by the group's name."""

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        NIGHTS,
        EXCHANGE_SESSIONS,
        CONSUMER_POSITIONS,
        WATCHLISTS,
        VENDOR_BODIES,
        VENDOR_RESPONSES,
        LISTINGS,
        COMPANY_OVERVIEWS,
        DAILY_PRICES,
        WEEKLY_PRICES,
        INDEX_PRICES,
        *QUALITY_TABLES,
        CLEAN_PRICES,
        MARKET_RETURNS,
        *FEATURE_TABLES.values(),
        *VERSION_TABLES,
        NEXT_SESSION_LABELS,
        SIGNAL_SCORES,
        SIGNAL_CHANGES,
        TRIALS,
        TRIAL_RETURNS,
        *FORECAST_TABLES,
        *REGIME_TABLES,
        *LIFECYCLE_TABLES,
        EVALUATIONS,
        EVALUATION_REQUESTS,
    )
}


def tables_document(tables: Mapping[str, Table] = TABLES) -> str:
    """Return `docs/tables.md`: what each table of the lake holds."""
    return "# Tables of the lake\n\nMade by `make docs` from `pipelines/tables.py`.\n" + "".join(
        _table_section(table) for table in tables.values()
    )


def _table_section(table: Table) -> str:
    """Return one table's section of the document."""
    rows = "".join(
        f"| `{column.name}` | {column.type}{' or null' if column.nullable else ''} "
        f"| {column.description} |\n"
        for column in table.columns
    )
    return (
        f"\n## {table.name}\n\n{table.description} Key: {', '.join(table.key)}.\n\n"
        f"| column | type | meaning |\n| --- | --- | --- |\n{rows}"
    )
