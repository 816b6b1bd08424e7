"""How the feature tables of the lake follow from clean prices."""

from pipelines.derivations import CHANGES, Derivation
from pipelines.features.catalogue import TECHNICAL
from pipelines.features.engine import feature_query
from pipelines.tables import CLEAN_PRICES, TECHNICAL_FEATURES

TECHNICAL_DERIVATION = Derivation(
    table=TECHNICAL_FEATURES,
    sources=(CLEAN_PRICES,),
    query=feature_query(TECHNICAL, source=CLEAN_PRICES.name, changes=CHANGES),
)
