"""Verdicts: a limit is met by a whole interval, and nothing is passed without skill."""

import pytest

from pipelines.evaluation.plan import Threshold
from pipelines.evaluation.verdicts import Compliance, Verdict, check, compliance
from pipelines.validation.session_bootstrap import Estimate

ABOVE = Threshold(metric="auc", limit=0.5)
BELOW = Threshold(metric="expected_calibration_error", limit=0.05, higher_is_better=False)


@pytest.mark.parametrize(
    ("threshold", "value", "expected"),
    [
        pytest.param(ABOVE, Estimate(0.53, 0.51, 0.55), Compliance.PASSED, id="shown"),
        pytest.param(ABOVE, Estimate(0.53, 0.49, 0.57), Compliance.WARNING, id="not shown"),
        pytest.param(ABOVE, Estimate(0.49, 0.45, 0.53), Compliance.FAILED, id="missed"),
        pytest.param(BELOW, Estimate(0.02, 0.01, 0.03), Compliance.PASSED, id="small, shown"),
        pytest.param(BELOW, Estimate(0.04, 0.01, 0.07), Compliance.WARNING, id="small, not shown"),
        pytest.param(BELOW, Estimate(0.06, 0.04, 0.08), Compliance.FAILED, id="too large"),
        pytest.param(ABOVE, None, Compliance.WARNING, id="not measured"),
    ],
)
def test_a_limit_is_met_by_a_whole_interval(
    threshold: Threshold, value: Estimate | None, expected: Compliance
) -> None:
    """A figure alone may be luck."""
    assert check(threshold, value).compliance is expected


def test_nothing_is_passed_without_skill() -> None:
    """Low limits must not turn a coin into a model."""
    met = [check(Threshold(metric="auc", limit=0.1), Estimate(0.5, 0.45, 0.55))]
    assert compliance(Verdict.SKILL, met) is Compliance.PASSED
    assert compliance(Verdict.NO_SKILL_SHOWN, met) is Compliance.WARNING
    assert compliance(Verdict.NOT_MEASURED, []) is Compliance.WARNING
