"""Whether tonight's training takes the champion's place, and why: a decision a person can read.

A challenger is fitted with the newest sessions held back and compared there with the champion,
which has not seen them either. What is promoted is the same recipe fitted through the last label.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Self

from pipelines.lifecycle.evidence import Canary, CanaryName, PairedComparison
from pipelines.validation.session_bootstrap import Estimate

SESSIONS_PER_YEAR = 252
YEARLY_ALPHA = 0.10
"""Chance that in a year of challenges one without merit wins. It accrues day by day; a challenge
spends what has accrued since the one before it, so that however many there are, they share it."""
LARGEST_ALPHA = 0.05
FEWEST_HELD_BACK, MOST_HELD_BACK = 10, 63
"""Sessions a challenger is compared on: half of those since the champion's last label, so that the
other half is what it has learned beyond the champion."""
REFRESHED_AFTER = 126
"""A champion that is so many sessions old gives way to one that is not shown to be worse, but is
shown to know something."""
WORSE = KNOWS = 0.05
SILENCE_ALPHA = 0.02
"""Level at which a week ends silence after a withdrawal. It is no part of the year's budget: what
has no merit and gets through says little, and its own live sessions take it back."""
SHARE_OF_WINDOW = 0.5
"""What of it the window that forgets may spend where there is one: it alone knows a new sign."""
SEED_ERRORS = 2.0


class Verdict(StrEnum):
    """What became of a training."""

    FIRST = "first"
    PROMOTED = "promoted"
    REFRESHED = "refreshed"
    KEPT = "kept"
    BLOCKED = "blocked"

    @property
    def promotes(self) -> bool:
        """Return whether the training's model becomes champion."""
        return self in {Verdict.FIRST, Verdict.PROMOTED, Verdict.REFRESHED}


@dataclass(frozen=True)
class ChecklistItem:
    """One condition of a promotion: met, not met, or not asked."""

    name: str
    passed: bool | None
    note: str


@dataclass(frozen=True)
class Decision:
    """Whether a training's model becomes champion, with all that it rests on.

    `alpha` is what the challenge spent of the year's budget, 0 without one; `champion` the version
    that scored before, `age` how many sessions it has not seen.
    """

    verdict: Verdict
    reason: str
    session: date
    checklist: tuple[ChecklistItem, ...]
    champion: int | None = None
    age: int = 0
    alpha: float = 0.0
    comparison: PairedComparison | None = None

    def to_document(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return {**asdict(self), "session": self.session.isoformat()}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Return the decision that `to_document` wrote, before or after a trip through JSON."""
        held = document["comparison"]
        slope = held and held["calibration_slope"]
        comparison = held and PairedComparison(
            **{**held, "calibration_slope": Estimate(**slope) if slope else None}
        )
        return cls(
            **{
                **document,
                "verdict": Verdict(document["verdict"]),
                "session": date.fromisoformat(document["session"]),
                "checklist": tuple(ChecklistItem(**item) for item in document["checklist"]),
                "comparison": comparison,
            }
        )


@dataclass(frozen=True)
class Incumbent:
    """The champion as a challenge sees it: its version, sessions that it has not seen, budget.

    Without a version it is saying nothing, since every champion was withdrawn.
    """

    version: int | None
    age: int
    alpha: float

    @classmethod
    def silence(cls, *, alpha: float) -> Self:
        """Return saying nothing, which a model may end at a level."""
        return cls(version=None, age=0, alpha=alpha)

    @property
    def name(self) -> str:
        """What a person reads of it."""
        return "saying nothing" if self.version is None else f"version {self.version}"


def sessions_to_hold_back(age: int) -> int:
    """Return how many sessions a challenger is compared on; 0 where it is too early for one."""
    held_back = min(age // 2, MOST_HELD_BACK)
    return held_back if held_back >= FEWEST_HELD_BACK else 0


def alpha_to_spend(sessions_since_last: int) -> float:
    """Return the level of a test so many sessions after the one before."""
    return min(YEARLY_ALPHA * sessions_since_last / SESSIONS_PER_YEAR, LARGEST_ALPHA)


def window_alpha() -> float:
    """Return the level at which the window that forgets may end silence in a week."""
    return SILENCE_ALPHA * SHARE_OF_WINDOW


def silence_alpha(*, withdrawn: int, has_window: bool) -> float:
    """Return the level at which each other model may: versions withdrawn, and the training."""
    left = SILENCE_ALPHA - window_alpha() if has_window else SILENCE_ALPHA
    return left / (withdrawn + 1)


def failed_canaries(decision: Decision | None) -> dict[str, str]:
    """Return the canaries that a training failed, with what each found."""
    items = decision.checklist if decision else ()
    names = {name.value for name in CanaryName}
    return {item.name: item.note for item in items if item.name in names and item.passed is False}


def decide(
    canaries: Sequence[Canary],
    comparison: PairedComparison | None,
    *,
    incumbent: Incumbent | None,
    session: date,
) -> Decision:
    """Decide whether a training's model becomes champion.

    Args:
        canaries: What the controls said of the training.
        comparison: Its challenger beside the champion; None where there was nothing to compare.
        incumbent: The champion; None where no model knows today's features.
        session: The session of the night that trained.
    """
    canary_items = tuple(ChecklistItem(one.name.value, one.passed, one.note) for one in canaries)
    failed = [one.name.value for one in canaries if not one.passed]
    items = canary_items + _conditions(comparison, incumbent)
    verdict, reason = _verdict(failed, comparison, incumbent, items=items)
    return Decision(
        verdict=verdict,
        reason=reason,
        session=session,
        checklist=items,
        champion=incumbent.version if incumbent else None,
        age=incumbent.age if incumbent else 0,
        alpha=incumbent.alpha if incumbent and comparison else 0.0,
        comparison=comparison,
    )


def _conditions(
    comparison: PairedComparison | None, incumbent: Incumbent | None
) -> tuple[ChecklistItem, ...]:
    """Return what a challenge asks for."""
    names = ("beats_the_champion", "beyond_the_luck_of_seeds", "is_calibrated")
    if incumbent is None:
        return tuple(ChecklistItem(name, None, "there is no champion") for name in names)
    if comparison is None:
        note = f"no challenge: {_too_early(incumbent)}"
        return tuple(ChecklistItem(name, None, note) for name in names)
    slope = comparison.calibration_slope
    is_calibrated = slope is None or slope.lower <= 1.0 <= slope.upper
    return (
        ChecklistItem(
            names[0],
            comparison.p_value < incumbent.alpha,
            f"gain {comparison.gain:.2e} nats over {comparison.sessions} sessions, "
            f"p {comparison.p_value:.4f}, alpha {incumbent.alpha:.4f}",
        ),
        ChecklistItem(
            names[1],
            comparison.gain > SEED_ERRORS * comparison.seed_error,
            f"seeds alone move the gain by {comparison.seed_error:.1e} nats",
        ),
        ChecklistItem(
            names[2],
            is_calibrated,
            "it says the same of all rows" if slope is None else f"slope {slope}",
        ),
    )


def _verdict(
    failed: Sequence[str],
    comparison: PairedComparison | None,
    incumbent: Incumbent | None,
    *,
    items: Sequence[ChecklistItem],
) -> tuple[Verdict, str]:
    """Return the verdict and its reason in words."""
    if failed:
        return Verdict.BLOCKED, f"failing canaries: {', '.join(failed)}"
    if incumbent is None:
        return Verdict.FIRST, "no champion knows today's features, and all canaries pass"
    if comparison is None:
        return Verdict.KEPT, _too_early(incumbent)
    unmet = [item.name for item in items if item.passed is False]
    if not unmet:
        return Verdict.PROMOTED, (
            f"it lost {comparison.gain:.2e} nats less than {incumbent.name} on "
            f"{comparison.sessions} sessions that neither had seen, p {comparison.p_value:.4f}"
        )
    is_worse = comparison.p_value > 1 - WORSE
    # Noise is hardly ever shown to be worse, and would end what is known.
    knows = comparison.knowledge_p is not None and comparison.knowledge_p < KNOWS
    is_sound = knows and "is_calibrated" not in unmet
    if incumbent.age >= REFRESHED_AFTER and is_sound and not is_worse:
        return Verdict.REFRESHED, (
            f"{incumbent.name} is {incumbent.age} sessions old, and the challenger is "
            f"not shown to be worse (p {1 - comparison.p_value:.4f}), and knows something "
            f"(p {comparison.knowledge_p:.4f})"
        )
    return Verdict.KEPT, f"not met: {', '.join(unmet)}"


def _too_early(incumbent: Incumbent) -> str:
    """Say why there was nothing to compare."""
    if incumbent.version is None:
        return "every champion was withdrawn, and too few sessions tell of this training"
    return (
        f"{incumbent.name} has not seen {incumbent.age} sessions: a challenge "
        f"needs {2 * FEWEST_HELD_BACK}"
    )
