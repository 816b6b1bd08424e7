"""Verdicts: each limit that a person has set, and whether there is any skill at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipelines.evaluation.plan import Threshold
from pipelines.signals.model import INFORMATION_FOR_SKILL
from pipelines.validation.metrics import SignalMetrics
from pipelines.validation.session_bootstrap import Estimate

# With fewer, whole sessions drawn again are so alike that an interval would say too little of luck.
FEWEST_SESSIONS = 20


class Compliance(StrEnum):
    """How a figure stands to its limit."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"


class Verdict(StrEnum):
    """What a scenario shows.

    skill: the probabilities know something, one-sided at 1 %, and lose less than the base rate.
    no_skill_shown: they do not, or it can't be told from luck. not_measured: too few sessions, or
    no model of that time.
    """

    SKILL = "skill"
    NO_SKILL_SHOWN = "no_skill_shown"
    NOT_MEASURED = "not_measured"


@dataclass(frozen=True)
class Check:
    """A limit and what was found; `value` is None where nothing was measured."""

    threshold: Threshold
    value: Estimate | None
    compliance: Compliance


def check(threshold: Threshold, value: Estimate | None) -> Check:
    """Hold a figure against its limit: passed if the whole interval is beyond it."""
    if value is None:
        return Check(threshold, None, Compliance.WARNING)
    sign = 1.0 if threshold.higher_is_better else -1.0
    worst = value.lower if threshold.higher_is_better else value.upper
    if sign * (value.value - threshold.limit) < 0:
        return Check(threshold, value, Compliance.FAILED)
    is_shown = sign * (worst - threshold.limit) > 0
    return Check(threshold, value, Compliance.PASSED if is_shown else Compliance.WARNING)


def checks(thresholds: Sequence[Threshold], figures: Mapping[str, Estimate]) -> tuple[Check, ...]:
    """Hold every limit against the figure of its name."""
    return tuple(check(one, figures.get(one.metric)) for one in thresholds)


def compliance(verdict: Verdict, done: Sequence[Check]) -> Compliance:
    """Return the worst of all checks; without skill nothing is passed."""
    found = {one.compliance for one in done}
    if Compliance.FAILED in found:
        return Compliance.FAILED
    is_clear = verdict is Verdict.SKILL and Compliance.WARNING not in found
    return Compliance.PASSED if is_clear else Compliance.WARNING


def verdict(metrics: SignalMetrics | None) -> Verdict:
    """Return whether measured probabilities show skill."""
    if metrics is None:
        return Verdict.NOT_MEASURED
    gain, information = metrics.log_loss_gain, metrics.information_z
    if gain is None or information is None:
        return Verdict.NO_SKILL_SHOWN
    is_skill = information >= INFORMATION_FOR_SKILL and gain.value > 0
    return Verdict.SKILL if is_skill else Verdict.NO_SKILL_SHOWN


def words(
    found: Verdict, metrics: SignalMetrics | None, *, sessions: int, without_model: int
) -> str:
    """Return the verdict as a sentence with its figures.

    Args:
        found: The verdict.
        metrics: What it rests on; None where nothing was measured.
        sessions: Sessions that could be scored.
        without_model: Sessions before any model of their time.
    """
    missing = f" {without_model} sessions had no model of their time." if without_model else ""
    if metrics is None:
        few = f"{sessions} of the {FEWEST_SESSIONS} sessions that a figure needs"
        return f"Not measured: {few if sessions else 'no session of it to score'}.{missing}"
    area, known = metrics.auc or "undefined", metrics.information_z
    said = "no information at all" if known is None else f"information z {known:.2f}"
    head = "Skill" if found is Verdict.SKILL else "No skill shown"
    size = f"on {metrics.rows:,} signals of {metrics.sessions:,} sessions"
    return f"{head}: AUC {area}, {said} {size}.{missing}"
