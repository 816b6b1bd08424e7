"""A frozen feature, and one in another unit, stop the night before anything is scored."""

from pathlib import Path

import pytest

from assets.continuity import CONTINUITY_CHECKS
from assets.signals import signal_scores
from resources.lake import Lake
from tests.support.lake import (
    daily_rows,
    derive_all,
    night_of,
    put_bars,
    simulated_bars,
    temporary_lake,
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake whose features are derived from simulated bars."""
    folder: Path = tmp_path_factory.mktemp("lake")
    made = temporary_lake(folder)
    put_bars(made, daily_rows(simulated_bars(symbols=5, missing_share=0)))
    derive_all(made)
    return made


def failed(lake: Lake) -> dict[str, set[str]]:
    """Return the failed checks, with the features that each names."""
    judged = {next(iter(check.check_keys)).name: check(lake=lake) for check in CONTINUITY_CHECKS}
    return {name: set(result.metadata) for name, result in judged.items() if not result.passed}


def rewrite(lake: Lake, table: str, column: str, value: str) -> None:
    """Write another value into a feature of the newest session."""
    statement = (
        f"UPDATE {table} SET {column} = {value} WHERE session = (SELECT max(session) FROM {table})"
    )
    lake.commit(lambda w: w.connection.execute(statement), night=night_of(), message="rewrite")


def test_such_a_feature_stops_the_night_by_name(lake: Lake) -> None:
    """Each stands within its bounds and would be scored: the model knows no better."""
    assert failed(lake) == {}
    before = (
        "(SELECT arg_max(past.volume_ratio_20, past.session) FROM technical_features AS past "
        "WHERE past.symbol = technical_features.symbol "
        "AND past.session < (SELECT max(session) FROM technical_features))"
    )
    rewrite(lake, "technical_features", "volume_ratio_20", before)
    rewrite(lake, "indicator_features", "distance_to_mean_10", "1000 * distance_to_mean_10")
    assert failed(lake) == {
        "technical_features_move_as_before": {"volume_ratio_20"},
        "indicator_features_move_as_before": {"distance_to_mean_10"},
    }
    for check in CONTINUITY_CHECKS:
        (spec,) = check.check_specs
        assert spec.blocking
        assert spec.asset_key in signal_scores.asset_deps[signal_scores.key]
