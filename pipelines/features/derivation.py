"""How the feature tables of the lake follow from clean prices."""

from pipelines.derivations import CHANGES, SCOPE, Derivation
from pipelines.features.catalogue import GROUPS
from pipelines.features.engine import feature_query
from pipelines.features.groups import FeatureGroup
from pipelines.tables import CLEAN_PRICES, FEATURE_TABLES

_WHOLE_SESSIONS = f"""
    SELECT symbol, (SELECT min(from_session) FROM {CHANGES}) AS from_session
    FROM (SELECT symbol FROM {CHANGES} UNION SELECT symbol FROM {CLEAN_PRICES.name})
"""
"""Where symbols are compared, a change of one moves all of its session: each session from the
earliest change on is computed anew, with all symbols. In the everyday case that is the new one."""


def feature_derivation(group: FeatureGroup) -> Derivation:
    """Return how the table of a group follows from clean prices."""
    return Derivation(
        table=FEATURE_TABLES[group.name],
        sources=(CLEAN_PRICES,),
        query=feature_query(group, source=CLEAN_PRICES.name, changes=SCOPE),
        scope=_WHOLE_SESSIONS if group.is_session_wide else Derivation.scope,
    )


FEATURE_DERIVATIONS = {group.name: feature_derivation(group) for group in GROUPS}
