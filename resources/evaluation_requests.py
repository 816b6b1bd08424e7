"""What users ask to be evaluated: read from the backend's collections, kept, and answered there."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import polars as pl

from pipelines.documents.base import PUBLISHER
from pipelines.documents.evaluation_run import EvaluationRun
from pipelines.documents.evaluation_scenario import EvaluationScenario
from pipelines.evaluation.evaluation import ScenarioResult
from pipelines.evaluation.requests import Answer, Document, Requests
from pipelines.evaluation.tables import EVALUATION_REQUESTS
from pipelines.lifecycle.versions import MODEL_NAME
from pipelines.nights import Night
from pipelines.signals.selection import SelectionEvidence
from resources.lake import Lake
from resources.serving import Serving

OF_OTHERS = {"publisher": {"$ne": PUBLISHER}}
WAITING = {**OF_OTHERS, "status": "pending", "candidate_model_name": MODEL_NAME}
"""Runs of other models are somebody else's to answer."""
ANSWERED_QUERY = f"""
    SELECT DISTINCT document_id, request FROM {EVALUATION_REQUESTS.name}
    WHERE collection = '{EvaluationScenario.collection}'
"""
"""Scenarios of users that an evaluation has replayed or refused, as they were written then."""
READ_OF_SCENARIOS = (
    *("name", "description", "symbols", "start_date", "end_date", "benchmark_metrics"),
)
KEY_DIGITS = 16
READ_OF_RUNS = ("scenario_name", "candidate_model_version", "started_at")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What an evaluation shows: of the plan, of scenarios of users, of runs that waited."""

    results: tuple[ScenarioResult, ...]
    of_scenarios: tuple[Answer, ...] = ()
    of_runs: tuple[Answer, ...] = ()


def read_requests(serving: Serving, *, complain: Callable[[str], None]) -> Requests:
    """Return what users ask for; nothing, and a complaint, where no server answers."""
    from resources.mongodb import ServingUnavailableError

    try:
        return _requests(serving)
    except ServingUnavailableError as error:
        complain(f"{error}; only the plan is evaluated, what users ask for waits")
        return Requests()


def waiting_requests(lake: Lake, serving: Serving) -> dict[str, str]:
    """Return what users ask for and nobody has answered: in words, by a key that is its own.

    A run waits while it is pending, a scenario until an evaluation has seen it as it stands.

    Raises:
        ServingUnavailableError: no server answers; repeating may help.
    """
    asked = _requests(serving)
    answered = set(lake.read(ANSWERED_QUERY).iter_rows())
    scenarios = {
        text: f"scenario {one.get('name')}"
        for one in asked.scenarios
        if (text := _texts_of(one)) not in answered
    }
    runs = {_texts_of(one): f"run of {one.get('scenario_name')}" for one in asked.runs}
    return {
        sha256("\n".join(texts).encode()).hexdigest()[:KEY_DIGITS]: words
        for texts, words in (scenarios | runs).items()
    }


def descriptions_of(lake: Lake, night: Night) -> dict[str, str]:
    """Return what users wrote of the scenarios that a night's evaluation found, by name."""
    held = lake.of_sessions(EVALUATION_REQUESTS, [night.session])
    asked = map(json.loads, held.filter(collection=EvaluationScenario.collection)["request"])
    return {str(one.get("name")): str(one.get("description") or "") for one in asked}


def _requests(serving: Serving) -> Requests:
    """Return what users ask for.

    Raises:
        ServingUnavailableError: no server answers; repeating may help.
    """
    with serving.connect() as database:
        scenarios = database[EvaluationScenario.collection]
        runs = database[EvaluationRun.collection]
        return Requests(
            tuple(scenarios.find(OF_OTHERS, list(READ_OF_SCENARIOS)).sort("_id")),
            tuple(runs.find(WAITING, list(READ_OF_RUNS)).sort("_id")),
        )


def _texts_of(request: Document) -> tuple[str, str]:
    """Return `_id` and content of a request as the lake keeps them: extended JSON."""
    from bson import json_util

    return json_util.dumps(request["_id"]), json_util.dumps(request)


def request_rows(
    made: Evaluation, night: Night, *, selection: SelectionEvidence | None
) -> pl.DataFrame:
    """Return rows of `evaluation_requests`."""
    from bson import json_util

    from pipelines.evaluation.answers import answer_document, answer_fields

    def row(answer: Answer, collection: str, given: dict[str, object] | None) -> dict[str, object]:
        identity, request = _texts_of(answer.request)
        return {
            "session": night.session,
            "collection": collection,
            "document_id": identity,
            "night_id": night.night_id,
            "request": request,
            "reason": answer.reason,
            "answer": None if given is None else json_util.dumps(given),
        }

    of_runs = [
        row(
            one,
            EvaluationRun.collection,
            answer_fields(answer_document(one, night, selection=selection), one.request),
        )
        for one in made.of_runs
    ]
    of_scenarios = [row(one, EvaluationScenario.collection, None) for one in made.of_scenarios]
    schema = dict.fromkeys(EVALUATION_REQUESTS.column_names, pl.String) | {"session": pl.Date}
    return pl.DataFrame([*of_scenarios, *of_runs], schema=schema, orient="row")


def publish_answers(lake: Lake, serving: Serving, *, night: Night) -> None:
    """Write a night's answers into the runs that wait for them.

    Only fields of the answer are written, and only while a run still waits: what its user has
    written, or changed since, stays.
    """
    from bson import json_util

    held = lake.of_sessions(EVALUATION_REQUESTS, [night.session]).drop_nulls("answer")
    with serving.connect() as database:
        for identity, answer in held["document_id", "answer"].iter_rows():
            database[EvaluationRun.collection].update_one(
                {**WAITING, "_id": json_util.loads(identity)}, {"$set": json_util.loads(answer)}
            )
