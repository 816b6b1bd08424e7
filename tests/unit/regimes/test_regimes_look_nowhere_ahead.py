"""Proof by mutation over the whole way: fits, names, labels and rows of a night."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.regimes.fits import RegimeFit
from pipelines.regimes.history import market_history
from pipelines.regimes.names import MARKET
from pipelines.regimes.nightly import state_rows
from tests.support.regime_markets import (
    DAYS,
    SETTINGS,
    fits_of,
    index_bars,
    market_returns,
    nights_of,
    series_of,
    symbol_returns,
    window_of,
)

CUT = 700
"""Sessions that stay as they are; the rest is another one."""
RETURNS = market_returns(len(DAYS))[0]
OTHER = np.append(RETURNS[:CUT], -3.0 * RETURNS[CUT:])
SYMBOLS = symbol_returns(DAYS)
UNIVERSE = ["S0", "S1", "S2", "UNKNOWN"]
Fits = dict[date, RegimeFit]


@pytest.fixture(scope="module")
def fits() -> Fits:
    """The fits of the market's life."""
    return fits_of(series_of(index_bars(RETURNS)), SYMBOLS)


def rows_of(days: list[date], fits: Fits, *, through: int = len(DAYS)) -> pl.DataFrame:
    """Return the rows of some nights of one fit, from bars through a session."""
    return state_rows(
        window_of(days, fits),
        series_of(index_bars(RETURNS[:through])),
        SYMBOLS.filter(pl.col("session") <= DAYS[through - 1]),
        universe=UNIVERSE,
        first_sessions={},
        settings=SETTINGS,
    ).sort("symbol", "session")


def test_fits_of_the_past_stay_whatever_comes(fits: Fits) -> None:
    """Candidates, their choice, moments and names are made of sessions before the first."""
    index = index_bars(OTHER)
    moved = symbol_returns(DAYS, seed=9)
    symbols = pl.concat(
        [
            SYMBOLS.filter(pl.col("session") < DAYS[CUT]),
            moved.filter(pl.col("session") >= DAYS[CUT]),
        ]
    )
    others = fits_of(series_of(index), symbols)
    past = [start for start in fits if start <= DAYS[CUT]]
    assert len(past) >= 2
    assert len(past) < len(fits)
    for start in past:
        assert others[start].to_document() == fits[start].to_document()
    newest = max(fits)
    assert others[newest].to_document() != fits[newest].to_document()


def test_a_fit_is_made_of_sessions_before_its_first(fits: Fits) -> None:
    """A model that saw the session it tells of would remember it."""
    for start, fit in fits.items():
        assert fit.model.fitted_through < start


def test_the_history_of_the_market_stays_whatever_comes(fits: Fits) -> None:
    """What the ribbon shows of a session is what was known that night."""
    whole = market_history(fits, series_of(index_bars(RETURNS)), SETTINGS)
    kept = {start: fit for start, fit in fits.items() if start <= DAYS[CUT]}
    for returns in (OTHER, RETURNS[:CUT]):
        other = market_history(kept, series_of(index_bars(returns)), SETTINGS)
        known = pl.col("session") < DAYS[CUT]
        assert_frame_equal(other.filter(known), whole.filter(known), check_exact=True)


def test_a_night_alone_tells_what_a_range_tells(fits: Fits) -> None:
    """A backfill of a month and thirty nights must leave the same rows."""
    days = [day for day in DAYS if day >= max(fits)][:30]
    whole = rows_of(days, fits)
    for day in (days[0], days[17], days[-1]):
        alone = rows_of([day], fits, through=DAYS.index(day) + 1)
        assert_frame_equal(alone, whole.filter(pl.col("session") == day), check_exact=True)


def test_every_row_is_whole(fits: Fits) -> None:
    """Four chances that sum to 1, and a reason wherever there is no regime."""
    rows = rows_of([max(fits)], fits)
    assert rows["symbol"].to_list() == [MARKET, *UNIVERSE]
    total = rows.select(pl.sum_horizontal("bullish", "bearish", "sideways", "volatile"))
    assert total.to_series().to_list() == pytest.approx([1.0] * 5)
    reasons = dict(rows.select("symbol", "abstain_reason").iter_rows())
    assert reasons == {MARKET: None, "S0": None, "S1": None, "S2": None, "UNKNOWN": "no_history"}
    (night,) = nights_of([max(fits)])
    assert set(rows["night_id"]) == {night.night_id}


def test_fits_are_added_to_and_never_made_anew(fits: Fits) -> None:
    """A training next year makes next year's fit alone."""
    from pipelines.regimes.walk import walk_forward

    known = [fits[start] for start in sorted(fits)[:-1]]
    made = list(
        walk_forward(
            series_of(index_bars(RETURNS)),
            SYMBOLS,
            known=known,
            settings=SETTINGS,
            progress=lambda _: None,
        )
    )
    assert [fit.applies_from for fit in made] == [max(fits)]
