"""A corporate action in the last session, through the real lake: no earlier feature moves."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.markets.recorded import BAR_SCHEMA
from resources.lake import Lake
from tests.support.clean_bars import FIRST_SESSION, simulated_clean_prices
from tests.support.lake import CALENDAR, daily_rows, derive_all, put_bars, table_of, temporary_lake

SESSIONS = CALENDAR.sessions(date(2012, 1, 3), date(2013, 3, 1))
LAST = SESSIONS[-1]
IS_LAST = (pl.col("symbol") == "S0") & (pl.col("session") == LAST)
IS_PAST = (pl.col("symbol") == "S0") & (pl.col("session") < LAST)


def long_bars() -> pl.DataFrame:
    """Return bars long enough for every feature to have values."""
    made = simulated_clean_prices(
        np.random.default_rng(2), sessions=len(SESSIONS), missing_share=0.0
    )
    days = {FIRST_SESSION + timedelta(days=row): day for row, day in enumerate(SESSIONS)}
    on_sessions = pl.col("session").replace_strict(days, return_dtype=pl.Date)
    return daily_rows(made.with_columns(on_sessions).select(BAR_SCHEMA.names()))


BARS = long_bars()
SPLIT = BARS.with_columns(
    *(pl.when(IS_LAST).then(pl.col(name) / 2).otherwise(name) for name in BAR_SCHEMA.names()[2:6]),
    split_coefficient=pl.when(IS_LAST).then(2.0).otherwise("split_coefficient"),
    adjusted_close=pl.when(IS_PAST).then(pl.col("adjusted_close") / 2).otherwise("adjusted_close"),
)
DIVIDEND = BARS.with_columns(
    dividend_amount=pl.when(IS_LAST).then(pl.col("close") / 100).otherwise("dividend_amount"),
    adjusted_close=pl.when(IS_PAST)
    .then(pl.col("adjusted_close") * 0.9)
    .otherwise("adjusted_close"),
)
READJUSTED = BARS.with_columns(pl.col("adjusted_close") * 0.97)
"""What the vendor sends tonight: an event on S0, and the adjusted past that comes with it."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake on which each test lets tonight's answer follow the one before."""
    folder: Path = tmp_path_factory.mktemp("lakes")
    made = temporary_lake(folder / "lake")
    put_bars(made, BARS, sessions=SESSIONS)
    derive_all(made)
    return made


@pytest.mark.parametrize(
    "tonight", [SPLIT, DIVIDEND, READJUSTED], ids=["split", "dividend", "readjustment"]
)
def test_no_feature_before_the_last_session_moves(lake: Lake, tonight: pl.DataFrame) -> None:
    """Each dividend would rewrite what every model was trained on."""
    before = {group.name: table_of(lake, group.name) for group in SIGNAL_GROUPS}
    put_bars(lake, tonight, sessions=SESSIONS)
    updates = derive_all(lake)
    # All but the few bars of the random walk that the rules withhold.
    assert updates["clean_prices"].updated > 0.9 * len(SESSIONS), "the adjusted past is taken in"
    for name, earlier in before.items():
        is_earlier = pl.col("session") < LAST
        now = table_of(lake, name)
        assert_frame_equal(now.filter(is_earlier), earlier.filter(is_earlier), check_exact=True)
        assert earlier.filter(is_earlier)[-1].null_count().sum_horizontal().item() == 0
        # One row each, three where symbols are compared.
        assert updates[name].updated <= 3
        assert updates[name].inserted == updates[name].deleted == 0
