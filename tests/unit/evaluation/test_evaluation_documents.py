"""Evaluations as documents: valid for the backend, and the same after a trip through the lake."""

from dataclasses import replace
from datetime import date

from pipelines.documents.benchmark import BenchmarkRun
from pipelines.documents.evaluation_run import EvaluationRun
from pipelines.evaluation.baseline_documents import benchmark_run_document
from pipelines.evaluation.contenders import Contender
from pipelines.evaluation.documents import evaluation_documents
from pipelines.evaluation.entries import documents_of, entries
from pipelines.evaluation.requests import Answer, UserScenario
from pipelines.nights import Night, Origin
from pipelines.signals.selection import SelectionEvidence
from pipelines.validation.session_bootstrap import Estimate
from tests.support.backend_contract import assert_valid
from tests.support.documents import AS_OF
from tests.support.evaluated import PLAN, small_evaluation

NIGHT = Night("simulated", date(2016, 9, 1), AS_OF, Origin.BACKFILL)
SELECTION = SelectionEvidence(3, 1.5, 0.9, 0.1)
DOCUMENTS = list(evaluation_documents(PLAN, small_evaluation(), NIGHT, selection=SELECTION))
FIGURE = Estimate(0.5, 0.4, 0.6)
WRITTEN = {"created_at": AS_OF, "updated_at": AS_OF}


def test_every_document_is_valid_for_the_backend() -> None:
    """A scenario that could not be measured must not make the whole list an error."""
    for one in DOCUMENTS:
        assert_valid(one.collection, one.to_mongo() | WRITTEN)
    assert {one.collection for one in DOCUMENTS} == {
        *("evaluation_scenarios", "evaluation_runs", "benchmarks", "benchmark_runs"),
        "fairness_reports",
    }


def test_documents_survive_the_lake() -> None:
    """What is published is what was kept, digit for digit."""
    rows = entries(DOCUMENTS, NIGHT)
    for model in {type(one) for one in DOCUMENTS}:
        mine = {str(one.to_mongo()) for one in DOCUMENTS if isinstance(one, model)}
        assert {str(one.to_mongo()) for one in documents_of(rows, model)} == mine


def test_a_baseline_is_beaten_only_with_whole_intervals() -> None:
    """A model that is a little better on average, by luck, would be told to beat it."""
    won, open_end = Estimate(0.1, 0.01, 0.2), Estimate(0.1, -0.01, 0.2)
    assert run_with(auc=won, net_return=won).passed
    assert not run_with(auc=won, net_return=open_end).passed
    assert not run_with(auc=open_end, net_return=won).passed
    assert run_with(auc=won, net_return=won).judged_by == "everything"
    assert run_with(auc=won, net_return=won).results["before_any_model"].figures == {}


def test_a_users_scenario_is_held_against_the_baselines_and_judges_none() -> None:
    """A user looks for a stretch that the model did well in; no verdict may rest on that."""
    longest, block, unmeasured = small_evaluation()
    asked = [
        Answer({}, name, result=replace(one, scenario=UserScenario(name=name)))
        for name, one in (("My 50% of $2016.", longest), ("my winter", unmeasured))
    ]
    refused = Answer({}, "my typo", reason="unknown symbols: APPL")
    made = list(
        evaluation_documents(PLAN, [block], NIGHT, of_users=[*asked, refused], selection=SELECTION)
    )
    for one in made:
        assert_valid(one.collection, one.to_mongo() | WRITTEN)
    runs = [one for one in made if isinstance(one, EvaluationRun) and one.asked_by == "user"]
    assert [(one.scenario_name, one.status) for one in runs] == [
        ("My 50% of $2016.", "completed"),
        ("my winter", "completed"),
        ("my typo", "failed"),
    ]
    for run in (one for one in made if isinstance(one, BenchmarkRun)):
        assert list(run.results) == ["second_block", "My 50%25 of %242016%2E"]
        of_plan, of_user = run.results.values()
        assert (of_plan.asked_by, of_user.asked_by) == ("plan", "user")
        assert of_user.scenario == "My 50% of $2016."
        assert of_user.rows == longest.rows.height > of_plan.rows
        assert of_user.figures["auc"].model is not None
        assert run.judged_by == "second_block"


def run_with(**differences: Estimate) -> BenchmarkRun:
    """Return the run against the coin where the longest scenario shows these differences."""
    longest, *others = small_evaluation()
    comparisons = tuple(
        replace(one, differences={Contender.COIN: differences.get(one.metric, FIGURE)})
        for one in longest.comparisons
    )
    results = [replace(longest, comparisons=comparisons), *others]
    return benchmark_run_document(results, Contender.COIN, NIGHT)
