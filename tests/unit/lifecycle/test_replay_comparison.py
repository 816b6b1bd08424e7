"""A replay beside what was published: refused under other code, and differences by name."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pipelines.documents.pipeline_run import PipelineRun, PublishedCollection
from pipelines.documents.signal import MLSignal
from pipelines.lifecycle.replay import OtherCodeError, compared, differences, require_same_code
from pipelines.manifest import Provenance
from pipelines.nights import Origin

HERE = Provenance(code_version="abc", lock_hash="a" * 64, seeds={})
SIGNALS = PublishedCollection(documents=2, content_hash="1" * 64)
MANIFEST = PipelineRun(
    night_id="n",
    market="sample",
    session=date(2013, 3, 1),
    as_of=datetime(2013, 3, 2, 1, tzinfo=UTC),
    origin=Origin.LIVE,
    status="complete",
    collections={"ml_signals": SIGNALS, "model_versions": SIGNALS},
    lake_snapshot=1,
    model_versions={"signal": 1},
    code_version="abc",
    lock_hash="a" * 64,
    seeds={},
    stale_symbols=(),
    quarantined={},
    runs=("run",),
)


def test_the_code_that_published_may_replay() -> None:
    """Nothing is raised."""
    require_same_code(MANIFEST, HERE)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(HERE, code_version="xyz"), r"2013-03-01.*code abc, here is xyz.*check out"),
        (replace(HERE, lock_hash="b" * 64), r"locked packages a{64}, here is b{64}"),
    ],
)
def test_other_code_and_other_packages_are_refused(other: Provenance, words: str) -> None:
    """Equal documents by luck would be taken for a proof, others for a fault of the night."""
    with pytest.raises(OtherCodeError, match=words):
        require_same_code(MANIFEST, other)


def test_what_was_replayed_is_held_against_the_manifest() -> None:
    """A document less and another content are both no replay; what follows MLflow is not asked."""
    other = PublishedCollection(documents=2, content_hash="2" * 64)
    assert [one.is_same for one in compared(MANIFEST, {"ml_signals": SIGNALS})] == [True]
    assert [one.is_same for one in compared(MANIFEST, {"ml_signals": other})] == [False]


def test_differences_name_documents_and_fields() -> None:
    """Whoever looks for a cause begins with what differs; when it was written is no difference."""

    def signal(symbol: str, probability: float, created: int) -> dict[str, Any]:
        key = {"symbol": symbol, "session": "2013-03-01", "horizon": 1}
        return {**key, "probability": probability, "created_at": created}

    published = [signal("A", 0.5, 1), signal("B", 0.5, 1), signal("C", 0.5, 1)]
    replayed = [signal("A", 0.5, 2), signal("B", 0.6, 2), signal("D", 0.5, 2)]
    assert list(differences(MLSignal, published, replayed)) == [
        "ml_signals B/2013-03-01/1: probability 0.5 is now 0.6",
        "ml_signals C/2013-03-01/1: published, not replayed",
        "ml_signals D/2013-03-01/1: replayed, no longer published",
    ]


def test_a_kept_manifest_reads_back_without_its_runs() -> None:
    """A rerun adds a run and no content: the lake must not see a change."""
    kept = MANIFEST.as_kept()
    assert PipelineRun.model_validate_json(kept) == MANIFEST.model_copy(update={"runs": ()})
