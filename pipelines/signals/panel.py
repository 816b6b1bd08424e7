"""What models read: the features of every group, and beside them what the next session brought."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from pipelines.features.groups import FeatureGroup, feature_names
from pipelines.table import IN_SESSIONS
from pipelines.tables import CLEAN_PRICES, EXCHANGE_SESSIONS, NEXT_SESSION_LABELS


@dataclass(frozen=True)
class PanelSource:
    """Which features are read from which tables, and as of which version of the lake.

    `at` stands behind each table, as `AT (VERSION => 7)`; empty for the newest.
    """

    tables: Sequence[str]
    names: Sequence[str]
    at: str = ""

    @classmethod
    def of(cls, groups: Sequence[FeatureGroup]) -> Self:
        """Return the tables of groups as they stand."""
        return cls([group.name for group in groups], feature_names(groups))


def panel_query(source: PanelSource) -> str:
    """Return SQL for the rows that a model scoring `$session` may be trained on.

    Only labels that ended before `$session` are there: a label is known when its last session is
    over. Rows come in a fixed order, so that the same data make the same model.

    `next_open_return` is what a trade on the row earns that enters at the open of label_end and
    leaves at the open of `exit_session`, the session after; both are null while that open lies in
    the future. It is never learned from, only measured.
    """
    return f"""
        WITH {trades("session < $session", at=source.at)}
        SELECT symbol, session, label_end, next_session_return, is_up,
               exit_session, next_open_return, {", ".join(source.names)}
        FROM {NEXT_SESSION_LABELS.name} {source.at}
        JOIN {_joined(source)} USING (symbol, session)
        LEFT JOIN trades USING (symbol, label_end)
        WHERE label_end < $session
        ORDER BY session, symbol
    """


def features_query(groups: Sequence[FeatureGroup], *, at: str = "") -> str:
    """Return SQL for the features of `$sessions`, which a model scores; `at` as in a source."""
    source = replace(PanelSource.of(groups), at=at)
    return f"""
        SELECT symbol, session, {", ".join(source.names)}
        FROM {_joined(source)}
        WHERE {IN_SESSIONS}
        ORDER BY session, symbol
    """


def trades(scope: str, *, at: str = "") -> str:
    """Return the common table expressions of `trades`: symbol, label_end, exit, its return.

    The open stands on the total-return index by its share of the close. A symbol without a clean
    bar in the session after label_end has no exit. `scope` says which sessions there are.
    """
    return f"""calendar AS (
          SELECT session, lead(session) OVER (ORDER BY session) AS next_session
          FROM {EXCHANGE_SESSIONS.name} {at} WHERE {scope}
        ), opens AS (
          SELECT symbol, session, total_return_index * open / close AS value
          FROM {CLEAN_PRICES.name} {at} WHERE {scope}
        ), holdings AS MATERIALIZED (
          SELECT symbol, session, lead(session) OVER bars AS exit_session,
                 lead(value) OVER bars / value - 1 AS next_open_return
          FROM opens WINDOW bars AS (PARTITION BY symbol ORDER BY session)
        ), trades AS (
          SELECT symbol, holdings.session AS label_end, exit_session, next_open_return
          FROM holdings JOIN calendar
            ON calendar.session = holdings.session AND next_session = exit_session
        )"""


def _joined(source: PanelSource) -> str:
    """Return the tables of all groups as one relation: each has a row for every clean price."""
    first, *others = source.tables
    return f"{first} {source.at}" + "".join(
        f" JOIN {other} {source.at} USING (symbol, session)" for other in others
    )
