"""The 15 technical features against pandas, and their proofs that nothing looks ahead."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.features.catalogue import TECHNICAL
from pipelines.features.groups import Feature, FeatureGroup
from tests.support.clean_bars import chained, simulated_clean_prices
from tests.support.feature_queries import features_of, run_query
from tests.support.mutation import assert_past_unmoved

NAMES = list(TECHNICAL.expressions)
Formula = Callable[[pd.DataFrame], pd.Series]


def _returns(b: pd.DataFrame) -> pd.Series:
    return b.close.pct_change()


def _true_range(b: pd.DataFrame) -> pd.Series:
    before = b.close.shift()
    ranges = pd.concat([b.high - b.low, (b.high - before).abs(), (b.low - before).abs()], axis=1)
    return ranges.max(axis=1, skipna=False)


def _std(values: pd.Series, rows: int) -> pd.Series:
    return values.rolling(rows).apply(lambda window: np.std(window, ddof=1), raw=True)


# Written from the textbook on the columns open, high, low, close, volume of one symbol.
FORMULAS: dict[str, Formula] = {
    "return_1": _returns,
    "return_5": lambda b: b.close.pct_change(5),
    "return_20": lambda b: b.close.pct_change(20),
    "distance_to_mean_5": lambda b: b.close / b.close.rolling(5).mean() - 1,
    "distance_to_mean_50": lambda b: b.close / b.close.rolling(50).mean() - 1,
    "mean_spread_12_26": lambda b: (
        (b.close.rolling(12).mean() - b.close.rolling(26).mean()) / b.close
    ),
    "bollinger_position_20": lambda b: (
        (b.close - b.close.rolling(20).mean()) / (2 * _std(b.close, 20))
    ),
    "relative_strength_14": lambda b: (
        100
        - 100
        / (
            1
            + b.close.diff().clip(lower=0).rolling(14).sum()
            / (-b.close.diff().clip(upper=0)).rolling(14).sum()
        )
    ),
    "distance_to_maximum_60": lambda b: b.close / b.close.rolling(60).max() - 1,
    "volatility_20": lambda b: _std(_returns(b), 20),
    "volatility_ratio_5_20": lambda b: _std(_returns(b), 5) / _std(_returns(b), 20),
    "true_range_14": lambda b: _true_range(b).rolling(14).mean() / b.close,
    "overnight_gap": lambda b: b.open / b.close.shift() - 1,
    "close_location": lambda b: ((b.close - b.low) - (b.high - b.close)) / (b.high - b.low),
    "volume_ratio_20": lambda b: b.volume / b.volume.rolling(20).mean(),
}


@pytest.fixture(scope="module")
def bars() -> pl.DataFrame:
    """Three symbols with splits, dividends, stale prices and missing sessions."""
    return simulated_clean_prices(np.random.default_rng(7), sessions=110)


@pytest.fixture(scope="module")
def table(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the whole feature table of the bars."""
    return features_of(TECHNICAL, bars)


@pytest.mark.parametrize("name", NAMES)
def test_a_feature_agrees_with_its_textbook_formula(
    name: str, bars: pl.DataFrame, table: pl.DataFrame
) -> None:
    """The catalogue would hold a formula that is not what its description says."""
    for (symbol,), own in bars.group_by("symbol"):
        expected = FORMULAS[name](_index_bars(own.sort("session")))
        actual = table.filter(symbol=symbol)[name].fill_null(np.nan).to_numpy()
        assert np.isfinite(actual).sum() > 15
        np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-7)


def _index_bars(own: pl.DataFrame) -> pd.DataFrame:
    raw = own.to_pandas()
    # The holding that one unit of money grows to, had each dividend been reinvested at its close.
    units = raw.total_return_index / raw.close
    prices = raw[["open", "high", "low", "close"]].mul(units, axis=0)
    return prices.assign(volume=raw.volume / raw.split_factor)


@pytest.mark.parametrize("feature", TECHNICAL.features, ids=NAMES)
def test_a_feature_stays_within_its_bounds(feature: Feature, table: pl.DataFrame) -> None:
    """A check on the table would stop a night over a right value, or miss a wrong one."""
    lowest, highest = feature.bounds
    margin = 1e-6
    values = table[feature.name].drop_nulls().to_numpy()
    assert lowest is None or values.min() >= lowest - margin
    assert highest is None or values.max() <= highest + margin


@pytest.mark.parametrize("feature", TECHNICAL.features, ids=NAMES)
def test_look_back_is_exact(feature: Feature, bars: pl.DataFrame, table: pl.DataFrame) -> None:
    """One row too few gives another value in the incremental run, one too many wastes reading."""
    group = FeatureGroup("one", "One feature.", (feature,))
    own = bars.filter(symbol="S0").sort("session")
    expected = table.filter(symbol="S0")[feature.name][-1]
    rows = feature.expression.look_back + 1
    assert features_of(group, own.tail(rows))[feature.name][-1] == expected
    assert expected is not None
    if rows > 1:
        assert features_of(group, own.tail(rows - 1))[feature.name][-1] != expected


@pytest.mark.parametrize("feature", TECHNICAL.features, ids=NAMES)
def test_a_short_history_stays_null(feature: Feature, table: pl.DataFrame) -> None:
    """A filled-in value would pass for a measured one."""
    first = table.group_by("symbol", maintain_order=True).head(feature.expression.look_back)
    assert first[feature.name].is_null().all()


@pytest.mark.parametrize("length", [1, 30, 61, 90])
def test_history_up_to_a_session_gives_the_full_result_up_to_it(
    length: int, bars: pl.DataFrame, table: pl.DataFrame
) -> None:
    """Tonight's value would change tomorrow (the cut test, bit for bit, for every feature)."""
    session = bars["session"].unique().sort()[length]
    actual = features_of(TECHNICAL, bars.filter(pl.col("session") <= session))
    expected = table.filter(pl.col("session") <= session)
    for name in NAMES:
        assert_frame_equal(actual.select(name), expected.select(name), check_exact=True)


def a_session(bars: pl.DataFrame) -> date:
    """Return a session with enough rows on either side."""
    session = bars["session"].unique().sort()[75]
    assert isinstance(session, date)
    return session


def test_changing_the_future_moves_no_feature(bars: pl.DataFrame) -> None:
    """A feature would look ahead: the model learns what it cannot know."""
    rng = np.random.default_rng(0)
    assert_past_unmoved(lambda frame: features_of(TECHNICAL, frame), bars, a_session(bars), rng)


LEAKS = {
    "the next row": "lead(close) OVER (PARTITION BY symbol ORDER BY session) / close",
    "the last row": "close / last(close) OVER (PARTITION BY symbol ORDER BY session"
    " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)",
    "the scale of all sessions": "close / stddev(close) OVER (PARTITION BY symbol)",
    "other symbols later": "volume / max(volume) OVER ()",
    "the number of rows": "ntile(10) OVER (PARTITION BY symbol ORDER BY session)",
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_the_same_proof_fails_on_a_planted_leak(leak: str, bars: pl.DataFrame) -> None:
    """The proof would pass whatever happens. The language refuses these, so they are raw SQL."""
    query = f"SELECT symbol, session, {leak} AS leak FROM clean_prices"
    rng = np.random.default_rng(0)
    with pytest.raises(AssertionError):
        assert_past_unmoved(
            lambda frame: run_query(query, clean_prices=frame), bars, a_session(bars), rng
        )


def test_a_proof_without_a_future_is_refused(bars: pl.DataFrame) -> None:
    """A proof on the last session would be green and mean nothing."""
    last = bars["session"].max()
    assert isinstance(last, date)
    with pytest.raises(ValueError, match="nothing to prove"):
        assert_past_unmoved(lambda frame: frame, bars, last, np.random.default_rng(0))


@pytest.mark.parametrize(
    "event", [{"split_coefficient": 4.0}, {"dividend_amount": 3.0}], ids=["split", "dividend"]
)
def test_a_split_or_dividend_in_the_last_session_changes_no_earlier_value(
    event: dict[str, float], bars: pl.DataFrame
) -> None:
    """Every corporate action would rewrite the whole table, and what a model was trained on."""
    is_last = pl.col("session") == pl.col("session").max().over("symbol")
    changed = bars.with_columns(
        pl.when(is_last).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        for name, value in event.items()
    )
    before, after = (features_of(TECHNICAL, chained(frame)) for frame in (bars, changed))
    assert_frame_equal(before.filter(~is_last), after.filter(~is_last), check_exact=True)
    assert not before.filter(is_last).equals(after.filter(is_last))
