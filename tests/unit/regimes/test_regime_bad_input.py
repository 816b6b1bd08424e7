"""Series that are constant, short, stale or full of gaps: a clear reason, and the rest goes on."""

import numpy as np
import polars as pl
import pytest

from pipelines.regimes.abstaining import abstain_reasons
from pipelines.regimes.names import MARKET
from pipelines.regimes.nightly import state_rows
from pipelines.regimes.series import UNIVERSE
from tests.support.regime_markets import (
    DAYS,
    SETTINGS,
    a_fit,
    fits_of,
    index_bars,
    market_returns,
    no_universe,
    series_of,
    window_of,
)

RETURNS = market_returns(200)[0]
DAY = DAYS[180]


def symbols(**returns: np.ndarray[tuple[int], np.dtype[np.float64]]) -> pl.DataFrame:
    """Return returns of symbols over the first sessions, NaN where there is no bar."""
    frames = [
        pl.DataFrame(
            {"symbol": name, "session": pl.Series(DAYS[: len(own)], dtype=pl.Date)}
        ).with_columns(log_return=pl.Series(own).fill_nan(None))
        for name, own in returns.items()
    ]
    return pl.concat(frames)


def told(returns: pl.DataFrame, *, with_fit: bool = True) -> dict[str, dict[str, object]]:
    """Return the rows of one night, by symbol."""
    fits = {DAYS[100]: a_fit(DAYS[100])} if with_fit else {}
    rows = state_rows(
        window_of([DAY], fits),
        series_of(index_bars(RETURNS)),
        returns,
        universe=returns["symbol"].unique().sort().to_list(),
        first_sessions={},
        settings=SETTINGS,
    )
    return {row["symbol"]: row for row in rows.iter_rows(named=True)}


def test_bad_series_abstain_and_good_ones_do_not() -> None:
    """One bad symbol must not cost the others their regime, nor be given one."""
    rng = np.random.default_rng(1)
    good = 0.01 * rng.standard_normal(181)
    stale, gaps, young = good.copy(), good.copy(), np.full(181, np.nan)
    stale[150:], gaps[100:178:2], young[-3:] = np.nan, np.nan, good[-3:]
    rows = told(symbols(GOOD=good, CONSTANT=np.zeros(181), STALE=stale, GAPS=gaps, YOUNG=young))
    assert {name: row["abstain_reason"] for name, row in rows.items()} == {
        **dict.fromkeys([MARKET, "GOOD", "GAPS", "YOUNG"]),
        "CONSTANT": "constant_prices",
        "STALE": "stale",
    }
    assert (rows["STALE"]["regime"], rows["STALE"]["bullish"]) == ("sideways", 0.25)


def test_a_missing_bar_carries_the_regime_on() -> None:
    """A symbol that did not trade today is where it should be after yesterday."""
    rng = np.random.default_rng(1)
    own = 0.01 * rng.standard_normal(181)
    own[-1] = np.nan
    row = told(symbols(GAP=own))["GAP"]
    assert (row["abstain_reason"], row["last_seen"], row["log_score"]) == (None, DAYS[179], None)


def test_without_a_fit_everyone_abstains() -> None:
    """A desk in its first year says so, and its metrics stand all the same."""
    rows = told(symbols(ONE=RETURNS[:181]), with_fit=False)
    assert {row["abstain_reason"] for row in rows.values()} == {"no_model"}
    assert rows[MARKET]["volatility_pct"] > 0  # type: ignore[operator]


@pytest.mark.parametrize(
    "returns",
    [np.zeros(400), np.full(400, 0.001), market_returns(30)[0]],
    ids=["constant level", "constant return", "thirty sessions"],
)
def test_a_market_without_a_year_of_moves_has_no_fit(
    returns: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    """The reason is told in the log of the training, and nothing is stored."""
    assert fits_of(series_of(index_bars(returns)), symbols(ONE=RETURNS)) == {}


def test_without_an_index_the_universe_stands_for_the_market() -> None:
    """A free key may not ask for indexes."""
    returns = market_returns(400)[0]
    universe = pl.DataFrame(
        {
            "session": pl.Series(DAYS[:400], dtype=pl.Date),
            "simple_return": np.expm1(returns),
            "range": np.abs(returns) + 0.004,
        }
    )
    index = index_bars(returns).head(0)
    (fit, *_) = fits_of(series_of(index, universe), symbols(ONE=returns)).values()
    assert fit.series == UNIVERSE
    assert no_universe().is_empty()


def test_gaps_of_the_index_are_carried_over() -> None:
    """A session that the index lacks costs that session's news, not the fit."""
    index = index_bars(market_returns(400)[0])
    holed = index.filter(~pl.col("session").is_in(DAYS[100:110]))
    days = index["session"].to_list()
    from pipelines.regimes.queries import market_series

    (fit, *_) = fits_of(market_series(days, holed, no_universe()), symbols(ONE=RETURNS)).values()
    assert fit.model.candidate.states >= 1


def test_reasons_are_given_in_order() -> None:
    """Without a model nothing else is worth saying."""
    nothing = np.full((1, 30), np.nan)
    assert abstain_reasons(nothing, has_fit=False) == ["no_model"]
    assert abstain_reasons(nothing, has_fit=True) == ["no_history"]
