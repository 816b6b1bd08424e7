"""Whether a year's new fit takes the place of the one that reigns, and why.

As with signals, the challenger is the new recipe kept from the newest sessions: its candidate's fit
of a year ago. It and the reigning fit are compared on the sessions since, which neither has seen;
what is promoted is the candidate fitted through the last of them. All of it was known when the fit
was made, so a decision is part of the fit and never changes.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Self

import numpy as np

from pipelines.forecasts.scores import coverage, diebold_mariano
from pipelines.lifecycle.evidence import Canary
from pipelines.lifecycle.promotion import ChecklistItem, Verdict
from pipelines.regimes.foretelling import ForetoldReturn
from pipelines.regimes.labels import switches_per_year
from pipelines.regimes.market_filter import FilteredMarket
from pipelines.regimes.model import FloatArray, RegimeModel

DEPENDENT_SESSIONS = 21
"""Scores of neighbouring sessions go together for about a month."""
BETTER, WORSE = 0.05, 0.05
RESTLESS_SWITCHES = 12.0
"""Changes of the label a year from which on a fit is unstable: a month each."""
BAND = (0.05, 0.95)


@dataclass(frozen=True)
class HeldOutComparison:
    """A challenger beside the reigning fit on sessions that neither has seen.

    Attributes:
        sessions: Sessions with a return.
        gain: By how much more the challenger scored, nats a session.
        p_value: Chance of so large a gain if there is none, one-sided (Diebold & Mariano 1995).
        coverage: Share of returns within the challenger's band of 5 to 95 %, with its interval.
        coverage_of_champion: The same of the reigning fit, without one.
        switches_per_year: How often the challenger's label changed; of the champion the next one.
    """

    sessions: int
    gain: float
    p_value: float
    coverage: tuple[float, float, float]
    coverage_of_champion: float
    switches_per_year: float
    switches_of_champion: float


@dataclass(frozen=True)
class RegimeDecision:
    """Whether a fit is promoted, with all that it rests on; `champion` reigned before."""

    verdict: Verdict
    reason: str
    checklist: tuple[ChecklistItem, ...]
    champion: date | None = None
    comparison: HeldOutComparison | None = None

    def to_document(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return {**asdict(self), "champion": self.champion and self.champion.isoformat()}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Return the decision that `to_document` wrote."""
        held, champion = document["comparison"], document["champion"]
        return cls(
            verdict=Verdict(document["verdict"]),
            reason=document["reason"],
            checklist=tuple(ChecklistItem(**item) for item in document["checklist"]),
            champion=date.fromisoformat(champion) if champion else None,
            comparison=HeldOutComparison(**{**held, "coverage": tuple(held["coverage"])})
            if held
            else None,
        )


@dataclass(frozen=True, eq=False)
class Contender:
    """A model, and what it made of held-out sessions from an ordinal on, after a warm-up."""

    model: RegimeModel
    seen: FilteredMarket
    first: int

    @property
    def scores(self) -> FloatArray:
        """Log score of each held-out session, NaN without a return."""
        return self.seen.log_scores[self.first :]

    @property
    def switches_per_year(self) -> float:
        """How often the label changed."""
        return switches_per_year(self.seen.labels[self.first :])

    def levels(self, returns: FloatArray) -> FloatArray:
        """Return where each known return lay in what was foretold."""
        chances = self.seen.predicted[self.first :]
        return np.array(
            [
                ForetoldReturn.of(self.model, chance).level(value)
                for chance, value in zip(chances, returns, strict=True)
                if np.isfinite(value)
            ]
        )


def compare_fits(
    champion: Contender, challenger: Contender, returns: FloatArray
) -> HeldOutComparison:
    """Compare two fits on held-out returns.

    Raises:
        ValueError: one of them has seen a session of these.
    """
    for one in (champion, challenger):
        if one.model.fitted_through >= one.seen.sessions[one.first]:
            message = (
                f"a fit through {one.model.fitted_through} can't be compared on "
                f"{one.seen.sessions[one.first]}: take sessions after it"
            )
            raise ValueError(message)
    known = np.isfinite(returns)
    old, new = champion.scores[known], challenger.scores[known]
    gain = float((new - old).mean())
    test = diebold_mariano(-old, -new, horizon=DEPENDENT_SESSIONS)
    half = 0.5 if test is None else test.p_value / 2
    own, other = (_coverage(one.levels(returns)) for one in (challenger, champion))
    return HeldOutComparison(
        sessions=int(known.sum()),
        gain=gain,
        p_value=half if gain > 0 or test is None else 1 - half,
        coverage=own,
        coverage_of_champion=other[0],
        switches_per_year=challenger.switches_per_year,
        switches_of_champion=champion.switches_per_year,
    )


def decide(
    canaries: Sequence[Canary], comparison: HeldOutComparison | None, *, champion: date | None
) -> RegimeDecision:
    """Return whether a fit is promoted.

    Args:
        canaries: What the controls said.
        comparison: With the reigning fit; None where they can't be compared.
        champion: First session of the reigning fit; None before the first.
    """
    items = (
        *(ChecklistItem(one.name.value, one.passed, one.note) for one in canaries),
        *(_conditions(comparison) if comparison else ()),
    )
    verdict, reason = _verdict(items, canaries, comparison, champion)
    return RegimeDecision(verdict, reason, items, champion, comparison)


def _conditions(found: HeldOutComparison) -> tuple[ChecklistItem, ...]:
    """Return what is asked of a challenger beside its canaries."""
    share, low, high = found.coverage
    nominal = BAND[1] - BAND[0]
    no_further = abs(share - nominal) <= abs(found.coverage_of_champion - nominal)
    calm = max(RESTLESS_SWITCHES, found.switches_of_champion)
    return (
        ChecklistItem(
            "is_not_worse",
            found.p_value <= 1 - WORSE,
            f"gain {found.gain:+.2e} nats over {found.sessions} sessions, p {found.p_value:.4f}",
        ),
        ChecklistItem(
            "is_calibrated",
            low <= nominal <= high or no_further,
            f"{share:.3f} [{low:.3f}, {high:.3f}] within 90 %, the reigning fit "
            f"{found.coverage_of_champion:.3f}",
        ),
        ChecklistItem(
            "is_stable",
            found.switches_per_year <= calm,
            f"{found.switches_per_year:.1f} switches a year, the reigning fit "
            f"{found.switches_of_champion:.1f}",
        ),
    )


def _verdict(
    items: Sequence[ChecklistItem],
    canaries: Sequence[Canary],
    comparison: HeldOutComparison | None,
    champion: date | None,
) -> tuple[Verdict, str]:
    """Return the verdict and its reason in words."""
    failed = [one.name.value for one in canaries if not one.passed]
    if failed:
        return Verdict.BLOCKED, f"failing canaries: {', '.join(failed)}"
    if champion is None:
        return Verdict.FIRST, "no fit reigned before, and all canaries pass"
    if comparison is None:
        return Verdict.REFRESHED, (
            f"it can't be compared with the fit of {champion}: another series stands for the "
            "market, or its recipe had no fit a year ago"
        )
    unmet = [item.name for item in items if item.passed is False]
    if unmet:
        return Verdict.KEPT, f"the fit of {champion} goes on; not met: {', '.join(unmet)}"
    if comparison.p_value < BETTER:
        return Verdict.PROMOTED, (
            f"it foretold {comparison.sessions} sessions that neither had seen better than the "
            f"fit of {champion} by {comparison.gain:.2e} nats, p {comparison.p_value:.4f}"
        )
    return Verdict.REFRESHED, (
        f"the fit of {champion} is a year old, and the challenger is not shown to be worse "
        f"(p {1 - comparison.p_value:.4f})"
    )


def _coverage(levels: FloatArray) -> tuple[float, float, float]:
    """Return the share of levels within the band, with its interval."""
    found = coverage((levels >= BAND[0]) & (levels <= BAND[1]), horizon=1)
    return (found.share, found.low, found.high) if found else (0.0, 0.0, 1.0)
