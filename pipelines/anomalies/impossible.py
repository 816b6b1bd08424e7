"""Bars that can't be true, whatever the market did.

Each rule looks at one row alone and says what is wrong with its values.
"""

from dataclasses import dataclass

import polars as pl

from pipelines.anomalies.catalogue import ANOMALY_TYPES
from pipelines.anomalies.findings import Finding
from pipelines.anomalies.severity import Severity

_HIGHEST = pl.max_horizontal("open", "close", "low")
_LOWEST = pl.min_horizontal("open", "close", "high")
_LOWEST_OF_ALL = pl.min_horizontal("open", "high", "low", "close")
FIELD_FACTOR = 5.0
"""A high or low so many times off the other prices is no price of that session. On 2010-05-06, the
day of the flash crash, prices of a cent were printed for shares of 40 dollars, and cancelled."""


@dataclass(frozen=True)
class RowRule:
    """A rule on one row: `is_broken` is true of a bad bar, `message` says why."""

    name: str
    is_broken: pl.Expr
    message: pl.Expr


ROW_RULES = (
    RowRule(
        "price_not_positive",
        _LOWEST_OF_ALL <= 0,
        pl.format("the lowest of open, high, low and close is {}", _LOWEST_OF_ALL),
    ),
    RowRule(
        "high_below_prices",
        pl.col("high") < _HIGHEST,
        pl.format("high {} is below {}", "high", _HIGHEST),
    ),
    RowRule(
        "low_above_prices",
        pl.col("low") > _LOWEST,
        pl.format("low {} is above {}", "low", _LOWEST),
    ),
    RowRule("volume_negative", pl.col("volume") < 0, pl.format("volume is {}", "volume")),
    RowRule(
        "split_not_positive",
        pl.col("split_coefficient") <= 0,
        pl.format("split coefficient is {}", "split_coefficient"),
    ),
    RowRule(
        "dividend_negative",
        pl.col("dividend_amount") < 0,
        pl.format("dividend is {}", "dividend_amount"),
    ),
    RowRule(
        "off_session",
        ~pl.col("is_session"),
        pl.format("the exchange does not trade on {}", "session"),
    ),
    RowRule(
        "partial_bar",
        pl.col("known_at") < pl.col("closes_at"),
        pl.format("the bar was known at {}, the session closed at {}", "known_at", "closes_at"),
    ),
    RowRule(
        "date_twice",
        pl.col("is_date_twice"),
        pl.format("two bars came for {}", "session"),
    ),
    RowRule(
        "field_in_wrong_unit",
        (_LOWEST_OF_ALL > 0)
        & (
            (pl.col("high") > FIELD_FACTOR * pl.max_horizontal("open", "close"))
            | (pl.col("low") * FIELD_FACTOR < pl.min_horizontal("open", "close"))
        ),
        pl.format(
            "high {} and low {} are far off open {} and close {}", "high", "low", "open", "close"
        ),
    ),
)


def _any_broken(severity: Severity) -> pl.Expr:
    """Return whether a rule of a severity is broken by the row."""
    return pl.any_horizontal(
        rule.is_broken.fill_null(value=False)
        for rule in ROW_RULES
        if ANOMALY_TYPES[rule.name].severity == severity
    )


IS_IMPOSSIBLE = _any_broken("critical")
"""Whether the row can't be: nobody can release it."""
IS_WRONG = _any_broken("high")
"""Whether the row alone shows that it is wrong."""

_VALUES = ("open", "high", "low", "close", "volume", "dividend_amount", "split_coefficient")


def impossible_bars() -> list[Finding]:
    """Return what to look for in single rows."""
    return [
        Finding(rule.name, rule.is_broken, rule.message, {name: pl.col(name) for name in _VALUES})
        for rule in ROW_RULES
    ]
