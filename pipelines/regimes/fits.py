"""A fit as it is stored: the model, its names, why it was taken, and how symbols relate to it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Self

from pipelines.regimes.model import RegimeModel
from pipelines.regimes.names import Regime
from pipelines.regimes.naming import Naming, Renaming
from pipelines.regimes.promotion import RegimeDecision
from pipelines.regimes.selection import HeldOutBlock, Standing
from pipelines.regimes.symbols import SymbolLevel


@dataclass(frozen=True, eq=False)
class RegimeFit:
    """One fit of the market's regimes.

    Attributes:
        applies_from: First session that it may tell of; all it was made of lies before.
        recipe: Hash of the settings and code that made it.
        series: What stands for the market, in words.
        model: The chosen model.
        naming: Names of its states, and what they were before.
        level: How symbols relate to the market.
        held_out: How each candidate did on the sessions since the fit before.
        ranked: The candidates over all held-out sessions so far.
        refused: Candidates without a usable fit, and why.
        decision: Whether it may tell of anything; None of fits from before decisions were made.
        data_hash: SHA-256 of the sessions that it was made of; None of those too.
        is_withdrawn: Whether a person has taken it back since; no part of what is stored.
    """

    applies_from: date
    recipe: str
    series: str
    model: RegimeModel
    naming: Naming
    level: SymbolLevel
    held_out: Mapping[str, HeldOutBlock]
    ranked: tuple[Standing, ...]
    refused: Mapping[str, str]
    decision: RegimeDecision | None = None
    data_hash: str | None = None
    is_withdrawn: bool = False

    @property
    def is_promoted(self) -> bool:
        """Whether the fit took the place of the one before it, and was not taken back."""
        is_accepted = self.decision is None or self.decision.verdict.promotes
        return is_accepted and not self.is_withdrawn

    @property
    def verdict(self) -> str:
        """The decision in words."""
        if self.decision is None:
            return "made before decisions were"
        return f"{self.decision.verdict.value}: {self.decision.reason}"

    @property
    def version(self) -> str:
        """What the fit is called beside other versions of its family."""
        return f"{self.applies_from}-{self.recipe}"

    @property
    def standing(self) -> Standing:
        """How the chosen candidate stands among the others."""
        return next(one for one in self.ranked if one.name == self.model.candidate.name)

    @property
    def gain(self) -> float:
        """By how much it foretold held-out sessions better than the worst, in nats a session."""
        return self.standing.score - min(one.score for one in self.ranked)

    def to_document(self) -> dict[str, Any]:
        """Return the fit as JSON can hold it, every digit kept."""
        return {
            "applies_from": self.applies_from.isoformat(),
            "recipe": self.recipe,
            "series": self.series,
            "model": self.model.to_document(),
            "names": [name.value for name in self.naming.names],
            "matches": list(self.naming.matches),
            "renamings": [asdict(renaming) for renaming in self.naming.renamings],
            "level": self.level.to_document(),
            "held_out": {name: block.to_document() for name, block in self.held_out.items()},
            "ranked": [asdict(standing) for standing in self.ranked],
            "refused": dict(self.refused),
            "decision": self.decision.to_document() if self.decision else None,
            "data_hash": self.data_hash,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a fit back."""
        naming = Naming(
            names=tuple(Regime(name) for name in document["names"]),
            matches=tuple(document["matches"]),
            renamings=tuple(
                Renaming(one["state"], Regime(one["before"]), Regime(one["after"]))
                for one in document["renamings"]
            ),
        )
        return cls(
            applies_from=date.fromisoformat(document["applies_from"]),
            recipe=document["recipe"],
            series=document["series"],
            model=RegimeModel.from_document(document["model"]),
            naming=naming,
            level=SymbolLevel.from_document(document["level"]),
            held_out={
                name: HeldOutBlock.from_document(block)
                for name, block in document["held_out"].items()
            },
            ranked=tuple(Standing(**standing) for standing in document["ranked"]),
            refused=document["refused"],
            decision=RegimeDecision.from_document(held)
            if (held := document.get("decision"))
            else None,
            data_hash=document.get("data_hash"),
        )


FitKey = tuple[date, str]
"""The key of `regime_fits`: the first session, and the recipe."""


def promoted(fits: Iterable[RegimeFit]) -> list[RegimeFit]:
    """Return the fits that may tell of something, in order."""
    return [fit for fit in fits if fit.is_promoted]


def fit_of(fits: Mapping[date, RegimeFit], session: date) -> RegimeFit | None:
    """Return the fit of a session's own time; None before the first."""
    begun = [applies_from for applies_from in fits if applies_from <= session]
    return fits[max(begun)] if begun else None
