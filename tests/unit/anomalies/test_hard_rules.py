"""Each hard rule breaks on exactly its own fault, in the engine that runs it."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.anomalies.rules import HARD_RULES, sweep_query
from pipelines.tables import DAILY_PRICES, QUARANTINED_PRICES, create_statement
from tests.support.lake import daily_rows
from tests.support.recorded_bars import bars_of

SESSION = date(2024, 1, 2)
HOLIDAY = date(2024, 1, 1)
GOOD_BAR = {"open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5, "volume": 100}


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in memory with the tables that the sweep reads."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("ATTACH ':memory:' AS lake; USE lake")
        connection.execute(create_statement(DAILY_PRICES, catalog="lake"))
        connection.execute("CREATE TABLE exchange_sessions AS SELECT DATE '2024-01-02' AS session")
        connection.execute("CREATE TABLE changes (symbol VARCHAR, from_session DATE)")
        yield connection


def swept(engine: duckdb.DuckDBPyConnection, rows: pl.DataFrame, since: date) -> pl.DataFrame:
    """Return what the sweep withholds of rows of which IBM's changed since a day."""
    engine.execute("DELETE FROM daily_prices; DELETE FROM changes")
    engine.execute("INSERT INTO changes VALUES ('IBM', $since)", {"since": since})
    engine.register("given_rows", rows.to_arrow())
    engine.execute("INSERT INTO daily_prices BY NAME FROM given_rows")
    return engine.sql(f"{sweep_query()} ORDER BY symbol, session").pl()


def a_bar(session: date = SESSION, **changes: Any) -> pl.DataFrame:
    """Return one row of `daily_prices`, good but for the changes."""
    bar = daily_rows(bars_of("IBM", [10.0]).with_columns(session=pl.lit(SESSION)))
    values = {**GOOD_BAR, **changes, "session": session}
    return bar.with_columns(
        pl.lit(value, dtype=bar.schema[name]).alias(name) for name, value in values.items()
    )


FAULTS = [
    ("price_not_positive", {"low": 0.0}, "the lowest of open, high, low and close is 0"),
    ("price_not_positive", {"low": -1.5}, "the lowest of open, high, low and close is -1.5"),
    ("high_below_prices", {"high": 10.4}, "high 10.4 is below 10.5"),
    ("low_above_prices", {"low": 10.2}, "low 10.2 is above 10"),
    ("volume_negative", {"volume": -1}, "volume is -1"),
    ("split_not_positive", {"split_coefficient": 0.0}, "split coefficient is 0"),
    ("dividend_negative", {"dividend_amount": -0.25}, "dividend is -0.25"),
    ("off_session", {"session": HOLIDAY}, "the exchange does not trade on 2024-01-01"),
]


@pytest.mark.parametrize(("rule", "fault", "reason"), FAULTS)
def test_a_fault_breaks_its_own_rule_alone(
    engine: duckdb.DuckDBPyConnection, rule: str, fault: dict[str, Any], reason: str
) -> None:
    """A person would be sent to look for the wrong thing, or a bad bar would pass."""
    withheld = swept(engine, a_bar(**fault), HOLIDAY)
    assert withheld.select("rules").row(0) == ([rule],)
    (words,) = withheld["reasons"][0]
    assert words.replace(".0 ", " ").removesuffix(".0") == reason


def test_every_rule_has_a_fault_that_breaks_it() -> None:
    """A rule without a test might never break."""
    assert {rule for rule, _, _ in FAULTS} == {rule.name for rule in HARD_RULES}


def test_a_bar_with_several_faults_names_all_of_them(engine: duckdb.DuckDBPyConnection) -> None:
    """The second fault would come to light only after the first is repaired."""
    withheld = swept(engine, a_bar(high=5.0, low=4.0, volume=-7, session=HOLIDAY), HOLIDAY)
    assert withheld["rules"].to_list() == [["high_below_prices", "volume_negative", "off_session"]]
    assert [reason.split()[0] for reason in withheld["reasons"][0]] == ["high", "volume", "the"]


def test_a_bar_at_its_limits_is_good(engine: duckdb.DuckDBPyConnection) -> None:
    """A day without a trade has four equal prices and no volume: it is no fault."""
    still = a_bar(open=10.0, high=10.0, low=10.0, close=10.0, volume=0)
    assert swept(engine, still, HOLIDAY).is_empty()


def test_the_sweep_looks_at_what_changed_alone(engine: duckdb.DuckDBPyConnection) -> None:
    """It would read the whole history every night."""
    bad = a_bar(volume=-1)
    other = bad.with_columns(symbol=pl.lit("FB"))
    rows = pl.concat([bad, other, a_bar(volume=-1, session=date(2024, 1, 3))])
    assert swept(engine, rows, date(2024, 1, 3)).select("symbol", "session").rows() == [
        ("IBM", date(2024, 1, 3))
    ]


def test_a_withheld_bar_fits_its_table(engine: duckdb.DuckDBPyConnection) -> None:
    """The sweep's columns are what the table keeps."""
    withheld = swept(engine, a_bar(volume=-1), HOLIDAY)
    assert withheld.columns == list(QUARANTINED_PRICES.column_names)


PRICES = st.floats(-5, 50).map(lambda price: round(price, 2))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    first=PRICES,
    high=PRICES,
    low=PRICES,
    last=PRICES,
    volume=st.integers(-2, 10),
    is_session=st.booleans(),
)
def test_a_bar_is_withheld_exactly_where_a_rule_of_arithmetic_breaks(
    engine: duckdb.DuckDBPyConnection,
    first: float,
    high: float,
    low: float,
    last: float,
    volume: int,
    is_session: bool,
) -> None:
    """The rules in SQL against the same rules in Python."""
    bar = a_bar(
        SESSION if is_session else HOLIDAY,
        open=first,
        high=high,
        low=low,
        close=last,
        volume=volume,
    )
    is_good = (
        min(first, high, low, last) > 0
        and low <= min(first, last) <= max(first, last) <= high
        and volume >= 0
        and is_session
    )
    assert swept(engine, bar, HOLIDAY).is_empty() == is_good
