"""Replayed scenarios: what they find, and that nothing after them moves them."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from pipelines.documents.base import PublishedDocument
from pipelines.evaluation.contenders import Contender
from pipelines.evaluation.evaluation import ScenarioResult, evaluate
from pipelines.evaluation.plan import EvaluationPlan
from pipelines.evaluation.run_documents import run_document
from pipelines.evaluation.verdicts import Verdict
from pipelines.features.futures import other_futures
from pipelines.nights import Night, Origin
from pipelines.signals.scoring import LookAheadError
from tests.support.documents import AS_OF
from tests.support.evaluated import PLAN, SCENARIO, context_of, models_of, small_evaluation
from tests.support.trained_signals import SMALL_SETTINGS, small_panel, small_training, train

NIGHT = Night("simulated", date(2016, 9, 1), AS_OF, Origin.BACKFILL)
ALONE = EvaluationPlan(scenarios=(SCENARIO,), thresholds=PLAN.thresholds)


def document(result: ScenarioResult) -> PublishedDocument:
    """Return all that is published of a scenario."""
    return run_document(result, NIGHT, selection=None)


def test_planted_skill_is_found_by_models_of_their_time() -> None:
    """A harness that does not see what is there would condemn every model."""
    everything, _, _ = small_evaluation()
    assert everything.verdict is Verdict.SKILL
    assert len(everything.versions) > 2
    (area,) = [one for one in everything.comparisons if one.metric == "auc"]
    assert area.differences[Contender.BUY_AND_HOLD].lower > 0
    assert everything.explanation is not None
    strongest = [one.feature for one in everything.explanation.importances[:3]]
    assert "trend" in strongest


def test_shuffled_outcomes_show_no_skill() -> None:
    """Where there is nothing to know the verdict has to say so."""
    panel = small_panel()
    order = np.random.default_rng(2).permutation(panel.height)
    outcomes = ["is_up", "next_session_return", "next_open_return"]
    shuffled = panel.with_columns(panel.select(outcomes)[order])
    for result in evaluate(PLAN, shuffled, context_of(panel), models_of(small_training()))[:2]:
        assert result.verdict is Verdict.NO_SKILL_SHOWN
        told = run_document(result, NIGHT, selection=None)
        assert told.summary.notes.startswith("No skill shown: AUC")
        assert told.summary.compliance != "passed"


@pytest.mark.slow
def test_nothing_after_a_scenario_moves_it() -> None:
    """Replayed means seen with what was known: other futures, trained on, give the same result."""
    panel = small_panel()
    expected = document(small_evaluation()[1])
    known_by = panel.filter(pl.col("session") <= SCENARIO.end)["label_end"].to_list()[-1]
    _, changed = next(iter(other_futures(panel, known_by, np.random.default_rng(4))))
    assert changed["session"].n_unique() == panel["session"].n_unique()
    training = train(changed, SMALL_SETTINGS)
    (result,) = evaluate(ALONE, changed, context_of(panel), models_of(training))
    assert training.final != small_training().final
    assert document(result) == expected


def test_a_result_within_the_scenario_would_be_seen() -> None:
    """The proof above could be blind: one outcome inside has to move the result."""
    panel = small_panel()
    inside = (pl.col("session") == date(2016, 1, 4)) & (pl.col("symbol") == "S00")
    flipped = panel.with_columns(pl.when(inside).then(~pl.col("is_up")).otherwise("is_up"))
    (result,) = evaluate(ALONE, flipped, context_of(panel), models_of(small_training()))
    assert document(result) != document(small_evaluation()[1])


def test_a_model_that_has_seen_the_session_is_refused() -> None:
    """A replay with tonight's model would look like foresight."""
    panel, model = small_panel(), small_training().final
    with pytest.raises(LookAheadError, match="trained through"):
        evaluate(PLAN, panel, context_of(panel), lambda _: (1, model))


def test_a_scenario_before_any_model_is_not_measured() -> None:
    """The year 2000 has no model of its time: a figure would have to come from a later one."""
    result = small_evaluation()[2]
    told = run_document(result, NIGHT, selection=None)
    assert (told.verdict, told.rows, told.candidate_model_version) == ("not_measured", 0, None)
    assert told.sessions_without_model > 0
    assert "had no model of their time" in told.summary.notes
    assert told.summary.compliance == "warning"


def test_ten_sessions_are_too_few_to_measure() -> None:
    """Whole sessions drawn again from ten are so alike that an interval would say nothing."""
    short = SCENARIO.model_copy(update={"end": date(2015, 12, 18)})
    plan = EvaluationPlan(scenarios=(short,), thresholds=PLAN.thresholds)
    panel = small_panel()
    (result,) = evaluate(plan, panel, context_of(panel), models_of(small_training()))
    told = run_document(result, NIGHT, selection=None)
    assert (told.verdict, told.sessions, told.summary.metrics) == ("not_measured", 10, ())
    assert told.summary.notes == "Not measured: 10 of the 20 sessions that a figure needs."
