"""Regimes through a real lake: another future, or none, leaves fits and past sessions alone."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.nights import Night, Origin
from pipelines.regimes.model import FloatArray
from pipelines.table import Table
from pipelines.tables import CLEAN_PRICES, EXCHANGE_SESSIONS, INDEX_PRICES
from resources.lake import Lake
from resources.regime_fits import keep_fits, make_fits, why_fit_first
from resources.regime_states import tell_regimes
from tests.support.lake import temporary_lake
from tests.support.regime_markets import (
    CALENDAR,
    DAYS,
    SETTINGS,
    index_bars,
    market_returns,
    nights_of,
    symbol_returns,
)

CUT = 700
"""Sessions that stay as they are."""
RETURNS = market_returns(len(DAYS))[0]
TOLD = DAYS[CUT - 3 : CUT]
UNIVERSE = ["S0", "S1", "S2", "UNKNOWN"]
KINDS = {"DATE": pl.Date(), "INTEGER": pl.Int32(), "BIGINT": pl.Int64(), "VARCHAR": pl.String()}


def whole(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows of a table whose other columns, of no interest to regimes, are filled with 1."""
    filled = {
        column.name: pl.lit(1.0).cast(KINDS.get(column.type, pl.Float64()))
        for column in table.columns
        if column.name not in frame.columns and column.type != "TIMESTAMPTZ"
    }
    instants = {
        column.name: pl.lit(CALENDAR.known_at(DAYS[0]))
        for column in table.columns
        if column.name not in frame.columns and column.type == "TIMESTAMPTZ"
    }
    return frame.with_columns(**filled, **instants).select(table.column_names)


def lake_of(folder: Path, returns: FloatArray, *, seed: int = 2) -> Lake:
    """Return a lake that has fitted the regimes of a market, as often as its history allows."""
    lake = temporary_lake(folder)
    days = DAYS[: len(returns)]
    symbols = pl.concat(
        [
            symbol_returns(DAYS).filter(pl.col("session") < DAYS[CUT]),
            symbol_returns(DAYS, seed=seed).filter(
                pl.col("session").is_between(DAYS[CUT], days[-1])
            ),
        ]
    ).with_columns(
        total_return_index=pl.col("log_return").cum_sum().over("symbol").exp(),
        high=pl.lit(1.01),
        low=pl.lit(0.99),
    )
    tables = {
        EXCHANGE_SESSIONS: pl.DataFrame({"session": DAYS}),
        INDEX_PRICES: index_bars(returns),
        CLEAN_PRICES: symbols.drop("log_return"),
    }
    night = seen_on(days[-1], days[-1])
    for table, frame in tables.items():
        rows = whole(table, frame)
        lake.commit(lambda writer, t=table, r=rows: writer.append(t, r), night=night, message="put")
    made = make_fits(lake, night=night, settings=SETTINGS, progress=lambda _: None)
    keep_fits(lake, made, night=night)
    return lake


def seen_on(session: date, day: date) -> Night:
    """Return a session's night as it is seen when a day's bars are final."""
    return Night("sample", session, CALENDAR.known_at(day), Origin.BACKFILL)


def told(lake: Lake, *, day: date = DAYS[-1]) -> pl.DataFrame:
    """Return what the lake tells of the sessions before the cut, seen on a day."""
    nights = [seen_on(session, day) for session in TOLD]
    rows = tell_regimes(lake, nights, universe=UNIVERSE, first_sessions={}, settings=SETTINGS).rows
    return rows.drop("night_id").sort("symbol", "session")


def fits(lake: Lake) -> list[tuple[date, str]]:
    """Return the first session and the body of each fit that the lake keeps."""
    return lake.read("SELECT applies_from, body FROM regime_fits ORDER BY applies_from").rows()


@pytest.mark.slow
def test_another_future_or_none_moves_no_fit_and_no_session_of_the_past(tmp_path: Path) -> None:
    """Whatever comes later, and whether anything does, a past session keeps its regime."""
    known = lake_of(tmp_path / "known", RETURNS)
    other = lake_of(tmp_path / "other", np.append(RETURNS[:CUT], -3.0 * RETURNS[CUT:]), seed=9)
    cut = lake_of(tmp_path / "cut", RETURNS[:CUT])
    rows = told(known)
    assert rows.height == len(TOLD) * (1 + len(UNIVERSE))
    assert set(rows["abstain_reason"]) == {None, "no_history"}
    assert_frame_equal(told(other), rows, check_exact=True)
    assert_frame_equal(told(cut), rows, check_exact=True)
    past = [fit for fit in fits(known) if fit[0] <= DAYS[CUT]]
    assert 2 <= len(past) < len(fits(known))
    for lake in (other, cut):
        assert [fit for fit in fits(lake) if fit[0] <= DAYS[CUT]] == past
    assert fits(other)[-1] != fits(known)[-1], "the other future is another one"


def test_a_night_uses_no_fit_that_was_made_after_it_and_makes_none_twice(tmp_path: Path) -> None:
    """Told again, a night must say what it said; a fit made twice would be two of one key."""
    lake = lake_of(tmp_path, RETURNS)
    before = fits(lake)
    early = told(lake, day=TOLD[-1])
    assert set(early["abstain_reason"]) == {"no_model"}
    assert (
        make_fits(lake, night=nights_of([DAYS[CUT]])[0], settings=SETTINGS, progress=lambda _: None)
        == []
    )
    assert fits(lake) == before
    asked = {"calendar": CALENDAR, "settings": SETTINGS}
    assert why_fit_first(lake, DAYS[CUT], **asked) is None
    assert why_fit_first(lake, DAYS[253], **asked) is None
