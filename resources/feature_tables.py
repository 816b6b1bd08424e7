"""Bringing feature tables up to date: those that read alike, from one reading in one commit."""

from collections.abc import Iterable

from pipelines.derivations import TableUpdate
from pipelines.features.derivation import feature_lots
from pipelines.features.groups import FeatureGroup
from pipelines.nights import Night
from resources.lake import Lake


def bring_features_up_to_date(
    lake: Lake, groups: Iterable[FeatureGroup], *, night: Night
) -> dict[str, TableUpdate]:
    """Bring the tables of some groups up to date; return what it did to each, by name.

    A table whose definition changed, or that is new, is derived for itself: the others of its lot
    follow the changes of the night.
    """
    updates = dict[str, TableUpdate]()
    for lot in feature_lots(groups):
        updates |= lake.bring_lot_up_to_date(lot, night=night)
    return updates
