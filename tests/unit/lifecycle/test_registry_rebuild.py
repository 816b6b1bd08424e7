"""What is left of a registry, held against what the lake knows of it."""

import pytest

from pipelines.lifecycle.registry_rebuild import (
    NOT_KNOWN_AGAIN,
    KnownVersion,
    Remains,
    rebuild_plan,
)
from pipelines.lifecycle.registry_records import Figure, KeptExperiment, KeptVersion, RunRecord


def record(run_id: str, *numbers: int) -> RunRecord:
    """Return the record of a run that made versions, each of a model named by its number."""
    versions = tuple(
        KeptVersion(
            number=number,
            model_id=f"m-{number}",
            created_at=1,
            changed_at=1,
            description=None,
            tags={"market": "sample", "file_sha256": f"hash of {number}"},
        )
        for number in numbers
    )
    return RunRecord(
        run_id=run_id,
        name="a training",
        status="FINISHED",
        user="ann",
        started_at=1,
        ended_at=None,
        experiment=KeptExperiment(experiment_id="1", name="signals", created_at=1, changed_at=1),
        parameters={"rounds": "40"},
        tags={},
        figures=(Figure(name="auc", value=float("nan"), at=1, step=0),),
        models=(),
        versions=versions,
    )


def remains(*records: RunRecord, unrecorded: tuple[str, ...] = ()) -> Remains:
    """Return what is left, every model's file as it was registered."""
    hashes = {f"m-{one.number}": f"hash of {one.number}" for r in records for one in r.versions}
    return Remains(records, {}, hashes, unrecorded)


def test_a_record_comes_back_from_its_text_with_undefined_figures() -> None:
    """MLflow keeps NaN; a record that could not would be lost with the first bad figure."""
    kept = record("run_a", 1)
    assert str(RunRecord.from_text(kept.to_text())) == str(kept)
    with pytest.raises(ValueError, match="run_id"):
        RunRecord.from_text("{}")


def test_nothing_stands_in_the_way_of_a_whole_registry() -> None:
    """A false obstacle would send a person to old backups."""
    known = [KnownVersion(1, "run_a", "hash of 1"), KnownVersion(2, None, None)]
    plan = rebuild_plan(remains(record("run_a", 1), record("run_b", 2, 3)), known)
    assert plan.obstacles(accepts_broken=False) == ()
    unwitnessed, *rest = plan.unknown
    assert "versions 2, 3 are as trained" in unwitnessed
    assert tuple(rest) == NOT_KNOWN_AGAIN


def test_a_number_that_two_runs_claim_is_told() -> None:
    """A desk that began anew beside old files has two of each."""
    plan = rebuild_plan(remains(record("run_a", 1), record("run_b", 1)), [])
    (told,) = plan.missing
    assert "version 1 is claimed by runs run_a and run_b" in told


def test_a_version_of_another_run_than_the_lake_knows_is_told() -> None:
    """Its live record would become that of a model which never scored."""
    plan = rebuild_plan(
        remains(record("run_b", 1), unrecorded=("run_a",)), [KnownVersion(1, "run_a", "hash of 1")]
    )
    (told,) = plan.missing
    assert told == "version 1 is of run run_b, and the lake knows it as of run run_a"
    assert "settings and figures of run run_a: no record" in plan.unknown


def test_the_lakes_hash_counts_more_than_the_records() -> None:
    """Whoever changes a file can change the record beside it as well."""
    plan = rebuild_plan(remains(record("run_a", 1)), [KnownVersion(1, "run_a", "another")])
    (told,) = plan.broken
    assert "has SHA-256 hash of 1, not another" in told
