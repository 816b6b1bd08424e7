"""The kinds of faults that can be injected, and what counts as having found one."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipelines.anomalies.fault_injection.adjustments import (
    adjusted_close_drift,
    dividend_missing,
    dividend_nowhere,
    dividend_twice,
)
from pipelines.anomalies.fault_injection.bars import (
    impossible_bar,
    partial_bar,
    volume_spike,
    volume_unit,
    zero_volume,
)
from pipelines.anomalies.fault_injection.levels import (
    split_applied_twice,
    split_not_applied,
    split_on_some_rows,
    unit_of_bar,
    unit_of_field,
    unit_of_run,
    wrong_symbol,
)
from pipelines.anomalies.fault_injection.sequences import (
    duplicate_bar,
    gap,
    off_session,
    repeated_row,
    shrinking_body,
    stale_run,
)
from pipelines.anomalies.fault_injection.series import FaultFunction
from pipelines.anomalies.fault_injection.weeks import weekly_mismatch

HARD_RECALL, SOFT_RECALL = 0.99, 0.95


@dataclass(frozen=True)
class FaultKind:
    """A way in which vendors err.

    Attributes:
        name: The key in FAULT_KINDS.
        harm: Does it to one symbol.
        is_hard: Whether it must be found as HIGH or above, which keeps it from every model; else
            MEDIUM is enough.
        asked_recall: Share of faults that must be found; None where nothing is asked.
        sessions_after: Sessions after the last wrong one that may still tell of it.
        loses_donor: Whether the donor of wrong bars is a symbol that nobody watches.
    """

    name: str
    harm: FaultFunction
    is_hard: bool
    asked_recall: float | None
    sessions_after: int = 0
    loses_donor: bool = False

    @property
    def needs_donor(self) -> bool:
        """Whether the fault takes another symbol's bars."""
        return self.harm is wrong_symbol

    @property
    def description(self) -> str:
        """What the fault does, in a sentence."""
        return (self.harm.__doc__ or "").split("\n", maxsplit=1)[0]


def _hard(harm: FaultFunction) -> FaultKind:
    """Return a kind that must be withheld."""
    return FaultKind(harm.__name__, harm, is_hard=True, asked_recall=HARD_RECALL)


def _soft(harm: FaultFunction, sessions_after: int = 0) -> FaultKind:
    """Return a kind that a person should look at."""
    return FaultKind(
        harm.__name__,
        harm,
        is_hard=False,
        asked_recall=SOFT_RECALL,
        sessions_after=sessions_after,
    )


def _shown(harm: FaultFunction, name: str = "", *, loses_donor: bool = False) -> FaultKind:
    """Return a kind of which nothing is asked, but which is measured."""
    return FaultKind(
        name or harm.__name__, harm, is_hard=False, asked_recall=None, loses_donor=loses_donor
    )


FAULT_KINDS: Mapping[str, FaultKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            _hard(impossible_bar),
            _hard(duplicate_bar),
            _hard(unit_of_bar),
            _hard(unit_of_field),
            _hard(unit_of_run),
            _hard(split_not_applied),
            _hard(split_applied_twice),
            _hard(split_on_some_rows),
            _hard(wrong_symbol),
            _hard(off_session),
            _soft(stale_run),
            # A session that is missing may be told of when the next bar comes.
            _soft(gap, sessions_after=1),
            _soft(volume_spike),
            _soft(volume_unit),
            # The bar after a wrong adjustment changes by as much, back again.
            _soft(adjusted_close_drift, sessions_after=1),
            _soft(dividend_missing, sessions_after=1),
            _soft(dividend_twice, sessions_after=1),
            _shown(repeated_row),
            _shown(zero_volume),
            _shown(partial_bar),
            _shown(dividend_nowhere),
            _shown(wrong_symbol, "wrong_symbol_of_a_stranger", loses_donor=True),
        )
    }
)
"""Those of daily bars, by name. A stranger's bars can be told by their level alone, a part of a
session only where it is far from whole, and a dividend that nobody lists not at all among ordinary
moves: they are measured to say so."""

WEEKLY_MISMATCH = _soft(weekly_mismatch)
"""The kind that is put into weekly bars, the daily ones being right."""

SHRINKING_BODY = _shown(shrinking_body)
"""The kind that is put into what a vendor sends of bars that are stored already."""

OTHER_KINDS: Mapping[str, FaultKind] = MappingProxyType(
    {kind.name: kind for kind in (WEEKLY_MISMATCH, SHRINKING_BODY)}
)
"""Those that are found by comparing bars with other bars, by name."""
