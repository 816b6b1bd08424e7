"""Whether a lost registry can be made again from what is left of it, and what can't be known.

The lake is the witness: it knows which versions there were, and the hash of each one's file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.lifecycle.registry_records import RECORD, KeptVersion, RunRecord, model_folder
from pipelines.lifecycle.tables import MODEL_FILES
from pipelines.lifecycle.versions import DOCUMENT, SignalVersion

NOT_KNOWN_AGAIN = (
    "when the registered model was first made: the instant of its first version stands there",
    "what people wrote in MLflow's pages since a run was last recorded, and what they deleted",
)


def model_files(versions: Iterable[SignalVersion]) -> pl.DataFrame:
    """Return rows of the lake's `model_files` for versions whose file's hash is known."""
    return pl.DataFrame(
        [
            {
                "model_version": one.number,
                "market": one.market,
                "run_id": one.run_id,
                "trained_through": one.trained_through,
                "data_hash": one.data_hash,
                "file_sha256": one.file_sha256,
            }
            for one in versions
            if one.file_sha256 is not None
        ],
        schema=dict.fromkeys(MODEL_FILES.column_names, pl.String)
        | {"model_version": pl.Int64, "trained_through": pl.Date},
        orient="row",
    )


@dataclass(frozen=True)
class KnownVersion:
    """What the lake knows of a version: run and hash are None of one from before it kept them."""

    number: int
    run_id: str | None
    file_sha256: str | None


@dataclass(frozen=True)
class Remains:
    """What is left of a registry.

    `unreadable` are records that are none, by their path with what is wrong. `hashes` are those
    of the models' files as they are, None of a missing one, by model. `unrecorded` are runs with
    files but no record.
    """

    records: Sequence[RunRecord]
    unreadable: Mapping[str, str]
    hashes: Mapping[str, str | None]
    unrecorded: Sequence[str]

    @property
    def claims(self) -> dict[int, list[tuple[RunRecord, KeptVersion]]]:
        """Return the records that claim each number."""
        found: dict[int, list[tuple[RunRecord, KeptVersion]]] = {}
        for record in self.records:
            for one in record.versions:
                found.setdefault(one.number, []).append((record, one))
        return found

    def versions(self, market: str) -> list[SignalVersion]:
        """Return the versions of a market as they were last recorded."""
        return [
            SignalVersion.of_tags(
                one.tags, number=one.number, run_id=record.run_id, created_ms=one.created_at
            )
            for record in self.records
            for one in record.versions
            if one.tags["market"] == market
        ]


@dataclass(frozen=True)
class RebuildPlan:
    """What stands in the way of making a registry again, and what will be unknown of it.

    `missing` forbids it. `broken` are models whose file is gone or another: with them a person must
    agree, since such a version scores no night. `unknown` is only told.
    """

    remains: Remains
    missing: tuple[str, ...]
    broken: tuple[str, ...]
    unknown: tuple[str, ...]

    def obstacles(self, *, accepts_broken: bool) -> tuple[str, ...]:
        """Return what forbids it."""
        return self.missing if accepts_broken else self.missing + self.broken


def rebuild_plan(remains: Remains, known: Sequence[KnownVersion]) -> RebuildPlan:
    """Hold what is left of a registry against what the lake knows."""
    claims = remains.claims
    unreadable = [f"{path} is no record: {why}" for path, why in remains.unreadable.items()]
    doubled = [
        f"version {number} is claimed by runs "
        f"{' and '.join(record.run_id for record, _ in claim)}: move the folder of the one that is "
        "not this desk's away"
        for number, claim in sorted(claims.items())
        if len(claim) > 1
    ]
    gone = [_gone(one) for one in known if one.number not in claims]
    witnessed = {one.number: one for one in known}
    faults = [
        fault
        for number, claim in sorted(claims.items())
        for record, version in claim[:1]
        if (fault := _file_fault(version, witnessed.get(number), remains.hashes))
    ]
    strangers = [
        f"version {one.number} is of run {claims[one.number][0][0].run_id}, and the lake knows it "
        f"as of run {one.run_id}"
        for one in known
        if one.run_id and one.number in claims and claims[one.number][0][0].run_id != one.run_id
    ]
    return RebuildPlan(
        remains,
        missing=(*unreadable, *doubled, *gone, *strangers),
        broken=tuple(faults),
        unknown=(*_unwitnessed(claims, witnessed), *_unrecorded(remains), *NOT_KNOWN_AGAIN),
    )


def _gone(one: KnownVersion) -> str:
    """Say what is missing of a version that no record tells of."""
    where = f"{one.run_id}/artifacts/{RECORD}" if one.run_id else f"its run's {RECORD}"
    return f"version {one.number} is known to the lake, and {where} is missing"


def _file_fault(
    version: KeptVersion, known: KnownVersion | None, hashes: Mapping[str, str | None]
) -> str | None:
    """Say what is wrong with a version's file; None where it is what was registered."""
    wanted = (known and known.file_sha256) or version.file_sha256
    found = hashes.get(version.model_id)
    path = f"{model_folder(version.model_id)}/data/{DOCUMENT}"
    if found is None:
        return f"version {version.number}: {path} is missing"
    if wanted is not None and found != wanted:
        return f"version {version.number}: {path} has SHA-256 {found}, not {wanted}"
    return None


def _unwitnessed(
    claims: Mapping[int, object], witnessed: Mapping[int, KnownVersion]
) -> tuple[str, ...]:
    """Say of which versions the lake has no hash."""
    alone = [
        str(number)
        for number in sorted(claims)
        if number not in witnessed or witnessed[number].file_sha256 is None
    ]
    if not alone:
        return ()
    return (f"whether versions {', '.join(alone)} are as trained: the lake has no hash of them",)


def _unrecorded(remains: Remains) -> tuple[str, ...]:
    """Say which runs have files but no record."""
    return tuple(f"settings and figures of run {run}: no record" for run in remains.unrecorded)
