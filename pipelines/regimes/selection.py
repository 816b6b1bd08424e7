"""Which candidate is taken: by what it foretold of held-out sessions, how steadily it names them.

Each candidate is scored by the log density that it gave the market's return the session before
(Good, 1952; a proper score). Candidates within one standard error of the best count as equal: of
these the calmest is taken, by switches of its label a year and by how much of the held-out sessions
it names as its fit of a year before did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from pipelines.regimes.labels import agreement, switches_per_year
from pipelines.regimes.market_filter import FilteredMarket
from pipelines.regimes.model import FloatArray
from pipelines.regimes.settings import BASELINE

SCORE_BLOCK_SESSIONS = 21
"""Scores of neighbouring sessions go together: the error is that of the means of such blocks."""
DISAGREEMENT_WEIGHT = 10.0
"""A refit that names a tenth of sessions otherwise unsettles like one switch a year."""

STRETCHES = 8
"""Held-out stretches, a year each, that a candidate is judged by."""
CHANGE_WEIGHT = 2.0
"""Another candidate than last year's unsettles like two switches a year."""


@dataclass(frozen=True)
class HeldOutBlock:
    """How one candidate did on one stretch of held-out sessions.

    Attributes:
        scores: Mean log score of each block of 21 sessions.
        sessions: Sessions with a return in each of them.
        switches_per_year: How often its label changed.
        agreement: Share of the sessions that the fit before named alike; null for the first.
    """

    scores: tuple[float, ...]
    sessions: tuple[int, ...]
    switches_per_year: float
    agreement: float | None

    @classmethod
    def of(cls, seen: FilteredMarket, first: int, earlier: FilteredMarket | None) -> Self:
        """Measure what a model made of the sessions from an ordinal on.

        Args:
            seen: By the fit on sessions before the stretch.
            first: Ordinal of the stretch's first session in both.
            earlier: By the fit before that one, on the same sessions.
        """
        scores = seen.log_scores[first:]
        blocks = [
            part[~np.isnan(part)]
            for part in np.array_split(scores, max(1, len(scores) // SCORE_BLOCK_SESSIONS))
        ]
        blocks = [part for part in blocks if len(part)]
        labels = seen.labels[first:]
        return cls(
            scores=tuple(float(part.mean()) for part in blocks),
            sessions=tuple(len(part) for part in blocks),
            switches_per_year=switches_per_year(labels),
            agreement=agreement(labels, earlier.labels[first:]) if earlier else None,
        )

    def to_document(self) -> dict[str, Any]:
        """Return the block as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a block back."""
        return cls(
            scores=tuple(document["scores"]),
            sessions=tuple(document["sessions"]),
            switches_per_year=document["switches_per_year"],
            agreement=document["agreement"],
        )


@dataclass(frozen=True)
class Standing:
    """A candidate among the others.

    Attributes:
        name: The candidate.
        score: Mean log score of a held-out session, in nats.
        behind: By how much the best one scores more.
        error: Standard error of that difference.
        switches_per_year: Mean over held-out sessions.
        agreement: Share of held-out sessions that two consecutive fits name alike.
    """

    name: str
    score: float
    behind: float
    error: float
    switches_per_year: float
    agreement: float

    @property
    def unrest(self) -> float:
        """How restless its names are; the least is the calmest."""
        return self.switches_per_year + DISAGREEMENT_WEIGHT * (1.0 - self.agreement)


def standings(history: Sequence[Mapping[str, HeldOutBlock]]) -> list[Standing]:
    """Return the candidates of the last stretch over the last years', best score first.

    What a young market's fit failed to foretell would weigh on a candidate for ever, so older
    stretches are forgotten. Where a candidate had no usable fit, one state stands in for it.

    Args:
        history: What each candidate did, by its name, in each held-out stretch so far.
    """
    recent = history[-STRETCHES:]
    blocks = {
        name: [stretch.get(name, stretch[BASELINE.name]) for stretch in recent]
        for name in history[-1]
    }
    scores = {
        name: np.array([score for block in of_one for score in block.scores])
        for name, of_one in blocks.items()
    }
    counts = [count for block in blocks[BASELINE.name] for count in block.sessions]
    weights = np.array(counts, dtype=np.float64)
    best = max(scores.values(), key=lambda score: float(score @ weights))
    ranked = [
        _standing(name, scores[name], best=best, weights=weights, blocks=of_one)
        for name, of_one in blocks.items()
    ]
    return sorted(ranked, key=lambda standing: standing.behind)


def choose(ranked: Sequence[Standing], *, standing: str | None) -> Standing:
    """Return the candidate to take among those that score as well as the best.

    Args:
        ranked: The candidates, best first.
        standing: The one that was taken last; none before the first fit.
    """
    return min(
        (one for one in ranked if one.behind <= max(one.error, ranked[0].behind)),
        key=lambda one: (one.unrest + CHANGE_WEIGHT * (one.name != standing), one.behind),
    )


def _standing(
    name: str,
    scores: FloatArray,
    *,
    best: FloatArray,
    weights: FloatArray,
    blocks: Sequence[HeldOutBlock],
) -> Standing:
    """Return one candidate's standing from its scores beside the best's, block by block."""
    behind = best - scores
    sessions = [sum(block.sessions) for block in blocks]
    switches = [block.switches_per_year for block in blocks]
    agreed = [block.agreement for block in blocks if block.agreement is not None]
    spread = float(behind.std(ddof=1)) if len(behind) > 1 else 0.0
    return Standing(
        name=name,
        score=float(np.average(scores, weights=weights)),
        behind=float(np.average(behind, weights=weights)),
        error=spread / len(behind) ** 0.5,
        switches_per_year=float(np.average(switches, weights=sessions)),
        agreement=float(np.mean(agreed)) if agreed else 1.0,
    )
