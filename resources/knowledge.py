"""What the desk knew at an instant: prices from the journal, and all that follows from them.

The lake's own versions tell what a night saw, as long as they are kept; the journal tells it of any
instant since the first load, and of history before it what must be assumed. Two columns are not to
the bit: an adjusted close that dividends have moved since, and the response that it came in.
"""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from pipelines.anomalies.derivation import PRICE_ANOMALIES_DERIVATION
from pipelines.anomalies.quarantine import QUARANTINE_DERIVATION
from pipelines.derivations import Derivation
from pipelines.features.derivation import FEATURE_DERIVATIONS
from pipelines.features.market_returns import MARKET_RETURNS_DERIVATION
from pipelines.prices.knowledge import KEPT_AS_KNOWN, prices_as_known_query
from pipelines.prices.total_return import CLEAN_PRICES_DERIVATION
from pipelines.regimes.tables import REGIME_STATES
from pipelines.tables import DAILY_PRICES
from resources.derived_apart import derived_apart
from resources.lake import Lake

REGIMES_AS_KNOWN = """
    SELECT told.* FROM regime_states AS told JOIN nights USING (night_id)
    WHERE nights.as_of <= $instant"""

PRICES = (PRICE_ANOMALIES_DERIVATION, QUARANTINE_DERIVATION, CLEAN_PRICES_DERIVATION)


def prices_as_known(lake: Lake, instant: datetime) -> pl.DataFrame:
    """Return the rows of `daily_prices` as they were known at an instant, with their basis."""
    return lake.read(prices_as_known_query(), {"instant": instant})


def as_known(
    lake: Lake,
    instant: datetime,
    *,
    derivations: Sequence[Derivation] = (MARKET_RETURNS_DERIVATION, *FEATURE_DERIVATIONS.values()),
) -> dict[str, pl.DataFrame]:
    """Return tables as they would have been made of what was known at an instant, by name.

    Bars are judged, withheld and chained anew from what was known, and features computed from
    those. Regimes are those that nights by then had told, where no later one told them again. All
    rows are held in memory.

    Args:
        lake: The lake of today.
        instant: When; in UTC or with another time zone.
        derivations: What to derive beside prices, in the order of the night.
    """
    kept = {**KEPT_AS_KNOWN, REGIME_STATES.name: REGIMES_AS_KNOWN}
    known = {name: lake.read(query, {"instant": instant}) for name, query in kept.items()}
    prices = prices_as_known(lake, instant)
    made = derived_apart({**known, DAILY_PRICES.name: prices}, [*PRICES, *derivations])
    return {DAILY_PRICES.name: prices, **made}
