"""Whether the configured pool takes the reigning one's place: a decision that a person can read.

The first pool reigns by default. A later one must beat it, since a pool that weighs and calibrates
itself anew each night does not grow old. Its tests share the yearly budget of the signals' rule.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from pipelines.forecasts.pool_challenge import (
    BLOCK,
    FEWEST_BLOCKS,
    HorizonCoverage,
    PoolComparison,
)
from pipelines.lifecycle.evidence import Canary
from pipelines.lifecycle.promotion import ChecklistItem, Verdict


@dataclass(frozen=True)
class PoolDecision:
    """Whether a pool is promoted, with all that it rests on.

    Attributes:
        verdict: What became of it.
        reason: Why, in words.
        checklist: What was asked.
        champion: Version of the pool that reigned before; None before the first.
        alpha: Level that its test spent of the year's budget; 0 where nothing was compared.
        comparison: What the test was made of.
    """

    verdict: Verdict
    reason: str
    checklist: tuple[ChecklistItem, ...]
    champion: str | None = None
    alpha: float = 0.0
    comparison: PoolComparison | None = None

    def to_document(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Return the decision that `to_document` wrote."""
        held = document["comparison"]
        coverage = tuple(HorizonCoverage(**one) for one in held["coverage"]) if held else ()
        return cls(
            verdict=Verdict(document["verdict"]),
            reason=document["reason"],
            checklist=tuple(ChecklistItem(**item) for item in document["checklist"]),
            champion=document["champion"],
            alpha=document["alpha"],
            comparison=PoolComparison(**{**held, "coverage": coverage}) if held else None,
        )


def first_decision(canaries: Sequence[Canary]) -> PoolDecision:
    """Return the decision about the first pool: it reigns, whatever its canaries say."""
    failed = _failed(canaries)
    reason = "the first pool reigns by default"
    if failed:
        reason = f"{reason}, though canaries fail: {', '.join(failed)}"
    return PoolDecision(Verdict.FIRST, reason, _items(canaries))


def succession(canaries: Sequence[Canary], *, champion: str, why: str) -> PoolDecision:
    """Return the decision about a pool whose predecessor can't be made any more.

    Args:
        canaries: What the controls said of it.
        champion: Version of the predecessor.
        why: Why that can't be made.
    """
    failed = _failed(canaries)
    reason = f"{why}; nothing was compared"
    if failed:
        reason = f"{reason}, and canaries fail: {', '.join(failed)}"
    return PoolDecision(Verdict.REFRESHED, reason, _items(canaries), champion)


def decide(
    canaries: Sequence[Canary],
    comparison: PoolComparison | None,
    *,
    champion: str,
    alpha: float,
) -> PoolDecision:
    """Decide whether a challenger takes the reigning pool's place.

    Args:
        canaries: What the controls said of it.
        comparison: With the reigning pool; None where too few outcomes have matured.
        champion: Version of the reigning pool.
        alpha: Level of the test, see `pipelines.lifecycle.promotion`.
    """
    items = (*_items(canaries), *_conditions(comparison, alpha))
    failed, unmet = _failed(canaries), [one.name for one in items if one.passed is False]
    if failed:
        verdict, reason = Verdict.BLOCKED, f"failing canaries: {', '.join(failed)}"
    elif comparison is None:
        verdict = Verdict.KEPT
        reason = f"the pool {champion} goes on: a challenge needs {FEWEST_BLOCKS * BLOCK} sessions"
    elif unmet:
        verdict = Verdict.KEPT
        reason = f"the pool {champion} goes on; not met: {', '.join(unmet)}"
    else:
        verdict = Verdict.PROMOTED
        reason = (
            f"its CRPS was {comparison.gain:.2%} below that of the pool {champion} over "
            f"{comparison.sessions} sessions, p {comparison.p_value:.4f}"
        )
    return PoolDecision(verdict, reason, items, champion, alpha if comparison else 0.0, comparison)


def _conditions(found: PoolComparison | None, alpha: float) -> tuple[ChecklistItem, ...]:
    """Return what is asked of a challenger beside its canaries."""
    names = ("beats_the_champion", "is_calibrated")
    if found is None:
        note = "too few outcomes have matured under both pools"
        return tuple(ChecklistItem(name, None, note) for name in names)
    return (
        ChecklistItem(
            names[0],
            found.p_value < alpha,
            f"CRPS {-found.gain:+.2%} over {found.sessions} sessions of {found.portfolios} "
            f"portfolios, p {found.p_value:.4f}, alpha {alpha:.4f}",
        ),
        ChecklistItem(
            names[1],
            all(one.is_calibrated for one in found.coverage),
            f"within 90 %: {'; '.join(str(one) for one in found.coverage)}",
        ),
    )


def _items(canaries: Sequence[Canary]) -> tuple[ChecklistItem, ...]:
    return tuple(ChecklistItem(one.name.value, one.passed, one.note) for one in canaries)


def _failed(canaries: Sequence[Canary]) -> list[str]:
    return [one.name.value for one in canaries if not one.passed]
