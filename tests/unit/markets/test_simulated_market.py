"""The simulated market is reproducible, its bars could be a vendor's, and symbols come and go."""

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.anomalies.impossible import ROW_RULES
from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.simulated import simulate_chunks, simulate_market
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.markets.simulation.truth import MarketTruth
from pipelines.vendor.answers import Account, answer
from pipelines.vendor.payloads import parse_daily_adjusted
from tests.support.simulated_prices import clean_prices_of

SMALL = SimulationSettings(symbols=40, sessions=600, seed=3)


@pytest.fixture(scope="module")
def market() -> tuple[RecordedMarket, MarketTruth]:
    """A market and its truth, made once."""
    return simulate_market(SMALL)


@settings(max_examples=15, deadline=None)
@given(at_once=st.integers(1, 9), seed=st.integers(0, 2**32), sessions=st.integers(2, 90))
def test_a_symbol_is_the_same_in_whatever_chunk_it_comes(
    at_once: int, seed: int, sessions: int
) -> None:
    """A market too large for one machine must be the one that a smaller run was tested on."""
    asked = SimulationSettings(symbols=9, sessions=sessions, seed=seed)
    whole = next(simulate_chunks(asked, symbols_at_once=9))
    parts = list(simulate_chunks(asked, symbols_at_once=at_once))
    for name in ("bars", "chances", "symbols"):
        assert pl.concat(getattr(part, name) for part in parts).equals(getattr(whole, name))


def test_more_symbols_leave_the_others_as_they_are() -> None:
    """A result on 40 symbols could not be compared with one on 4,000."""
    few, many = (simulate_market(replace(SMALL, symbols=n, sessions=60))[0] for n in (3, 8))
    assert many.bars.filter(pl.col("symbol").is_in(few.symbols)).equals(few.bars)


def test_another_seed_is_another_market() -> None:
    """Forty seeds that share their bars would be one."""
    first, second = (simulate_market(replace(SMALL, sessions=60, seed=n))[0] for n in (1, 2))
    assert not first.bars["close"].equals(second.bars["close"])


def test_no_bar_breaks_a_hard_rule(market: tuple[RecordedMarket, MarketTruth]) -> None:
    """A bar put in quarantine would take its label along, and the truth would not fit."""
    bars = market[0].bars
    is_session = pl.col("session").is_in(list(SMALL.days))
    known = pl.col("session").cast(pl.Datetime("us", "UTC"))
    facts = bars.with_columns(
        is_session=is_session, is_date_twice=False, known_at=known, closes_at=known
    )
    assert facts.filter(pl.any_horizontal(rule.is_broken for rule in ROW_RULES)).is_empty()


def test_bars_come_back_whole_from_the_vendors_answer(
    market: tuple[RecordedMarket, MarketTruth],
) -> None:
    """A price finer than the vendor's decimals would not be the one that the truth speaks of."""
    bars = market[0].bars
    history = {
        str(name): part for (name,), part in bars.partition_by("symbol", as_dict=True).items()
    }
    symbol = bars.filter(pl.col("dividend_amount") > 0)["symbol"][0]
    query = {
        "function": "TIME_SERIES_DAILY_ADJUSTED",
        "symbol": symbol,
        "outputsize": "full",
        "apikey": "any",
    }
    parsed = parse_daily_adjusted(answer(history, query, account=Account()), symbol=symbol)
    exact = parsed.sort("session").drop("adjusted_close")
    assert exact.equals(history[symbol].drop("adjusted_close").select(exact.columns))


def test_prices_and_dividends_are_whole_cents(market: tuple[RecordedMarket, MarketTruth]) -> None:
    """Shares trade in cents."""
    names = ["open", "high", "low", "close", "dividend_amount"]
    cents = market[0].bars.select(pl.col(names) * 100)
    assert cents.select((pl.all() - pl.all().round()).abs().max()).row(0) < (1e-6,) * len(names)


def test_symbols_trade_from_listing_to_delisting_without_a_gap(
    market: tuple[RecordedMarket, MarketTruth],
) -> None:
    """A label over a gap is not one session long; a bar after the end is nobody's."""
    bars, truth = market[0].bars, market[1]
    seen = bars.group_by("symbol").agg(
        pl.col("session").min().alias("first"), pl.col("session").max().alias("last"), pl.len()
    )
    days = SMALL.days
    ended = truth.symbols["delisted"].is_not_null()
    assert 0 < ended.sum() < SMALL.symbols
    assert 0 < (truth.symbols["listed"] > days[0]).sum() < SMALL.symbols
    for row in truth.symbols.join(seen, on="symbol", validate="1:1").iter_rows(named=True):
        last = row["delisted"] or days[-1]
        assert (row["first"], row["last"]) == (row["listed"], last)
        assert row["len"] == days.index(last) - days.index(row["listed"]) + 1


def test_splits_and_dividends_are_no_returns(market: tuple[RecordedMarket, MarketTruth]) -> None:
    """A split taken for a crash would put a label on the wrong side."""
    clean = clean_prices_of(market[0].bars)
    returns = clean.with_columns(
        change=pl.col("total_return_index").pct_change().over("symbol"),
    )
    split = returns.filter(pl.col("split_coefficient") != 1)
    paid = returns.filter(pl.col("dividend_amount") > 0)
    assert split.height >= 5
    assert paid.height >= 100
    assert split["change"].abs().max() < 0.25
    assert paid["change"].mean() == pytest.approx(0.0, abs=4 * 0.022 / paid.height**0.5)


def test_the_adjusted_close_tells_the_same_returns_as_our_chain(
    market: tuple[RecordedMarket, MarketTruth],
) -> None:
    """The vendor's method takes a dividend off the close before, ours adds it to the close.

    (1 - d/c) differs from 1 / (1 + d / x) by about (d/c) times the day's return: 1 % of 10 %.
    """
    clean = clean_prices_of(market[0].bars)
    ours = pl.col("total_return_index").pct_change().over("symbol")
    theirs = pl.col("adjusted_close").pct_change().over("symbol")
    assert clean.select((ours - theirs).abs().max()).item() < 2e-3


def test_volatility_clusters_and_volume_follows_it(
    market: tuple[RecordedMarket, MarketTruth],
) -> None:
    """Features of volatility and volume would have nothing to see."""
    size = (pl.col("total_return_index").pct_change().abs()).over("symbol")
    clean = clean_prices_of(market[0].bars).with_columns(size=size).drop_nulls("size")
    is_known = clean.with_columns(
        before=pl.col("size").shift(1).over("symbol"),
        busy=pl.col("volume").log() - pl.col("volume").log().mean().over("symbol"),
        z=pl.col("size") / pl.col("size").mean().over("symbol"),
    ).drop_nulls()
    assert is_known.select(pl.corr("size", "before")).item() > 0.05
    assert is_known.select(pl.corr("z", "busy")).item() > 0.15


def test_returns_have_fat_tails(market: tuple[RecordedMarket, MarketTruth]) -> None:
    """A normal market would never show a detector an honest outlier; normal kurtosis is 0 here."""
    change = pl.col("total_return_index").pct_change().over("symbol")
    assert clean_prices_of(market[0].bars).select(change.kurtosis()).item() > 3


def test_betas_are_what_they_are_said_to_be(market: tuple[RecordedMarket, MarketTruth]) -> None:
    """The regression of returns on the true factor is the judge of factor models."""
    change = pl.col("total_return_index").pct_change().over("symbol")
    rows = clean_prices_of(market[0].bars).with_columns(change=change).drop_nulls("change")
    fitted = (
        rows.join(market[1].regimes, on="session")
        .group_by("symbol")
        .agg(slope=pl.cov("change", "factor") / pl.col("factor").var())
        .join(market[1].symbols, on="symbol")
    )
    assert fitted.select(pl.corr("slope", "beta")).item() > 0.8
    assert fitted.select((pl.col("slope") - pl.col("beta")).mean()).item() == pytest.approx(
        0, abs=0.06
    )


@pytest.mark.parametrize(
    "wrong", [{"symbols": 0}, {"sessions": 1}, {"strength": -0.1}, {"seed": -1}]
)
def test_sizes_that_are_no_market_are_refused(wrong: dict[str, int]) -> None:
    """An empty market would fail far away, in the vendor."""
    with pytest.raises(ValueError, match="a simulated market needs at least one symbol"):
        SimulationSettings(**wrong)  # type: ignore[arg-type]


def test_more_sessions_than_the_calendar_knows_are_refused() -> None:
    """A market that is silently shorter would be compared with one that is not."""
    with pytest.raises(ValueError, match="900000 simulated sessions are more than"):
        _ = SimulationSettings(sessions=900_000).days
