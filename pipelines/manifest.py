"""The manifest of a night: what was published, from which data, by which code."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.documents.pipeline_run import PipelineRun, PublishedCollection
from pipelines.nights import Night
from pipelines.signals.scoring import AbstainReason


@dataclass(frozen=True)
class Provenance:
    """What made the documents, beside the data: code, locked packages and seeds."""

    code_version: str
    lock_hash: str
    seeds: Mapping[str, int]


def manifests(
    nights: Sequence[Night],
    *,
    scores: pl.DataFrame,
    quarantined: pl.DataFrame,
    snapshots: Mapping[Night, int],
    published: Callable[[Night], Mapping[str, PublishedCollection]],
    provenance: Provenance,
    run_id: str,
) -> Iterator[PipelineRun]:
    """Make the manifests of published nights.

    Args:
        nights: The nights.
        scores: Their rows of `signal_scores`, which tell model versions and stale symbols.
        quarantined: Their rows of `quarantined_prices`.
        snapshots: The lake version that each night published.
        published: Tells what stands in each collection for a night.
        provenance: What made the documents.
        run_id: The Dagster run that published; no content.
    """
    for night in nights:
        is_tonight = pl.col("session") == night.session
        tonight = scores.filter(is_tonight)
        stale = tonight.filter(pl.col("abstain_reason") == AbstainReason.STALE.value)["symbol"]
        withheld = _count_by_rule(quarantined.filter(is_tonight))
        versions = tonight["model_version"].drop_nulls()
        yield PipelineRun(
            night_id=night.night_id,
            market=night.market,
            session=night.session,
            as_of=night.as_of,
            origin=night.origin,
            status="degraded" if stale.len() or withheld else "complete",
            collections=dict(published(night)),
            lake_snapshot=snapshots[night],
            model_versions={"signal": int(versions[0])} if versions.len() else {},
            code_version=provenance.code_version,
            lock_hash=provenance.lock_hash,
            seeds=dict(provenance.seeds),
            stale_symbols=tuple(stale.sort()),
            quarantined=withheld,
            runs=(run_id,),
        )


def _count_by_rule(quarantined: pl.DataFrame) -> dict[str, int]:
    """Return how many bars break each rule; a bar may break several."""
    rules = quarantined["rules"].explode().drop_nulls()
    return dict(rules.value_counts(sort=True).iter_rows())
