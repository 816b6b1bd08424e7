"""The plan of evaluations: data that a person writes, refused with a sentence where it is wrong."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.evaluation.plan import PlanError, default_plan, read_plan
from resources.evaluations import EvaluationPlans

SCENARIO = "scenarios: [{name: crash, description: A long fall., start: 2008-09-01}]"


def test_the_desks_plan_holds_the_crises_and_calm_periods() -> None:
    """The months that everyone will ask about."""
    plan = default_plan()
    asked = (date(2000, 2, 29), date(2008, 9, 15), date(2010, 5, 6), date(2011, 8, 8))
    dated = [one for one in plan.scenarios if one.start and one.end]
    for day in asked:
        assert [one for one in dated if one.start <= day <= one.end], day  # type: ignore[operator]
    assert len([one for one in dated if one.name.startswith("calm")]) == 2
    assert {one.metric for one in plan.thresholds} >= {"auc", "net_return"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("scenarios: [", "no YAML", id="no YAML"),
        pytest.param("scenarios: []", "at least 1 item", id="no scenario"),
        pytest.param(f"{SCENARIO}\nlimits: []", "limits", id="unknown part"),
        pytest.param(
            f"{SCENARIO}\nthresholds: [{{metric: acu, limit: 1}}]", "no figure", id="unknown figure"
        ),
        pytest.param(
            "scenarios: [{name: odd, description: Ends too soon., start: 2008-09-01, "
            "end: 2008-08-01}]",
            "before its start",
            id="backwards",
        ),
        pytest.param(
            "scenarios: [{name: two, description: A long fall.}, "
            "{name: two, description: Another fall.}]",
            "twice",
            id="one name for two",
        ),
    ],
)
def test_a_wrong_plan_is_refused_with_its_place(text: str, said: str) -> None:
    """A limit that is misspelt would otherwise never be asked."""
    with pytest.raises(PlanError, match=said):
        read_plan(text, source="mine.yaml")


def test_a_persons_limits_take_the_place_of_the_desks() -> None:
    """Whoever sets none must not find the desk's beside his own."""
    plan = read_plan(f"{SCENARIO}\nthresholds: [{{metric: auc, limit: 0.55}}]", source="mine.yaml")
    assert [(one.metric, one.limit) for one in plan.thresholds] == [("auc", 0.55)]


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    """What NIGHTDESK_EVALUATION_FILE names; without it the desk's plan."""
    file = tmp_path / "mine.yaml"
    file.write_text(SCENARIO)
    assert [one.name for one in EvaluationPlans(file=str(file)).plan().scenarios] == ["crash"]
    assert EvaluationPlans().plan() == default_plan()
