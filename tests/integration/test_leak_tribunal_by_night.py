"""The tribunal of the night: a sample of the real lake, drawn by the night's identity."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pipelines.derivations import Derivation
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.derivation import joint_derivation
from pipelines.features.groups import FeatureGroup
from pipelines.features.market_relative import MARKET_RELATIVE
from pipelines.tables import FEATURE_TABLES
from resources.lake import Lake
from resources.leak_tribunal import judge_features
from tests.support.lake import (
    SESSIONS,
    daily_rows,
    derive_all,
    night_of,
    put_bars,
    simulated_bars,
    temporary_lake,
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with every group of features."""
    made = temporary_lake(tmp_path_factory.mktemp("lake"))
    put_bars(made, daily_rows(simulated_bars(symbols=7, sessions=100)))
    derive_all(made)
    return made


def test_an_honest_lake_is_acquitted(lake: Lake) -> None:
    """Every group is tried, and something is compared in each."""
    verdicts = judge_features(lake, night=night_of())
    assert set(verdicts) == {group.name for group in (*SIGNAL_GROUPS, MARKET_RELATIVE)}
    assert {name: verdict.faults for name, verdict in verdicts.items() if verdict.faults} == {}
    assert sum(verdict.values for verdict in verdicts.values()) > 1000


def test_a_leak_in_the_code_stops_the_night(lake: Lake) -> None:
    """Whatever the night draws: a leak of every row is found in any sample."""

    def leaking(groups: Sequence[FeatureGroup]) -> Derivation:
        honest = joint_derivation(groups)

        def peek(rows: pl.DataFrame) -> pl.DataFrame:
            assert honest.transform
            tomorrow = pl.all().exclude("symbol", "session").shift(-1)
            made = honest.transform(rows).sort("symbol", "session")
            return made.with_columns(tomorrow.over("symbol"))

        return replace(honest, transform=peek)

    for session in SESSIONS[95:98]:
        verdicts = judge_features(lake, night=night_of(session), derivation_of=leaking)
        assert not any(verdict.is_innocent for verdict in verdicts.values())


def test_values_that_the_code_does_not_give_are_found(lake: Lake) -> None:
    """A store that was written by other code, or by hand, must not be scored from."""
    rows = lake.read("SELECT * FROM technical_features")
    wrong = pl.Series("return_5", np.random.default_rng(2).random(rows.height, dtype=np.float32))

    def put(table: pl.DataFrame) -> None:
        lake.commit(
            lambda writer: writer.merge(FEATURE_TABLES["technical_features"], table),
            night=night_of(),
            message="put features",
        )

    put(rows.with_columns(wrong))
    verdict = judge_features(lake, night=night_of())["technical_features"]
    put(rows)
    assert set(verdict.differing) == {"return_5"}
    assert "is not what its look-back gives" in verdict.faults[0]


def test_each_night_looks_elsewhere_and_a_rerun_at_the_same(lake: Lake) -> None:
    """A leak of some sessions alone is found in time; a finding can be looked at again."""
    first, again, other = (
        judge_features(lake, night=night_of(session))["technical_features"].values
        for session in (SESSIONS[99], SESSIONS[99], SESSIONS[98])
    )
    assert first == again
    assert first != other
