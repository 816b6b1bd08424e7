"""Evaluations on a real desk: the job, what it publishes, and how the backend finds it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from pipelines.evaluation.documents import evaluation_documents
from pipelines.evaluation.entries import entries
from pipelines.evaluation.tables import EVALUATIONS
from pipelines.nights import Night, Origin
from resources.evaluations import publish_evaluation
from resources.lake import Lake
from resources.serving import Serving
from tests.support.backend_contract import assert_valid, backend_collections, index_options
from tests.support.desk import TRAINED_SESSION, Desk
from tests.support.documents import AS_OF
from tests.support.evaluated import PLAN, small_evaluation
from tests.support.lake import temporary_lake

MongoDatabase = Database[dict[str, Any]]
NIGHT = Night("sample", date(2013, 2, 28), AS_OF, Origin.BACKFILL)
COLLECTIONS = (
    *("evaluation_scenarios", "evaluation_runs", "benchmarks", "benchmark_runs"),
    "fairness_reports",
)
USER = "ann"
ASKED: Mapping[str, Mapping[str, Any]] = {
    name: {
        "_id": ObjectId(f"{number:024x}"),
        "user_id": USER,
        "candidate_backtest_id": "b1",
        "candidate_model_name": "signal",
        "status": "pending",
        "started_at": datetime(2026, 11, 30, tzinfo=UTC),
        **asked,
    }
    for number, (name, asked) in enumerate(
        {
            "mine": {"scenario_name": "my summer"},
            "typo": {"scenario_name": "my typo"},
            "version": {"scenario_name": "walk_forward", "candidate_model_version": "999"},
            "other": {"scenario_name": "walk_forward", "candidate_model_name": "sma_crossover"},
        }.items()
    )
}
NAME = {"scenario_name": "everything"}


def kept(lake: Lake, night: Night) -> None:
    """Keep the small evaluation in a lake, as that of a night."""
    rows = entries(evaluation_documents(PLAN, small_evaluation(), night), night)
    lake.replace_sessions(EVALUATIONS, rows, nights=[night])


def scans(plan: Mapping[str, Any]) -> set[str]:
    """Return the names of all stages of a query's plan."""
    own = {str(plan["stage"])} if "stage" in plan else set()
    inner = plan.get("inputStages", [plan["inputStage"]] if "inputStage" in plan else [])
    return own.union(*(scans(one) for one in inner))


@pytest.mark.slow
def test_the_job_publishes_what_the_backend_can_read(trained_desk: Desk) -> None:
    """The whole way: models from MLflow, rows from the lake, documents into MongoDB."""
    assert trained_desk.run("evaluation", TRAINED_SESSION).success
    documents = trained_desk.documents()
    for collection in COLLECTIONS:
        assert documents[collection]
        for document in documents[collection]:
            assert_valid(collection, document)
    runs = {one["scenario_name"]: one for one in documents["evaluation_runs"]}
    measured, early = runs["walk_forward"], runs["financial_crisis_2008_09"]
    assert measured["sessions"] > 20
    assert measured["last_session"] < TRAINED_SESSION.isoformat()
    assert measured["selection"]["trials"] == 3
    assert (early["verdict"], early["rows"]) == ("not_measured", 0)
    ours = documents["evaluation_runs"]
    with trained_desk.serving.connect() as database:
        ask(database)
        try:
            assert trained_desk.run("evaluation", TRAINED_SESSION).success
            assert_answered(database)
            page = trained_desk.folder / "reports" / "sample" / f"evaluation-{TRAINED_SESSION}.html"
            assert "Asked by users" in page.read_text()
        finally:
            for collection in ("evaluation_scenarios", "evaluation_runs"):
                database[collection].delete_many({"user_id": USER})
    held = [one for one in trained_desk.documents()["evaluation_runs"] if one["asked_by"] == "plan"]
    assert held == ours


def ask(database: MongoDatabase) -> None:
    """Write what a user asks for, as the backend does; two runs of one scenario among it."""
    scenario = {"user_id": USER, "description": "", "symbols": ["AAPL", "MSFT"]}
    database["evaluation_scenarios"].insert_many(
        [
            {**scenario, "name": "my summer", "start_date": datetime(2004, 6, 1, tzinfo=UTC)},
            {**scenario, "name": "my typo", "symbols": ["APPL"]},
        ]
    )
    database["evaluation_runs"].insert_many([dict(one) for one in ASKED.values()])


def assert_answered(database: MongoDatabase) -> None:
    """Require an answer of each run that waited for one, and every word of the user's."""
    runs = database["evaluation_runs"]
    for asked in ASKED.values():
        found = runs.find_one({"_id": asked["_id"]})
        assert found is not None
        assert_valid("evaluation_runs", found)
        told = {name: value for name, value in found.items() if name != "status"}
        assert {**told, "status": "pending"}.items() >= asked.items()
    mine, typo, version, other = (runs.find_one({"_id": one["_id"]}) for one in ASKED.values())
    ours = runs.find_one({"scenario_name": "my summer", "publisher": "nightdesk"})
    assert mine["status"] == ours["status"] == "completed"
    assert mine["summary"] == ours["summary"]
    assert mine["evaluation"]["first_session"] >= "2004-06-01"
    assert ours["asked_by"] == "user"
    (against,) = database["benchmark_runs"].find({"benchmark_name": "buy_and_hold"})
    held = against["results"]["my summer"]
    assert (held["asked_by"], held["rows"]) == ("user", ours["rows"])
    assert held["figures"]["auc"]["model"] is not None
    assert "my typo" not in against["results"]
    assert against["judged_by"] != "my summer"
    assert typo["status"] == "failed"
    assert "unknown symbols: APPL" in typo["summary"]["notes"]
    refused = runs.find_one({"scenario_name": "my typo", "publisher": "nightdesk"})
    assert refused["summary"] == typo["summary"]
    assert version["status"] == "failed"
    assert "no version 999 of model 'signal'" in version["summary"]["notes"]
    assert other["status"] == "pending", "another model's run is not ours to answer"
    scenarios = database["evaluation_scenarios"].find({"user_id": USER}).sort("name")
    assert [sorted(one) for one in scenarios] == [
        ["_id", "description", "name", "start_date", "symbols", "user_id"],
        ["_id", "description", "name", "symbols", "user_id"],
    ]


def test_an_evaluation_leaves_earlier_ones_and_foreign_documents_alone(
    tmp_path: Path, serving: Serving, database: MongoDatabase
) -> None:
    """The record of last month is what a trend is read from."""
    lake = temporary_lake(tmp_path)
    foreign = {"name": "mine", "description": "A scenario of a user.", "user_id": "u1"}
    database["evaluation_scenarios"].insert_one(dict(foreign))
    earlier = Night("sample", date(2013, 1, 31), AS_OF, Origin.BACKFILL)
    for night in (earlier, NIGHT, NIGHT):
        kept(lake, night)
        reports = publish_evaluation(lake, serving, night=night)
    assert {one.inserted + one.updated + one.deleted for one in reports} == {0}
    runs = database["evaluation_runs"].distinct("session")
    assert runs == ["2013-01-31", "2013-02-28"]
    assert database["evaluation_scenarios"].count_documents({}) == len(PLAN.scenarios) + 1
    assert database["evaluation_scenarios"].find_one({"name": "mine"}, {"_id": 0}) == foreign


def test_users_may_ask_the_same_twice(
    tmp_path: Path, serving: Serving, database: MongoDatabase
) -> None:
    """Their runs lack market and session: to a unique index of ours all would be one document."""
    lake = temporary_lake(tmp_path)
    kept(lake, NIGHT)
    publish_evaluation(lake, serving, night=NIGHT)
    for collection, asked in (
        ("evaluation_runs", {**NAME, "candidate_model_name": "signal", "status": "pending"}),
        ("benchmark_runs", {"benchmark_name": "coin", "model_id": "signal"}),
        ("fairness_reports", {"model_id": "signal"}),
    ):
        database[collection].insert_many([dict(asked), dict(asked)])
        twice = database[collection].find_one({"publisher": "nightdesk"}, {"_id": 0})
        with pytest.raises(DuplicateKeyError):
            database[collection].insert_one(twice)


@pytest.mark.parametrize(
    ("collection", "asked", "order"),
    [
        ("evaluation_scenarios", {"name": "everything"}, []),
        ("evaluation_scenarios", {}, [("created_at", -1)]),
        ("evaluation_runs", NAME, [("started_at", -1)]),
        (
            "evaluation_runs",
            {"candidate_model_name": "signal", "candidate_model_version": "6"},
            [],
        ),
        ("benchmarks", {"name": "coin"}, []),
        ("benchmarks", {}, [("created_at", -1)]),
        ("benchmark_runs", {"benchmark_name": "coin"}, [("started_at", -1)]),
        ("benchmark_runs", {"model_id": "signal", "model_version": "6"}, []),
        ("fairness_reports", {"model_id": "signal"}, [("created_at", -1)]),
    ],
)
def test_the_backends_queries_hit_an_index(
    tmp_path: Path,
    serving: Serving,
    database: MongoDatabase,
    *,
    collection: str,
    asked: dict[str, str],
    order: Sequence[tuple[str, int]],
) -> None:
    """A scan of the collection, or a sort in memory, grows with every evaluation."""
    lake = temporary_lake(tmp_path)
    kept(lake, NIGHT)
    publish_evaluation(lake, serving, night=NIGHT)
    for index in backend_collections()[collection]:
        keys = [tuple(key) for key in index["keys"]]
        database[collection].create_index(keys, **index_options(index))
    found = database[collection].find(asked)
    explained = (found.sort(list(order)) if order else found).explain()
    stages = scans(explained["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in stages
    assert not stages & {"COLLSCAN", "SORT"}
