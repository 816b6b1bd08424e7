"""What users ask to be evaluated: what is refused and why, and what is given to whom."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache

import polars as pl
import pytest

from pipelines.evaluation.answers import answer_document, answer_fields
from pipelines.evaluation.evaluation import ScenarioResult, evaluate_scenario
from pipelines.evaluation.plan import Scenario, Threshold
from pipelines.evaluation.replay import always
from pipelines.evaluation.requests import (
    Answer,
    BadRequestError,
    KnownMarket,
    Requests,
    run_answers,
    scenario_answers,
    user_scenario,
)
from pipelines.nights import Night, Origin
from tests.support.documents import AS_OF
from tests.support.evaluated import PLAN, context_of, models_of
from tests.support.trained_signals import small_panel, small_training

NIGHT = Night("sample", date(2016, 9, 1), AS_OF, Origin.LIVE)
MINE: Mapping[str, object] = {
    "_id": 1,
    "name": "My 2016.",
    "description": "",
    "symbols": [],
    "start_date": datetime(2016, 1, 4, tzinfo=UTC),
    "end_date": datetime(2016, 6, 30, tzinfo=UTC),
    "benchmark_metrics": [{"name": "auc", "threshold": 0.52}, {"name": "brier", "threshold": None}],
}


@cache
def market() -> KnownMarket:
    """Return what the small panel knows."""
    return KnownMarket.of("sample", small_panel(), small_panel())


def symbols(number: int) -> list[str]:
    """Return the first symbols of the small panel."""
    return small_panel()["symbol"].unique().sort()[:number].to_list()


def judge(scenario: Scenario, version: int | None) -> ScenarioResult:
    """Replay on the small panel; any version is the first walk-forward model."""
    models = models_of(small_training())
    return evaluate_scenario(
        scenario,
        PLAN,
        small_panel(),
        context=context_of(small_panel()),
        model_for=models if version is None else always(version, small_training().folds[0]),
    )


def test_a_scenario_is_replayed_on_its_own_symbols_sessions_and_limits() -> None:
    """A user asks about a portfolio of theirs, not about the market."""
    asked = user_scenario({**MINE, "symbols": [f" {one.lower()}" for one in symbols(2)]}, market())
    inside = asked.of(small_panel())
    assert set(inside["symbol"]) == set(symbols(2))
    sessions = inside["session"].to_list()
    assert date(2016, 1, 4) <= min(sessions) <= max(sessions) <= date(2016, 6, 30)
    assert asked.asked_with(PLAN).thresholds == (Threshold(metric="auc", limit=0.52),)
    free = user_scenario({**MINE, "benchmark_metrics": []}, market())
    assert free.asked_with(PLAN) == PLAN
    assert free.of(small_panel())["symbol"].n_unique() == small_panel()["symbol"].n_unique()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"symbols": ["NOPE", "NADA"]}, r"unknown symbols: NADA, NOPE; the market sample has 12"),
        ({"symbols": "AAPL"}, r"symbols is 'AAPL' \(str\), no list"),
        ({"start_date": datetime(2030, 1, 1, tzinfo=UTC), "end_date": None}, "outside the market"),
        ({"start_date": None, "end_date": datetime(1990, 1, 1, tzinfo=UTC)}, "outside the market"),
        ({"start_date": datetime(2016, 7, 1, tzinfo=UTC)}, "before its start 2016-07-01"),
        ({"start_date": "2016"}, r"start_date is '2016' \(str\), no date"),
        ({"benchmark_metrics": [{"name": "beauty", "threshold": 1.0}]}, "no figure is called 'be"),
        ({"benchmark_metrics": [{"name": "auc", "threshold": "big"}]}, "should be a valid number"),
        ({"benchmark_metrics": ["auc"]}, "no list of figures"),
        ({"name": "x"}, "at least 3 characters"),
        ({"description": None}, "description is None"),
    ],
)
def test_a_bad_scenario_is_refused_with_its_reason(
    changed: Mapping[str, object], reason: str
) -> None:
    """Whoever asked must learn what to change; a stack trace in our log tells them nothing."""
    with pytest.raises(BadRequestError, match=reason):
        user_scenario({**MINE, **changed}, market())
    (answer,) = scenario_answers(Requests(({**MINE, **changed},)), market(), judge)
    document = answer_document(answer, NIGHT, selection=None)
    assert (document.status, document.asked_by, document.rows) == ("failed", "user", 0)
    assert document.summary.notes == f"it can't be replayed: {answer.reason}"


def test_a_users_name_takes_the_place_of_the_plans() -> None:
    """Publishing ours over a scenario of the same name would destroy what the user wrote."""
    asked = Requests(({**MINE, "name": "everything"},))
    left = [one.name for one in asked.left_to(PLAN).scenarios]
    assert left == [one.name for one in PLAN.scenarios if one.name != "everything"]


def test_waiting_runs_are_answered_by_name() -> None:
    """A run names a scenario of its user, or of the plan, and maybe a version."""
    asked = Requests(
        (
            {**MINE, "symbols": symbols(1)},
            {**MINE, "_id": 2, "name": "bad", "symbols": ["NOPE"]},
        ),
        (
            {"_id": 1, "scenario_name": "My 2016."},
            {"_id": 2, "scenario_name": "bad"},
            {"_id": 3, "scenario_name": "nobody's"},
            {"_id": 4, "scenario_name": "second_block", "candidate_model_version": "1"},
            {"_id": 5, "scenario_name": "second_block", "candidate_model_version": "newest"},
        ),
    )
    mine, bad, nobodys, of_one, newest = run_answers(asked, PLAN, market(), judge)
    assert mine.result is not None
    assert mine.result.symbols == tuple(symbols(1))
    assert mine.result.metrics is not None, "one symbol is enough"
    told = answer_document(mine, NIGHT, selection=None)
    assert (told.status, told.asked_by) == ("completed", "user")
    assert bad.reason is not None
    assert bad.reason.startswith("unknown symbols: NOPE")
    assert nobodys.reason is not None
    assert "choose one of My 2016., bad, before_any_model" in nobodys.reason
    assert of_one.result is not None
    assert of_one.result.versions == (1,)
    assert newest.reason is not None
    assert newest.reason.startswith("candidate_model_version is 'newest'")


def test_one_version_scores_nothing_that_it_has_seen() -> None:
    """A user who names the newest version for 2008 must not get a record that knew the end."""
    model = small_training().folds[0]
    model_for = always(1, model)
    sessions = small_panel()["session"].unique()
    seen = sessions.filter(sessions <= model.trained_through)
    assert seen.len() > 0
    assert not any(model_for(session) for session in seen)
    assert all(model_for(session) for session in sessions.filter(sessions > model.trained_through))
    rows = judge(Scenario(name="everything", description="All there is."), 1).rows
    assert rows.height > 0
    assert rows.filter(pl.col("session") <= model.trained_through).is_empty()


def test_an_answer_leaves_what_the_user_wrote() -> None:
    """The instant of asking and the version are the user's words; only gaps are filled."""
    wanted = datetime(2036, 11, 30, tzinfo=UTC)
    refused = answer_document(Answer({}, "mine", reason="because"), NIGHT, selection=None)
    given = answer_fields(refused, {"started_at": wanted, "candidate_model_version": "7"})
    assert set(given) == {
        *("status", "summary", "explainability", "compliance_checks"),
        *("completed_at", "evaluation"),
    }
    assert given["completed_at"] == wanted, "no run ends before it was asked for"
    assert answer_fields(refused, {})["started_at"] == AS_OF
