"""What users ask for starts an evaluation, each request once, and an unreachable server none."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pymongo.database import Database

from assets.partitions import PARTITION_TAG
from jobs.evaluation import EVALUATION
from pipelines.documents.evaluation_run import EvaluationRun
from pipelines.evaluation.requests import Answer
from pipelines.evaluation.tables import EVALUATION_REQUESTS
from resources.evaluation_requests import Evaluation, read_requests, request_rows
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.serving import Serving
from schedules.evaluation_requests import evaluation_requests
from tests.support.lake import night_of, temporary_lake

MongoDatabase = Database[dict[str, Any]]
SESSION = date(2013, 2, 28)
SCENARIO = {
    "name": "my summer",
    "description": "",
    "symbols": ["AAPL"],
    # Kept as text and compared with it: what reads back otherwise would be asked for for ever.
    "start_date": datetime(2004, 6, 1, 12, 30, 0, 123_000, tzinfo=UTC),
    "benchmark_metrics": [{"name": "auc", "threshold": 0.1 + 0.2}, {"name": "brier"}],
}
RUN = {
    "scenario_name": "my summer",
    "candidate_backtest_id": "b1",
    "candidate_model_name": "signal",
    "status": "pending",
    "started_at": datetime(2026, 11, 30, tzinfo=UTC),
}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Return a lake that knows no night."""
    return temporary_lake(tmp_path / "lake")


@pytest.fixture
def context(lake: Lake, serving: Serving) -> Iterator[dg.SensorEvaluationContext]:
    """Return what the daemon gives to the sensor."""
    nights = Nights(lake=lake, market=Market(name="sample"))
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(
            instance=instance, resources={"lake": lake, "nights": nights, "serving": serving}
        ) as made,
    ):
        yield made


def publish_a_night(lake: Lake) -> None:
    """Note that a night is published to the end."""
    night = night_of(SESSION)
    lake.commit(
        lambda writer: writer.connection.execute(
            "INSERT INTO nights BY NAME SELECT 'sample' AS market, $session::DATE AS session, "
            "$night_id AS night_id, $as_of AS as_of, 'live' AS origin, true AS is_published",
            {"session": SESSION, "night_id": night.night_id, "as_of": night.as_of},
        ),
        night=night,
        message="publish",
    )


def started(context: dg.SensorEvaluationContext) -> dg.RunRequest:
    """Return the one run that the sensor asks for, and keep its cursor as the daemon does."""
    told = evaluation_requests(context)
    assert isinstance(told, dg.SensorResult)
    context.update_cursor(told.cursor)
    (asked,) = told.run_requests or ()
    assert isinstance(asked, dg.RunRequest)
    return asked


def skipped(context: dg.SensorEvaluationContext) -> str:
    """Return why the sensor asks for none."""
    told = evaluation_requests(context)
    assert isinstance(told, dg.SkipReason)
    return str(told.skip_message)


def answer(lake: Lake, serving: Serving, database: MongoDatabase) -> None:
    """Do what the job does to requests that can't be met: note them, and end the runs."""
    asked = read_requests(serving, complain=pytest.fail)
    made = Evaluation(
        results=(),
        of_scenarios=tuple(Answer(one, str(one["name"]), reason="no") for one in asked.scenarios),
    )
    rows = request_rows(made, night_of(SESSION), selection=None)
    lake.commit(
        lambda writer: writer.merge(EVALUATION_REQUESTS, rows),
        night=night_of(SESSION),
        message="answer",
    )
    database[EvaluationRun.collection].update_many(
        {"status": "pending", "candidate_model_name": "signal"}, {"$set": {"status": "failed"}}
    )


def test_each_request_starts_one_run_and_an_answered_one_none(
    context: dg.SensorEvaluationContext, lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """A user waited until the first of a month; a request asked for again would run all day."""
    scenarios, runs = database["evaluation_scenarios"], database["evaluation_runs"]
    scenarios.insert_one(dict(SCENARIO))
    assert "no night is published yet" in skipped(context)
    publish_a_night(lake)
    first = started(context)
    assert first.tags[PARTITION_TAG] == SESSION.isoformat()
    assert first.tags["nightdesk/reason"] == "scenario my summer"
    assert "was started that should have answered 1 requests" in skipped(context)

    runs.insert_many([dict(RUN), dict(RUN), {**RUN, "candidate_model_name": "sma_crossover"}])
    runs.insert_one({**RUN, "publisher": "nightdesk"})
    second = started(context)
    assert second.run_key != first.run_key
    assert second.tags["nightdesk/reason"] == "run of my summer, run of my summer"
    answer(lake, serving, database)
    assert skipped(context) == "every request of users is answered"

    scenarios.update_one({"name": "my summer"}, {"$set": {"symbols": ["MSFT"]}})
    third = started(context)
    assert third.run_key not in {first.run_key, second.run_key}
    assert third.tags["nightdesk/reason"] == "scenario my summer"


def test_what_comes_while_an_evaluation_runs_waits_for_its_end(
    context: dg.SensorEvaluationContext, lake: Lake, database: MongoDatabase
) -> None:
    """Two evaluations of the same night at once would do the same work twice."""
    publish_a_night(lake)
    database["evaluation_runs"].insert_one(dict(RUN))
    run = context.instance.create_run_for_job(
        dg.Definitions(assets=[nothing], jobs=[JOB]).resolve_job_def("evaluation"),
        status=dg.DagsterRunStatus.STARTED,
    )
    assert "under way: 1 requests wait" in skipped(context)
    context.instance.report_run_failed(run)
    assert started(context).tags["nightdesk/reason"] == "run of my summer"


@dg.asset
def nothing() -> None:
    """Do nothing: only the run's record matters."""


JOB = dg.define_asset_job(EVALUATION.name, selection=[nothing])


def test_a_server_that_does_not_answer_is_named_and_nothing_starts(
    lake: Lake, tmp_path: Path
) -> None:
    """A sensor that fails every five minutes hides the one that should be looked at."""
    publish_a_night(lake)
    nights = Nights(lake=lake, market=Market(name="sample"))
    gone = Serving(uri="mongodb://ann:hush@127.0.0.1:9/", connect_seconds=0.2)
    embedded = Serving(state_folder=str(tmp_path / "state"))
    for serving, words in (
        (gone, "no MongoDB answers at mongodb://ann:***@127.0.0.1:9/"),
        (embedded, "the embedded MongoDB does not run"),
    ):
        resources = {"lake": lake, "nights": nights, "serving": serving}
        with dg.build_sensor_context(resources=resources) as context:
            told = skipped(context)
        assert words in told
        assert "hush" not in told
    assert not (tmp_path / "state").exists(), "looking started a server"
