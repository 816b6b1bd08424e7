"""Labels: what the next session brought, and when that was known.

A label exists where the symbol has a row in the market's next session. On the last session, and
before a gap, there is none: an unknown future is not a class.
"""


def label_query(*, source: str, sessions: str, changes: str | None = None) -> str:
    """Return the statement whose rows are those of `next_session_labels`.

    Columns: symbol, session, label_end (the next session, a DATE), next_session_return (a fraction)
    and is_up. With `changes` it yields the labels with label_end ≥ from_session of the symbols that
    changed: a change at a session moves the label of the session before it too. The writer replaces
    all labels with label_end ≥ from_session of those symbols, so that a lost row takes its labels
    along.

    Args:
        source: relation with symbol, session and total_return_index.
        sessions: relation with the market's sessions in a column `session`; repeats are allowed.
        changes: relation (symbol, from_session), several rows of a symbol allowed.
    """
    changed, is_affected = "", ""
    if changes is not None:
        changed = (
            "changed AS (SELECT symbol, min(from_session) AS from_session"
            f" FROM {changes} GROUP BY symbol),\n"
        )
        is_affected = "JOIN changed USING (symbol) WHERE next_session >= from_session"
    # MATERIALIZED keeps the two joins apart. Planned together, DuckDB met the rows of a symbol all
    # against all: one night of 1,000 symbols x 4,000 sessions took 341 s.
    return f"""WITH {changed}calendar AS (
  SELECT session, lead(session) OVER (ORDER BY session) AS next_session
  FROM (SELECT DISTINCT session FROM {sessions})
), today AS MATERIALIZED (
  SELECT bar.symbol, bar.session, next_session, bar.total_return_index
  FROM {source} AS bar
  JOIN calendar USING (session)
  {is_affected}
), outcomes AS (
  SELECT
    today.symbol,
    today.session,
    next_session AS label_end,
    next_day.total_return_index / nullif(today.total_return_index, 0) - 1 AS next_session_return
  FROM today
  JOIN {source} AS next_day
    ON next_day.symbol = today.symbol AND next_day.session = today.next_session
)
SELECT *, next_session_return > 0 AS is_up FROM outcomes WHERE isfinite(next_session_return)
ORDER BY symbol, session"""
