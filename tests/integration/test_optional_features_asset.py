"""The asset `optional_features`: one step that computes the chosen groups, each a table."""

from pathlib import Path

import dagster as dg
import pytest

from assets.features import market_returns
from assets.optional_features import CHOICE, optional_features_of
from assets.partitions import PARTITION_TAG
from commands.console import QUIET_LOGGERS
from pipelines.features.choice import OPTIONAL_GROUPS
from resources.settings import Settings
from resources.wiring import build_resources
from tests.support.lake import SESSIONS, daily_rows, derive_all, put_bars, simulated_bars

NAMES = ("lake", "market", "nights", "feature_choice")
CHOSEN = {
    "calendar_features",
    "market_relative_features",
    "symbol_regime_features",
    "alpha158_places",
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dg.ExecuteInProcessResult:
    """Run the asset, and the market's returns before it, on a small lake."""
    home: Path = tmp_path_factory.mktemp("home")
    settings = Settings(NIGHTDESK_HOME=str(home), NIGHTDESK_FEATURE_GROUPS=",".join(sorted(CHOSEN)))
    resources = {name: build_resources(settings)[name] for name in NAMES}
    put_bars(resources["lake"], daily_rows(simulated_bars()))
    derive_all(resources["lake"])
    resources["nights"].open([SESSIONS[-1]])
    optional_features = optional_features_of(resources.pop("feature_choice").optional_groups())
    return dg.materialize(
        [market_returns, optional_features],
        resources=resources,
        tags={PARTITION_TAG: SESSIONS[-1].isoformat()},
        run_config=QUIET_LOGGERS,
    )


def test_the_chosen_groups_are_made_and_no_others(result: dg.ExecuteInProcessResult) -> None:
    """A night at full coverage would compute everything, or nothing of what was asked."""
    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()
            if event.asset_key}  # fmt: skip
    assert made == CHOSEN | {"market_returns", CHOICE}
    assert {group.name for group in OPTIONAL_GROUPS} > CHOSEN


def test_each_made_table_is_checked_and_described(result: dg.ExecuteInProcessResult) -> None:
    """A wrong table would look like a good one, and nobody could see how it is spread."""
    checks = {
        check.asset_key.to_user_string(): check for check in result.get_asset_check_evaluations()
    }
    assert set(checks) == CHOSEN
    assert all(check.passed for check in checks.values())
    tables = [
        made
        for made in result.asset_materializations_for_node("optional_features")
        if made.asset_key.to_user_string() != CHOICE
    ]
    assert len(tables) == len(CHOSEN)
    for made in tables:
        assert made.metadata["dagster/row_count"].value > 200
        assert "| " in str(made.metadata["statistics"].value)
