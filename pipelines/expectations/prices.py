"""What is expected of clean prices: the hard rules once more."""

from pipelines.expectations.rules import InOrder, OneRowEach, Suite, Within
from pipelines.tables import CLEAN_PRICES

PRICES = ("open", "high", "low", "close")

CLEAN_PRICE_SUITE = Suite(
    CLEAN_PRICES,
    (
        OneRowEach(CLEAN_PRICES.key),
        *(
            Within(name, 0, is_low_excluded=True)
            for name in (*PRICES, "split_coefficient", "split_factor", "total_return_index")
        ),
        *(Within(name, 0) for name in ("volume", "dividend_amount")),
        *(
            InOrder(high, low)
            for high, low in (
                *(("high", "open"), ("high", "close")),
                *(("open", "low"), ("close", "low")),
            )
        ),
    ),
)
