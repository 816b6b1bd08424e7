"""What the registry's tags say of the versions of a signal model, and which of them may score."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Self

from pipelines.lifecycle.promotion import Decision

MODEL_NAME = "signal"
DOCUMENT = "trained_signal.json"
"""The file of a version, in the folder `data` of its model."""
DECISION, WITHDRAWAL, RESTORATION = "decision", "withdrawal", "restoration"
"""Tags with a JSON document each; a restoration holds the withdrawal that it ended."""
CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
"""Aliases of the registered model: who scores tonight, and who was judged last in vain."""
DESK = "nightdesk"
"""Who withdraws by rule: a version that a person withdrew comes back by a person alone."""
MOST_RESTORABLE = 4


@dataclass(frozen=True)
class Withdrawal:
    """Why a version scores no more: who took it back, when, for which version if any, and why."""

    at: datetime
    by: str
    reason: str
    in_favour_of: int | None

    def to_text(self) -> str:
        """Return the withdrawal as JSON."""
        return json.dumps({**asdict(self), "at": self.at.isoformat()})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the withdrawal that `to_text` wrote."""
        held = json.loads(text)
        return cls(**{**held, "at": datetime.fromisoformat(held["at"])})


@dataclass(frozen=True)
class SignalVersion:
    """What the registry's tags say of one version, without loading it.

    `serves_through` is the last session of a walk-forward model's test block: it scores the past
    and is never champion. `decision` says whether the version was promoted, None of a walk-forward
    model and of versions from before decisions were made. `file_sha256` is None of those too.
    """

    number: int
    market: str
    trained_through: date
    data_hash: str
    features_version: str
    run_id: str
    created_at: datetime
    serves_through: date | None = None
    decision: Decision | None = None
    withdrawal: Withdrawal | None = None
    file_sha256: str | None = None
    night_id: str | None = None
    code_version: str | None = None
    lake_snapshot: int | None = None

    @classmethod
    def of(cls, found: Any) -> Self:
        """Return what MLflow's model version says."""
        return cls.of_tags(
            found.tags,
            number=int(found.version),
            run_id=str(found.run_id),
            created_ms=found.creation_timestamp,
        )

    @classmethod
    def of_tags(cls, tags: Mapping[str, str], *, number: int, run_id: str, created_ms: int) -> Self:
        """Return what the tags of a version say, created so many milliseconds after 1970."""
        serves, decision = tags.get("serves_through"), tags.get(DECISION)
        withdrawal = tags.get(WITHDRAWAL)
        return cls(
            number=number,
            market=tags["market"],
            trained_through=date.fromisoformat(tags["trained_through"]),
            data_hash=tags["data_hash"],
            features_version=tags["features_version"],
            run_id=run_id,
            created_at=datetime.fromtimestamp(created_ms / 1000, UTC),
            serves_through=date.fromisoformat(serves) if serves else None,
            decision=Decision.from_document(json.loads(decision)) if decision else None,
            withdrawal=Withdrawal.from_text(withdrawal) if withdrawal else None,
            file_sha256=tags.get("file_sha256"),
            night_id=tags.get("night_id"),
            code_version=tags.get("code_version"),
            lake_snapshot=int(tags["lake_snapshot"]) if "lake_snapshot" in tags else None,
        )

    @property
    def identity(self) -> tuple[date, str]:
        """Return what two versions of one market and one catalogue of features never share."""
        return self.trained_through, self.data_hash

    @property
    def age_order(self) -> tuple[date, int]:
        """Return what sorts versions from the oldest to the newest."""
        return self.trained_through, self.number

    @property
    def is_promoted(self) -> bool:
        """Return whether nothing was held against it; so of every model that scores the past."""
        return self.decision is None or self.decision.verdict.promotes

    @property
    def is_accepted(self) -> bool:
        """Return whether the version may score: it was promoted, or scores the past alone."""
        return self.is_promoted and self.withdrawal is None

    @property
    def may_be_champion(self) -> bool:
        """Return whether the version may score tonight."""
        return self.is_accepted and self.serves_through is None

    def reaches(self, session: date) -> bool:
        """Return whether a session lies after what the version has seen, and within its time."""
        is_in_time = self.serves_through is None or session <= self.serves_through
        return self.trained_through < session and is_in_time


def by_preference(versions: Sequence[SignalVersion], session: date) -> Iterator[SignalVersion]:
    """Yield the versions that may score a session, the best first.

    The greatest trained_through before the session comes first; where data were revised and several
    have it, the newest. The others stand by.
    """
    able = [one for one in versions if one.is_accepted and one.reaches(session)]
    yield from sorted(able, key=lambda one: one.age_order, reverse=True)


def champion_of(versions: Sequence[SignalVersion]) -> SignalVersion | None:
    """Return the version that scores tonight; None where none may."""
    able = [one for one in versions if one.may_be_champion]
    return max(able, key=lambda one: one.age_order, default=None)


def challenger_of(versions: Sequence[SignalVersion]) -> SignalVersion | None:
    """Return the model of the newest training where it was judged and not promoted.

    None where the newest was promoted: whoever it left behind has lost its claim, whatever becomes
    of the newest later.
    """
    judged = [one for one in versions if one.serves_through is None and one.decision]
    newest = max(judged, key=lambda one: one.age_order, default=None)
    return None if newest is None or newest.is_promoted else newest


def aliases_of(versions: Sequence[SignalVersion]) -> dict[str, SignalVersion | None]:
    """Return the version that each alias belongs to; None where it belongs to none."""
    return {CHAMPION: champion_of(versions), CHALLENGER: challenger_of(versions)}


def newer_champions(versions: Sequence[SignalVersion], than: SignalVersion) -> list[SignalVersion]:
    """Return the versions that stand between one and its being champion again."""
    return [one for one in versions if one.may_be_champion and one.age_order > than.age_order]


def restorable(versions: Sequence[SignalVersion]) -> list[SignalVersion]:
    """Return the versions that the rules withdrew last and may bring back, the last one first."""
    taken_back = [
        (one.withdrawal.at, one.age_order, one)
        for one in versions
        if one.withdrawal and one.withdrawal.by == DESK
    ]
    newest_first = sorted(taken_back, key=lambda held: held[:2], reverse=True)
    return [one for *_, one in newest_first[:MOST_RESTORABLE]]
