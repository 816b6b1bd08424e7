"""Proof by mutation through the real lake: change every bar after a session, the past stays."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.derivations import Derivation
from pipelines.features.derivation import FEATURE_DERIVATIONS
from resources.lake import Lake
from tests.support.lake import (
    SESSIONS,
    daily_rows,
    derive_all,
    night_of,
    put_bars,
    simulated_bars,
    table_of,
    temporary_lake,
)

SESSION = SESSIONS[60]
BARS = daily_rows(simulated_bars(4))
TECHNICAL = FEATURE_DERIVATIONS["technical_features"]
KNOWN_ON = {
    "clean_prices": "session",
    "technical_features": "session",
    "indicator_features": "session",
    "cross_section_features": "session",
    "next_session_labels": "label_end",
}
"""The column of each derived table that tells when a row is known."""


def other_future() -> pl.DataFrame:
    """Return the bars with every value after the session changed, in every symbol."""
    rng = np.random.default_rng(9)
    factor = pl.Series(np.exp(0.3 * rng.standard_normal(len(BARS))))
    is_future = pl.col("session") > SESSION
    prices = ("open", "high", "low", "close", "adjusted_close")
    return BARS.with_columns(
        *(pl.when(is_future).then(pl.col(name) * factor).otherwise(name) for name in prices),
        volume=pl.when(is_future).then(pl.col("volume") * 3 + 1).otherwise("volume"),
        dividend_amount=pl.col("dividend_amount") + pl.when(is_future).then(0.1).otherwise(0.0),
        split_coefficient=pl.col("split_coefficient") * pl.when(is_future).then(1.5).otherwise(1.0),
    )


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, Lake]:
    """Two lakes with the same past and another future."""
    folder: Path = tmp_path_factory.mktemp("lakes")
    pair = temporary_lake(folder / "one"), temporary_lake(folder / "other")
    for lake, bars in zip(pair, (BARS, other_future()), strict=True):
        put_bars(lake, bars)
        derive_all(lake)
    return pair


def assert_same_past(lakes: tuple[Lake, Lake], name: str) -> None:
    """Fail if a row that was known by the session differs between the lakes in any bit."""
    is_past = pl.col(KNOWN_ON[name]) <= SESSION
    one, other = (table_of(lake, name) for lake in lakes)
    assert not one.filter(~is_past).equals(other.filter(~is_past)), "the futures are the same"
    assert_frame_equal(one.filter(is_past), other.filter(is_past), check_exact=True)


@pytest.mark.parametrize("name", KNOWN_ON)
def test_the_future_moves_no_row_of_the_past(lakes: tuple[Lake, Lake], name: str) -> None:
    """A model would be trained on what nobody could know, and be worthless from tomorrow on."""
    past = table_of(lakes[0], name).filter(pl.col(KNOWN_ON[name]) <= SESSION)
    assert past["symbol"].n_unique() == 3
    assert_same_past(lakes, name)


def test_the_same_proof_fails_for_a_planted_leak(lakes: tuple[Lake, Lake]) -> None:
    """A proof that nothing can fail proves nothing."""
    leak = with_leak(TECHNICAL)
    for lake in lakes:
        assert lake.bring_up_to_date(leak, night=night_of()).updated > 0
    try:
        with pytest.raises(AssertionError, match="value mismatch"):
            assert_same_past(lakes, "technical_features")
    finally:
        for lake in lakes:
            lake.bring_up_to_date(TECHNICAL, night=night_of())


def with_leak(honest: Derivation) -> Derivation:
    """Return the derivation with one feature taken from the session after."""
    name = honest.table.value_names[0]

    def peeking(rows: pl.DataFrame) -> pl.DataFrame:
        assert honest.transform
        tomorrow = pl.col(name).shift(-1).over("symbol", order_by="session")
        return honest.transform(rows).with_columns(tomorrow)

    return replace(honest, transform=peeking, revision="peeks")
