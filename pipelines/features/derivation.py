"""How the feature tables of the lake follow from clean prices."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from pipelines.derivations import CHANGES, Cut, Derivation, Lot, Reach
from pipelines.features.catalogue import CORE_GROUPS, GROUPS
from pipelines.features.engine import reading_query
from pipelines.features.groups import FeatureGroup
from pipelines.features.inputs import (
    columns_read,
    reads_market,
    reads_market_regime,
    reads_regimes,
)
from pipelines.features.market_returns import MARKET
from pipelines.features.sql import leaf_names
from pipelines.regimes.tables import REGIME_STATES
from pipelines.tables import CLEAN_PRICES, FEATURE_TABLES, MARKET_RETURNS

KERNELS_REVISION = 2
"""Raised when the kernels give other bits for the same definitions."""

SHORT_LOOK_BACK = 64
"""Rows: groups that look back no farther are read together. Alpha158's look back 60."""
LONG_LOOK_BACK = 250
"""Rows: the other groups that look back no farther are read together, the core ones among them."""

_WHOLE_SESSIONS = f"""
    WITH span AS (SELECT min(from_session) AS first, max(to_session) AS last FROM {CHANGES})
    SELECT symbol, first AS from_session, last AS to_session
    FROM (
        SELECT symbol FROM {CHANGES} WHERE symbol <> '{MARKET}'
        UNION
        SELECT symbol FROM {CLEAN_PRICES.name}
        WHERE session BETWEEN (SELECT first FROM span) AND (SELECT last FROM span)
    ) CROSS JOIN span
"""
"""Where symbols are compared, a change of one moves all of its session: each session that a change
can reach is computed anew, with all symbols. In the everyday case that is the new one."""


def feature_derivation(group: FeatureGroup) -> Derivation:
    """Return how the table of a group follows from clean prices."""

    def computed(rows: pl.DataFrame) -> pl.DataFrame:
        # The compiler's import takes a second that definitions must not pay.
        from pipelines.features.kernels.frames import feature_frame

        return feature_frame(group, rows)

    told = (REGIME_STATES,) if reads_regimes(group.inputs) else ()
    return Derivation(
        table=FEATURE_TABLES[group.name],
        sources=(CLEAN_PRICES, *((MARKET_RETURNS,) if reads_market(group.inputs) else ()), *told),
        query=reading_query(
            group,
            source=f"{CLEAN_PRICES.name}_in_reach",
            regimes=f"{REGIME_STATES.name}_in_reach",
        ),
        scope=_WHOLE_SESSIONS if group.reads_other_symbols else Derivation.scope,
        transform=computed,
        revision=f"{group.version} kernels {KERNELS_REVISION}",
        reach=Reach(group.look_back, CLEAN_PRICES, (CLEAN_PRICES, *told)),
        cut=Cut.SESSIONS if group.reads_other_symbols else Cut.SYMBOLS,
        forward=_forward(group),
        reads=columns_read(leaf_names(group.expressions)),
    )


def _forward(group: FeatureGroup) -> int | None:
    """Return how many rows after a change depend on it; None for all.

    The market has no rows of its own to count: what it moves later than in its own session is
    derived up to today.
    """
    looks_back_at_market = reads_market_regime(group.inputs) and group.look_back > 0
    return None if reads_market(group.inputs) or looks_back_at_market else group.look_back


def joint_derivation(groups: Sequence[FeatureGroup]) -> Derivation:
    """Return how the tables of some groups follow from one reading of clean prices.

    A value is made of the rows that its own feature looks back on, however many more are read: so
    each table holds the bits that the group's own derivation gives.
    """
    first, *others = (FEATURE_TABLES[group.name] for group in groups)
    together = replace(groups[0], features=tuple(f for group in groups for f in group.features))
    return replace(feature_derivation(together), table=first, beside=tuple(others))


def feature_lots(groups: Iterable[FeatureGroup]) -> Iterator[Lot]:
    """Yield the groups in the lots that are read and committed together.

    What reads other symbols or regimes, or very far back, is a lot of its own. Core groups are a
    lot with the longest look-back of theirs, even the calendar: reading once costs less than what
    is computed on rows that a group alone would not have read. Alpha158's have one of their own,
    since a night would compute eleven tables on four times as many rows.
    """
    lots = defaultdict[str, list[FeatureGroup]](list)
    for group in groups:
        lots[_lot_name(group)].append(group)
    for members in lots.values():
        yield _lot({group.name: group for group in members})


def _lot_name(group: FeatureGroup) -> str:
    is_apart = group.reads_other_symbols or reads_regimes(group.inputs)
    if is_apart or group.look_back > LONG_LOOK_BACK:
        return group.name
    is_long = group in CORE_GROUPS or group.look_back > SHORT_LOOK_BACK
    return "long look-back" if is_long else "short look-back"


def _lot(groups: Mapping[str, FeatureGroup]) -> Lot:
    """Return the lot of some groups, by their names."""
    return Lot(
        tuple(feature_derivation(group) for group in groups.values()),
        lambda names: joint_derivation([groups[name] for name in names]),
    )


FEATURE_DERIVATIONS = {group.name: feature_derivation(group) for group in GROUPS}
