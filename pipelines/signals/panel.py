"""What models read: the features of every group, and beside them what the next session brought."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
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


@dataclass(frozen=True)
class PanelSpan:
    """Sessions of a panel that are read at a time: `first` and later, but before `before`.

    The bars that their trades take end with `exits`.
    """

    first: date
    before: date
    exits: date

    @property
    def rows(self) -> str:
        """SQL that holds for its rows; literals, which leave the files of other years shut."""
        return f"session >= DATE '{self.first}' AND session < DATE '{self.before}'"

    @property
    def bars(self) -> str:
        """SQL that holds for the bars that the trades of its rows take."""
        return f"session >= DATE '{self.first}' AND session <= DATE '{self.exits}'"


def yearly_spans(sessions: Sequence[date], *, first: date, before: date) -> list[PanelSpan]:
    """Return the spans of a panel, a calendar year each, as the lake's files are cut.

    A trade on the last row of a year leaves two sessions later, in the next one.

    Args:
        sessions: The market's, ascending.
        first: First session of the panel.
        before: No row of the panel is of this session or later.
    """
    within = [session for session in sessions if first <= session < before]
    afterwards = [*within[1:], before]
    starts = [
        (later, exits)
        for earlier, later, exits in zip(within, within[1:], afterwards[1:], strict=False)
        if later.year > earlier.year
    ]
    ends = pairwise([(first, first), *starts, (before, before)])
    return [PanelSpan(begin, end, exits) for (begin, _), (end, exits) in ends]


def panel_query(source: PanelSource, span: PanelSpan | None = None) -> str:
    """Return SQL for the rows that a model scoring `$session` may be trained on.

    Only labels that ended before `$session` are there: a label is known when its last session is
    over. Rows come in a fixed order, so that the same data make the same model.

    `next_open_return` is what a trade on the row earns that enters at the open of label_end and
    leaves at the open of `exit_session`, the session after; both are null while that open lies in
    the future. It is never learned from, only measured. With a span only its rows are read.
    """
    bars, rows = ("TRUE", "TRUE") if span is None else (span.bars, span.rows)
    return f"""
        WITH {trades(f"session < $session AND {bars}", at=source.at)}
        SELECT symbol, session, label_end, next_session_return, is_up,
               exit_session, next_open_return, {", ".join(source.names)}
        FROM {NEXT_SESSION_LABELS.name} {source.at}
        JOIN {_joined(source)} USING (symbol, session)
        LEFT JOIN trades USING (symbol, label_end)
        WHERE label_end < $session AND {rows}
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
