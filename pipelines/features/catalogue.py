"""The catalogue of features: a group for each table, written in the expression language.

All are free of scale (a price of 3 and one of 300 give the same value), so that one model reads
all symbols. Numbers in names count sessions.
"""

from pipelines.features.cross_sections import CROSS_SECTIONS
from pipelines.features.indicators import INDICATORS
from pipelines.features.technical import TECHNICAL

GROUPS = (TECHNICAL, INDICATORS, CROSS_SECTIONS)
