"""What a portfolio is, and what it was worth."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from pipelines.forecasts.backend_portfolios import backend_portfolios
from pipelines.forecasts.curve import UnfitCurveError
from pipelines.forecasts.equity import MarketPanel, equity_curve
from pipelines.forecasts.portfolio_file import PortfolioFileError, read_portfolios
from pipelines.forecasts.portfolios import Portfolio, Rebalancing, Source

FIRST = date(2024, 1, 29)  # a Monday; the month ends on Wednesday
SESSIONS = [day for day in (FIRST + timedelta(days=at) for at in range(40)) if day.isoweekday() < 6]


def panel(**growth: Sequence[float | None]) -> MarketPanel:
    """Return a panel of total returns by symbol, None where there is no bar."""
    rows = [
        {"symbol": symbol, "session": session, "total_return_index": value}
        for symbol, values in growth.items()
        for session, value in zip(SESSIONS, values, strict=False)
        if value is not None
    ]
    return MarketPanel.of(pl.DataFrame(rows))


def portfolio(weights: dict[str, float], **others: object) -> Portfolio:
    """Return a portfolio of 1,000 dollars."""
    arguments = {"value": 1000.0, "rebalancing": Rebalancing.NEVER} | others
    return Portfolio("p", "p", Source.FILE, weights, **arguments)  # type: ignore[arg-type]


def test_holdings_grow_and_cash_lies_still() -> None:
    """Half in a symbol that doubles, a quarter in one that falls, a quarter in cash."""
    curve = equity_curve(
        portfolio({"A": 0.5, "B": 0.25}), panel(A=[1.0, 1.5, 2.0], B=[4.0, 4.0, 2.0])
    )
    assert curve.values.tolist() == [1000.0, 1250.0, 1000 + 250 + 125]


def test_cash_alone_lies_still() -> None:
    """What has sold all it held still has a value."""
    cash = portfolio({}, values=(900.0, 1000.0), values_end=SESSIONS[1])
    assert equity_curve(cash, panel(A=[1.0, 2.0, 4.0])).values.tolist() == [900.0, 1000.0, 1000.0]


def test_holdings_are_brought_back_at_the_end_of_a_month() -> None:
    """A doubles before the end of January and again after it; half of it was sold in between."""
    prices = panel(A=[1.0, 2.0, 2.0, 4.0], B=[1.0] * 4)
    weights = {"A": 0.5, "B": 0.5}
    monthly = equity_curve(portfolio(weights, rebalancing=Rebalancing.MONTHLY), prices)
    assert monthly.values.tolist() == [1000.0, 1500.0, 1500.0, 2250.0]
    assert equity_curve(portfolio(weights), prices).values[-1] == 2500.0
    daily = equity_curve(portfolio(weights, rebalancing=Rebalancing.DAILY), prices)
    assert daily.values.tolist() == monthly.values.tolist()


def test_a_symbol_without_a_bar_keeps_its_last_value() -> None:
    """A withheld bar is no reason to call a holding worthless."""
    curve = equity_curve(portfolio({"A": 1.0}), panel(A=[1.0, None, 3.0], B=[1.0, 1.0, 1.0]))
    assert curve.values.tolist() == [1000.0, 1000.0, 3000.0]


def test_equal_parts_take_in_a_symbol_once_it_is_listed() -> None:
    """Weights wait for the next rebalancing; without prices a symbol is left out."""
    prices = panel(A=[1.0, 1.0, 1.0, 1.0], B=[None, 1.0, 1.0, 2.0])
    curve = equity_curve(
        portfolio(
            {"A": 1 / 3, "B": 1 / 3, "GONE": 1 / 3},
            is_equal=True,
            rebalancing=Rebalancing.MONTHLY,
        ),
        prices,
    )
    assert curve.values.tolist() == [1000.0, 1000.0, 1000.0, 1500.0]


def test_weights_wait_until_all_symbols_trade() -> None:
    """Six parts of ten in a symbol that does not exist yet would be six parts of nothing."""
    curve = equity_curve(portfolio({"A": 0.4, "B": 0.6}), panel(A=[1.0] * 3, B=[None, 1.0, 2.0]))
    assert curve.sessions == SESSIONS[1:3]
    assert curve.values.tolist() == [1000.0, 1600.0]


@pytest.mark.parametrize(
    ("weights", "others", "reason"),
    [
        ({"A": 0.5, "Z": 0.5}, {}, "unknown_symbol"),
        ({"Z": 1.0}, {"is_equal": True}, "unknown_symbol"),
        ({"A": 1.0}, {"start": date(2030, 1, 1)}, "gap_in_curve"),
        ({"A": 1.0}, {"values": (1.0, 2.0), "values_end": SESSIONS[2]}, "gap_in_curve"),
        ({"A": 1.0}, {"values": (1.0, -2.0, 3.0), "values_end": SESSIONS[2]}, "value_not_positive"),
    ],
)
def test_what_can_not_be_valued_has_a_reason(
    weights: dict[str, float], others: dict[str, object], reason: str
) -> None:
    """A value made up for it would be forecast like any other."""
    with pytest.raises(UnfitCurveError) as refused:
        equity_curve(portfolio(weights, **others), panel(A=[1.0] * 4))
    assert refused.value.reason == reason


def test_the_future_moves_no_value_of_the_past() -> None:
    """Proof by mutation, for every rebalancing."""
    rng = np.random.default_rng(1)
    growth = np.exp(np.cumsum(0.02 * rng.standard_normal((2, len(SESSIONS))), axis=1))
    other = growth.copy()
    other[:, 15:] *= np.exp(rng.standard_normal((2, len(SESSIONS) - 15)))
    for rebalancing in Rebalancing:
        made, changed = (
            equity_curve(
                portfolio({"A": 0.7, "B": 0.3}, rebalancing=rebalancing),
                panel(A=values[0].tolist(), B=values[1].tolist()),
            ).values
            for values in (growth, other)
        )
        assert made[:15].tolist() == changed[:15].tolist()
        assert made[15] != changed[15]


def test_a_session_has_the_same_value_to_the_bit_whatever_follows_it() -> None:
    """A night told by itself and one told in a range of nights must publish alike."""
    rng = np.random.default_rng(4)
    symbols = [f"S{number:02}" for number in range(23)]
    grown = {
        name: np.exp(np.cumsum(rng.normal(0, 0.02, len(SESSIONS)))).tolist() for name in symbols
    }
    held = portfolio(dict.fromkeys(symbols, 1 / 23), rebalancing=Rebalancing.MONTHLY)
    whole = equity_curve(held, panel(**grown)).values
    for ends in range(2, len(SESSIONS)):
        until = panel(**{name: values[:ends] for name, values in grown.items()})
        assert equity_curve(held, until).values.tobytes() == whole[:ends].tobytes()


def test_a_definition_is_read_back_as_it_was() -> None:
    """The lake keeps it as text; its hash is the identity of a record."""
    made = Portfolio(
        *("p", "name", Source.EXECUTION),
        weights={"A": 0.1},
        start=FIRST,
        values=(1.5, 2.0),
        values_end=SESSIONS[1],
    )
    read = Portfolio.of_definition("p", "name", "execution", made.definition())
    assert read == made
    assert read.definition_hash != portfolio({"A": 0.1}).definition_hash


def test_a_file_gives_its_portfolios_and_what_is_wrong_with_the_others() -> None:
    """A slip in one entry must not cost the others their forecast."""
    text = """
portfolios:
  - {id: core, weights: {aapl: 0.6, IBM: 0.3}, cash: 0.1, rebalance: weekly, value: 5000}
  - {id: heavy, weights: {AAPL: 0.6, IBM: 0.6}}
  - {id: short, weights: {AAPL: 1.5, IBM: -0.5}}
  - {id: typo, wieghts: {AAPL: 1.0}}
  - just text
"""
    found = {one.portfolio_id: one for one in read_portfolios(text, source="p.yaml")}
    assert found["file:core"].weights == {"AAPL": 0.6, "IBM": 0.3}
    assert found["file:core"].rebalancing is Rebalancing.WEEKLY
    assert "sum to 1.2" in str(found["file:heavy"].message)
    assert "IBM is -0.5" in str(found["file:short"].message) or "AAPL is 1.5" in str(
        found["file:short"].message
    )
    assert found["file:typo"].reason == found["file:5"].reason == "unreadable"
    assert "weights" in str(found["file:typo"].message)


@pytest.mark.parametrize("text", ["a: [", "portfolios: 7", "- 1"])
def test_what_is_no_file_of_portfolios_is_refused(text: str) -> None:
    """Silence would look like a desk without portfolios."""
    with pytest.raises(PortfolioFileError, match=r"p\.yaml"):
        read_portfolios(text, source="p.yaml")


def test_the_backends_documents_are_read_with_care() -> None:
    """They are somebody else's: each broken one keeps its place with its reason."""
    start = datetime(2024, 1, 29, tzinfo=UTC)
    config = {
        "symbols": ["a", "B"],
        "start_date": start,
        "end_date": start,
        "initial_cash": 5000.0,
        "rebalance_frequency": "weekly",
    }
    done = {"execution_id": "e", "backtest_id": "1", "status": "completed"}
    made = {
        one.portfolio_id: one
        for one in backend_portfolios(
            [{"_id": "w", "name": "mine", "symbols": ["ibm", "IBM", " msft "]}, {"_id": "x"}],
            [
                {"_id": "1", "config": config, "status": "completed"},
                {"_id": "2", "config": config, "status": "running"},
                {"_id": "3", "config": {**config, "rebalance_frequency": "hourly"}},
                {"_id": "4", "config": config, "status": "cancelled"},
            ],
            [
                {**done, "portfolio_values": [10.0], "positions": {}},
                {**done, "execution_id": "nan", "portfolio_values": [1.0, float("nan")]},
                {
                    **done,
                    "execution_id": "ruined",
                    "portfolio_values": [1.0, 0.0],
                    "positions": {"A": {"quantity": 1.0, "current_price": 1.0}},
                },
                {**done, "execution_id": "lost", "backtest_id": "9", "portfolio_values": [1.0]},
                {**done, "execution_id": "running", "status": "running"},
            ],
        )
    }
    assert set(made) == {
        *("watchlist:w", "watchlist:x", "backtest:2", "backtest:3"),
        *("execution:e", "execution:nan", "execution:ruined", "execution:lost"),
    }
    assert made["watchlist:w"].weights == {"IBM": 0.5, "MSFT": 0.5}
    assert made["backtest:2"].rebalancing is Rebalancing.WEEKLY
    assert (made["backtest:2"].value, made["backtest:2"].start) == (5000.0, date(2024, 1, 29))
    reasons = {name: one.reason for name, one in made.items() if one.reason}
    assert reasons == {
        "watchlist:x": "unreadable",
        "backtest:3": "unreadable",
        "execution:nan": "gap_in_curve",
        "execution:ruined": "value_not_positive",
        "execution:lost": "unknown_dates",
    }
