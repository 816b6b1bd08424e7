"""The code location as a whole: loads anywhere, and every part of it is described and reachable."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.decorators.op_decorator import DecoratedOpFunction

import assets
import jobs
import pipelines
import resources
import schedules
from assets.groups import LAKE_POOL, SERVING_POOL, Group
from assets.retries import tried_again
from definitions import defs
from pipelines.tables import TABLES

ROOT = Path(__file__).parents[2]
JOBS = ("nightly", "training", "history", "evaluation")
PARTITIONED = {
    *(
        "signal_scores",
        "signal_changes",
        "published_signals",
        "published_quality_summaries",
        "night_manifest",
        "night_report",
    ),
    *("portfolio_forecasts", "published_portfolio_forecasts"),
    *("regime_states", "published_regimes"),
    *("track_records", "family_records", "published_track_records"),
}

ASSETS = {
    spec.key.to_user_string(): node
    for node in defs.assets or []
    if isinstance(node, dg.AssetsDefinition)
    for spec in node.specs
}
GRAPH = defs.resolve_asset_graph()
CHECKS = [spec for node in defs.asset_checks or [] for spec in node.check_specs]


@pytest.mark.parametrize("package", [assets, jobs, pipelines, resources, schedules])
def test_packages_with_generic_names_are_ours(package: object) -> None:
    """A package of the same name in site-packages would be run in place of ours."""
    assert Path(str(vars(package)["__file__"])).is_relative_to(ROOT)


def test_definitions_load_with_an_empty_environment(tmp_path: Path) -> None:
    """A machine without any setting must still show the code location, from any folder."""
    code = (
        "import sys, definitions; from dagster import Definitions; "
        "Definitions.validate_loadable(definitions.defs); "
        "heavy = {'mlflow', 'lightgbm', 'sklearn', 'great_expectations', 'pymongo', 'matplotlib'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]", "loading definitions imports what only runs need"


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_every_asset_is_described_owned_and_grouped(name: str) -> None:
    """The catalog is read by people who never open the code."""
    spec = next(iter(ASSETS[name].specs))
    assert spec.description
    assert spec.owners
    assert spec.kinds
    assert spec.group_name in set(Group)


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_a_range_of_sessions_is_one_run_of_every_asset(name: str) -> None:
    """One asset without the policy, and Dagster refuses the range for the whole job."""
    node = ASSETS[name]
    assert node.backfill_policy == dg.BackfillPolicy.single_run()
    assert (node.partitions_def is not None) == (name in PARTITIONED)


@pytest.mark.parametrize("name", sorted(set(ASSETS) & set(TABLES)))
def test_what_writes_the_lake_is_in_its_pool(name: str) -> None:
    """Two writers at once on a SQLite catalog fail one another's commits."""
    assert ASSETS[name].op.pool == LAKE_POOL


@pytest.mark.parametrize("name", sorted(name for name in ASSETS if name.startswith("published_")))
def test_what_publishes_is_in_the_serving_pool(name: str) -> None:
    """Two reconciliations of one collection would delete each other's documents."""
    assert ASSETS[name].op.pool == SERVING_POOL


@pytest.mark.parametrize(
    "name", sorted(name for name in ASSETS if name.startswith("published_") or "manifest" in name)
)
def test_what_publishes_is_tried_again_while_no_server_answers(name: str) -> None:
    """A restart of MongoDB in that minute would fail the night."""
    compute = ASSETS[name].op.compute_fn
    assert isinstance(compute, DecoratedOpFunction)
    attempt = compute.decorated_fn
    assert attempt.__code__ is tried_again(attempt).__code__


def test_every_asset_belongs_to_a_job_and_every_job_selects_something() -> None:
    """A misspelt group gives an empty job without an error."""
    selected = {
        name: {
            key.to_user_string()
            for key in defs.resolve_job_def(name).asset_layer.executable_asset_keys
        }
        for name in JOBS
    }
    assert all(selected.values())
    assert set.union(*selected.values()) == set(ASSETS)
    assert "signal_model" not in selected["nightly"]
    assert not {name for name in selected["training"] if name.startswith("published_")}
    assert not selected["evaluation"] & (selected["nightly"] | selected["training"])


def _by_session(key: dg.AssetKey) -> bool:
    """Tell whether an asset has a partition for each session."""
    return GRAPH.get(key).partitions_def is not None


@cache
def _ancestors(key: dg.AssetKey) -> set[dg.AssetKey]:
    """Return all that an asset is made from."""
    parents = set(GRAPH.get(key).parent_keys)
    return parents.union(*(_ancestors(parent) for parent in parents))


def test_outputs_of_a_session_are_reached_from_outputs_of_a_session() -> None:
    """The UI's backfill leaves out, without a word, sessions that hang on state alone."""
    reached = [key for key in GRAPH.get_all_asset_keys() if any(map(_by_session, _ancestors(key)))]
    by_session = [key for key in reached if _by_session(key)]
    assert len(by_session) > 5
    for key in by_session:
        assert any(map(_by_session, GRAPH.get(key).parent_keys)), key


def test_what_people_watch_and_hold_is_landed_before_the_vendor_is_asked() -> None:
    """Symbols of a new backtest would else get their bars a night late."""
    before = _ancestors(dg.AssetKey("vendor_responses"))
    assert {dg.AssetKey("watchlists"), dg.AssetKey("portfolios")} <= before


def test_jobs_and_schedules_are_described() -> None:
    """Whoever sees a job in the UI must learn what it leaves behind."""
    for name in (*JOBS, "maintenance"):
        assert len(str(defs.resolve_job_def(name).description)) > 80
    for schedule in defs.schedules or []:
        assert schedule.description


def test_checks_are_handed_to_the_code_location() -> None:
    """Checks that are not handed to Definitions vanish without a word."""
    by_name = {spec.name: spec for spec in CHECKS}
    assert set(by_name) == {
        "clean_prices_keep_the_hard_rules",
        "indexes_are_current",
        "quarantine_is_empty",
        "technical_features_are_within_bounds",
        "indicator_features_are_within_bounds",
        "cross_section_features_are_within_bounds",
        "technical_features_move_as_before",
        "indicator_features_move_as_before",
        "cross_section_features_move_as_before",
        "features_do_not_look_ahead",
        "no_portfolio_shows_a_red_light",
        "champion_is_whole",
        "canaries_pass",
        "technical_features_meet_expectations",
        "indicator_features_meet_expectations",
        "cross_section_features_meet_expectations",
        "signal_scores_meet_expectations",
        "bar_scores_meet_expectations",
    }
    assert all(spec.description for spec in CHECKS)
    assert by_name["clean_prices_keep_the_hard_rules"].blocking
    assert by_name["technical_features_are_within_bounds"].blocking
    assert by_name["features_do_not_look_ahead"].blocking
    assert by_name["signal_scores_meet_expectations"].blocking
    assert not by_name["bar_scores_meet_expectations"].blocking
    assert not by_name["quarantine_is_empty"].blocking
