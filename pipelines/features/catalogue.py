"""The catalogue of features: a group for each table, written in the expression language.

Numbers in names count sessions. A night computes the groups that it is set to; the signals learn
from SIGNAL_GROUPS alone, whatever else is computed: what these are decides which models fit.
"""

from pipelines.features.alpha158.groups import ALPHA158_GROUPS
from pipelines.features.calendar_effects import CALENDAR_EFFECTS
from pipelines.features.cross_sections import CROSS_SECTIONS
from pipelines.features.indicators import INDICATORS
from pipelines.features.liquidity import LIQUIDITY
from pipelines.features.market_relative import MARKET_RELATIVE
from pipelines.features.regimes import REGIME_GROUPS
from pipelines.features.standardized import STANDARDIZED
from pipelines.features.technical import TECHNICAL

SIGNAL_GROUPS = (TECHNICAL, INDICATORS, CROSS_SECTIONS)
"""What signals learn from. Another group in here is another `features_version`: every model is
trained anew, and past ones no longer fit."""

CORE_GROUPS = (*SIGNAL_GROUPS, LIQUIDITY, CALENDAR_EFFECTS)
"""Small enough for every symbol that the vendor has."""

CATALOGUE_GROUPS = (STANDARDIZED, MARKET_RELATIVE, *REGIME_GROUPS, *ALPHA158_GROUPS)
"""What may be computed besides."""

GROUPS = (*CORE_GROUPS, *CATALOGUE_GROUPS)
