"""Evaluations on a real desk: the job, what it publishes, and how the backend finds it."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

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
    before = documents["evaluation_runs"]
    assert trained_desk.run("evaluation", TRAINED_SESSION).success
    assert trained_desk.documents()["evaluation_runs"] == before


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
