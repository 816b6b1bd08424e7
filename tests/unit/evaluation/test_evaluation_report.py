"""The evaluation report: it says what was found, and data can't write HTML into it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from pipelines.documents.base import PublishedDocument
from pipelines.documents.benchmark import BenchmarkRun
from pipelines.documents.evaluation_run import EvaluationRun
from pipelines.documents.evaluation_scenario import EvaluationScenario
from pipelines.documents.fairness_report import FairnessReport
from pipelines.evaluation.documents import evaluation_documents
from pipelines.evaluation.report import EvaluationDocuments, report_page
from pipelines.evaluation.requests import Answer, UserScenario
from pipelines.nights import Night, Origin
from tests.support.documents import AS_OF
from tests.support.evaluated import PLAN, small_evaluation

NIGHT = Night("simulated", date(2016, 9, 1), AS_OF, Origin.BACKFILL)


def documents(*, measured: bool = True, of_users: Sequence[Answer] = ()) -> EvaluationDocuments:
    """Return what the small evaluation published, or only what could not be measured of it."""
    results = small_evaluation() if measured else small_evaluation()[2:]
    made: list[PublishedDocument] = list(
        evaluation_documents(PLAN, results, NIGHT, of_users=of_users)
    )
    return EvaluationDocuments(
        scenarios=[one for one in made if isinstance(one, EvaluationScenario)],
        runs=[one for one in made if isinstance(one, EvaluationRun)],
        benchmark_runs=[one for one in made if isinstance(one, BenchmarkRun)],
        fairness=[one for one in made if isinstance(one, FairnessReport)],
    )


def test_the_page_shows_every_scenario_with_its_figures() -> None:
    """A scenario that is left out without a word would be taken for one that passed."""
    page = report_page(documents())
    for scenario in PLAN.scenarios:
        assert scenario.name in page
    assert page.count("data:image/png;base64,") == 1 + 2 * 4
    for words in ("buy_and_hold", "size=small", "Skill: AUC", "had no model of their time"):
        assert words in page


def test_what_users_asked_has_a_section_of_its_own() -> None:
    """Among the plan's, a stretch that somebody picked would pass for evidence."""
    mine = replace(small_evaluation()[1], scenario=UserScenario(name="My <2016>."))
    asked = (
        Answer({}, "My <2016>.", result=mine),
        Answer({}, "my typo", reason="unknown symbols: APPL"),
    )
    found = documents(of_users=asked)
    page = report_page(replace(found, descriptions={"My <2016>.": "What a <b>winter</b>"}))
    of_plan, of_users = page.split("Asked by users")
    for words in ("My &lt;2016&gt;.", "What a &lt;b&gt;winter", "buy_and_hold", "my typo"):
        assert words in of_users
    assert "it can&#39;t be replayed: unknown symbols: APPL" in of_users
    assert "2016&gt;" not in of_plan
    assert "my typo" not in of_plan
    assert of_users.count("data:image/png;base64,") == 4
    assert "Of 2 measured scenarios" in of_plan
    assert "Asked by users" not in report_page(documents())
    older = replace(
        found,
        benchmark_runs=[
            one.model_copy(update={"results": dict(list(one.results.items())[:3])})
            for one in found.benchmark_runs
        ],
    )
    assert report_page(older).split("Asked by users")[1].count("data:image") == 3


def test_a_page_without_any_measured_scenario_says_why() -> None:
    """A new desk has no model of any past session."""
    page = report_page(documents(measured=False))
    assert "Not measured" in page
    assert "data:image" not in page


def test_data_cannot_write_html_into_the_page() -> None:
    """A person's description of a scenario is text."""
    found = documents()
    scenarios = [
        one.model_copy(update={"description": "<script>alert(1)</script>"})
        for one in found.scenarios
    ]
    page = report_page(
        EvaluationDocuments(scenarios, found.runs, found.benchmark_runs, found.fairness)
    )
    assert "<script>" not in page
