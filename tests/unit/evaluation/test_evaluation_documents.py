"""Evaluations as documents: valid for the backend, and the same after a trip through the lake."""

from dataclasses import replace
from datetime import date

from pipelines.documents.benchmark import BenchmarkRun
from pipelines.evaluation.contenders import Contender
from pipelines.evaluation.documents import benchmark_run_document, evaluation_documents
from pipelines.evaluation.entries import documents_of, entries
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


def run_with(**differences: Estimate) -> BenchmarkRun:
    """Return the run against the coin where the longest scenario shows these differences."""
    longest, *others = small_evaluation()
    comparisons = tuple(
        replace(one, differences={Contender.COIN: differences.get(one.metric, FIGURE)})
        for one in longest.comparisons
    )
    results = [replace(longest, comparisons=comparisons), *others]
    return benchmark_run_document(results, Contender.COIN, NIGHT)
