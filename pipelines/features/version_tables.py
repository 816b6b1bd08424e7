"""Lake tables that tell what features have been, where old values are, and what was trained on."""

from pipelines.table import KNOWN_AT, Column, Table

FEATURE_VERSIONS = Table(
    "feature_versions",
    "Every version that a feature has ever had. A version is the hash of the formula with the "
    "versions of its operators and the definitions of its inputs, so that it follows by itself; "
    "its number is for people.",
    ("feature", "version"),
    (
        Column("feature", "VARCHAR", "Name of the feature."),
        Column("version", "VARCHAR", "Hash of expression tree, operators and inputs."),
        Column("number", "VARCHAR", "1.0.0 at first; a breaking change raises its first place."),
        Column("table_name", "VARCHAR", "The table that holds it."),
        Column("formula", "VARCHAR", "The expression as it is written."),
        Column("sql", "VARCHAR", "The statement that computes it from clean_prices."),
        Column("look_back", "INTEGER", "Rows of the symbol before its own that a value needs."),
        Column("unit", "VARCHAR", "What a value counts."),
        Column("description", "VARCHAR", "What it says, for a reader who knows markets."),
        Column("lowest", "DOUBLE", "Least possible value; null for no bound.", nullable=True),
        Column("highest", "DOUBLE", "Greatest possible value; null for no bound.", nullable=True),
        Column("changelog", "VARCHAR", "What changed, and by how much the values did."),
        Column("is_breaking", "BOOLEAN", "Whether its values are others than before."),
        Column("night_id", "VARCHAR", "The night that derived it first."),
        KNOWN_AT,
    ),
)

FEATURE_TABLE_VERSIONS = Table(
    "feature_table_versions",
    "Which versions of its features each feature table held, and from which version of the lake to "
    "which; the last one is kept by the job maintenance, so that old values stay readable.",
    ("table_name", "first_snapshot"),
    (
        Column("table_name", "VARCHAR", "The feature table."),
        Column("first_snapshot", "BIGINT", "First lake version seen with all of these values."),
        Column("last_snapshot", "BIGINT", "Last lake version seen with them."),
        Column("group_version", "VARCHAR", "Hash of names and versions of the features."),
        Column("features", "VARCHAR", "Version of each feature, as JSON by its name."),
        Column("night_id", "VARCHAR", "The night that derived them first."),
    ),
)

TRAINING_SETS = Table(
    "training_sets",
    "The rows that models were trained on, by name: from it `make training-set` makes them again, "
    "to the byte. The lake versions that are named here are kept.",
    ("training_set_id",),
    (
        Column("training_set_id", "VARCHAR", "Hash of the name; models carry it as a tag."),
        Column("name", "VARCHAR", "Features with versions, lake version, universe, range: JSON."),
        Column("lake_snapshot", "BIGINT", "The lake version that it is read at."),
        Column("row_count", "BIGINT", "Rows."),
        Column("symbols", "BIGINT", "Symbols."),
        Column("features", "BIGINT", "Features."),
        Column("first_session", "DATE", "First session of a row."),
        Column("last_session", "DATE", "Last session of a row."),
        Column("observed_rows", "BIGINT", "Rows whose bar was seen at its time, not assumed."),
        Column("content_sha256", "VARCHAR", "SHA-256 of the rows as an Arrow stream."),
        Column("night_id", "VARCHAR", "The night that trained on it first."),
        KNOWN_AT,
    ),
)

VERSION_TABLES = (FEATURE_VERSIONS, FEATURE_TABLE_VERSIONS, TRAINING_SETS)
