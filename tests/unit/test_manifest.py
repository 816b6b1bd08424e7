"""The manifest tells what a night published, from what, and what was wrong with it."""

from datetime import date

import polars as pl
import pytest

from pipelines.documents.pipeline_run import PipelineRun, PublishedCollection
from pipelines.manifest import Provenance, manifests
from pipelines.nights import Night, Origin
from pipelines.signals.nightly import SIGNAL_SCORES_EMPTY
from tests.support.documents import AS_OF

FIRST, SECOND = date(2013, 2, 28), date(2013, 3, 1)
NIGHTS = [Night("sample", session, AS_OF, Origin.BACKFILL) for session in (FIRST, SECOND)]
NOTHING_WITHHELD = pl.DataFrame(schema={"session": pl.Date, "rules": pl.List(pl.String)})
PUBLISHED = {"ml_signals": PublishedCollection(documents=2, content_hash="0" * 64)}


def scores_of(*rows: tuple[date, str, str | None, int | None]) -> pl.DataFrame:
    """Return the columns of `signal_scores` that a manifest reads."""
    names = ("session", "symbol", "abstain_reason", "model_version")
    schema = {name: SIGNAL_SCORES_EMPTY.schema[name] for name in names}
    return pl.DataFrame(rows, schema=schema, orient="row")


def manifests_of(
    scores: pl.DataFrame, quarantined: pl.DataFrame = NOTHING_WITHHELD
) -> list[PipelineRun]:
    """Make the manifests of both nights."""
    return list(
        manifests(
            NIGHTS,
            scores=scores,
            quarantined=quarantined,
            snapshots={NIGHTS[0]: 8, NIGHTS[1]: 9},
            published=lambda _: PUBLISHED,
            provenance=Provenance("code", "1" * 64, {"signal": 7}),
            run_id="run",
        )
    )


def test_each_night_has_its_own_manifest() -> None:
    """A range in one run would leave one manifest for all."""
    first, second = manifests_of(
        scores_of((FIRST, "IBM", None, 3), (SECOND, "IBM", None, 4), (SECOND, "FB", "no_skill", 4))
    )
    assert (first.session, second.session) == (FIRST, SECOND)
    assert (first.lake_snapshot, second.lake_snapshot) == (8, 9)
    assert (first.model_versions, second.model_versions) == ({"signal": 3}, {"signal": 4})
    assert first.night_id == NIGHTS[0].night_id
    assert second.runs == ("run",)
    assert second.collections == PUBLISHED


@pytest.mark.parametrize("reason", ["no_skill", "short_history"])
def test_an_honest_abstention_leaves_a_night_complete(reason: str) -> None:
    """To have no opinion is a result, not a fault."""
    _, second = manifests_of(scores_of((SECOND, "IBM", reason, 4)))
    assert second.status == "complete"


def test_a_symbol_without_its_session_makes_the_night_degraded() -> None:
    """The backend would show yesterday's price as today's without a word."""
    rows = [(SECOND, symbol, "stale", 4) for symbol in ("MSFT", "FB")]
    first, second = manifests_of(scores_of((FIRST, "FB", None, 4), *rows))
    assert (first.status, first.stale_symbols) == ("complete", ())
    assert (second.status, second.stale_symbols) == ("degraded", ("FB", "MSFT"))


def test_withheld_bars_of_the_session_are_counted_by_rule() -> None:
    """A bar that breaks two rules counts for each."""
    quarantined = pl.DataFrame(
        {
            "session": [SECOND, SECOND, date(2013, 2, 27)],
            "rules": [["high_below_prices", "volume_negative"], ["volume_negative"], ["off"]],
        }
    )
    first, second = manifests_of(scores_of(), quarantined)
    assert (first.status, first.quarantined) == ("complete", {})
    assert second.quarantined == {"volume_negative": 2, "high_below_prices": 1}
    assert second.status == "degraded"


def test_a_night_before_any_model_names_no_version() -> None:
    """Version null would be a number that nobody can look up."""
    _, second = manifests_of(scores_of((SECOND, "IBM", "no_model", None)))
    assert second.model_versions == {}
