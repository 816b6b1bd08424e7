"""Statements that compute a group of features from `clean_prices`, whole or from a change on.

They are the reference, and what a reader of a definition sees; the lake's tables are computed by
compiled kernels from what `reading_query` reads. Both forms of the statement give the same bits: a
value is one fixed sequence of operations on the rows at or before it, wherever the reading began.
Running the statements belongs to `resources`.
"""

from pipelines.features.groups import FeatureGroup
from pipelines.features.inputs import LEAVES, bars_relation, leaf_column, leaf_columns
from pipelines.features.sql import feature_stages, leaf_names


def feature_query(group: FeatureGroup, *, source: str, changes: str | None = None) -> str:
    """Return the statement whose rows are (symbol, session, one FLOAT for each feature).

    With `changes` it yields the rows with session ≥ from_session of the symbols that changed, and
    reads `group.look_back` earlier rows of each. A row that a change removed is not among them: the
    writer replaces all rows with session ≥ from_session of those symbols. For a session-wide group
    `changes` must name every symbol with the same from_session.

    Args:
        group: the features.
        source: relation with the columns of `clean_prices`.
        changes: relation (symbol, from_session), several rows of a symbol allowed.
    """
    asked = "" if changes is None else "session >= (SELECT min(from_session) FROM changed)"
    ctes, last, selected = feature_stages(group.expressions, base="bars", rows=asked)
    leaves = leaf_names(group.expressions)
    columns, relation = leaf_columns(leaves), bars_relation(source, leaves)
    bars = f"bars AS NOT MATERIALIZED (\n  SELECT bar.symbol, bar.session,\n    {columns}\n  FROM "
    rows = f"SELECT symbol, session, {selected} FROM {last}"
    if changes is None:
        return _statement([f"{bars}{relation}\n)", *ctes], rows)
    reading = f"""{relation}
  JOIN starts ON starts.symbol = bar.symbol WHERE bar.session >= starts.start"""
    return _statement(
        [*_starts(source, changes, group.look_back), f"{bars}{reading}\n)", *ctes],
        f"{rows} JOIN changed USING (symbol) WHERE session >= from_session",
    )


def reading_query(group: FeatureGroup, *, source: str, regimes: str = "regime_states") -> str:
    """Return the statement whose rows the kernels compute a group from, in no order.

    Columns: symbol, session, is_wanted (whether the row's values are asked for, or it is one of the
    `group.look_back` rows before), and the leaves that the group reads, but for those that the date
    alone tells: six of them took a tenth of a build's processor time.

    Args:
        group: the features.
        source: relation with the columns of `clean_prices` and is_wanted.
        regimes: relation with the rows of `regime_states` of symbols.
    """
    leaves = leaf_names(group.expressions)
    read = [name for name in leaves if not LEAVES[name].is_of_day]
    columns = ",\n    ".join(["bar.symbol, bar.session, bar.is_wanted", *map(leaf_column, read)])
    return f"SELECT {columns}\n  FROM {bars_relation(source, leaves, regimes=regimes)}"


def feature_statistics_query(group: FeatureGroup, *, table: str) -> str:
    """Return the statement that describes each feature of a table, one row a feature.

    Columns: feature, row_count, null_share, mean, std, minimum, maximum, and the quantiles q05,
    q25, q50, q75, q95. Quantiles come from a t-digest: right for a catalogue, not for an exact
    comparison.
    """
    names = ", ".join(group.expressions)
    quantiles = ", ".join(
        f"quantiles[{i}] AS q{q:02d}" for i, q in enumerate((5, 25, 50, 75, 95), 1)
    )
    return f"""WITH values_long AS (
  SELECT feature, value
  FROM (SELECT {names} FROM {table}) UNPIVOT INCLUDE NULLS (value FOR feature IN ({names}))
), described AS (
  SELECT
    feature,
    count(*) AS row_count,
    1 - count(value) / count(*) AS null_share,
    avg(value) AS mean,
    stddev_samp(value) AS std,
    min(value) AS minimum,
    max(value) AS maximum,
    approx_quantile(value, [0.05, 0.25, 0.5, 0.75, 0.95]) AS quantiles
  FROM values_long
  GROUP BY feature
)
SELECT * EXCLUDE (quantiles), {quantiles} FROM described ORDER BY feature"""


def feature_extremes_query(group: FeatureGroup, *, table: str) -> str:
    """Return the statement for `feature`, `minimum` and `maximum`, one row a feature of a table."""
    pairs = ", ".join(
        f"{{'feature': '{name}', 'minimum': min({name}), 'maximum': max({name})}}"
        for name in group.expressions
    )
    return f"SELECT unnest([{pairs}], recursive := true) FROM {table}"


def _starts(source: str, changes: str, look_back: int) -> list[str]:
    """Return the relations that say from where each changed symbol must be read."""
    changed = (
        "changed AS MATERIALIZED (\n  SELECT symbol, min(from_session) AS from_session"
        f" FROM {changes} GROUP BY symbol\n)"
    )
    if look_back == 0:
        return [changed, "starts AS (SELECT symbol, from_session AS start FROM changed)"]
    # max(x, n) keeps the n latest sessions in a heap: no sort over the history.
    earlier = (
        f"SELECT bar.symbol, list_min(max(bar.session, {look_back})) AS start\n"
        f"  FROM {source} AS bar JOIN changed USING (symbol)\n"
        "  WHERE bar.session < changed.from_session GROUP BY bar.symbol"
    )
    return [
        changed,
        f"earlier AS (\n  {earlier}\n)",
        "starts AS MATERIALIZED (\n"
        "  SELECT symbol, coalesce(earlier.start, from_session) AS start\n"
        "  FROM changed LEFT JOIN earlier USING (symbol)\n)",
    ]


def _statement(ctes: list[str], rows: str) -> str:
    relations = ",\n".join(ctes)
    return f"WITH {relations}\n{rows}"
