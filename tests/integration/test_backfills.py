"""A range of sixty sessions in one run: equal to sixty nights, resumable, and changing nothing."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.calendar import ExchangeCalendar
from resources.serving import Serving
from tests.support.desk import LEARNED_FEATURES, TRAINED_SESSION, Desk

SESSIONS = ExchangeCalendar.of("XNYS").sessions(date(2004, 6, 1), TRAINED_SESSION)[-60:]
BY_THEMSELVES = (SESSIONS[-1], SESSIONS[0], SESSIONS[30])
"""Run as nights of one session, the newest and so live one first."""
OF_THE_RUN = ("runs", "lake_snapshot", "content_hash")
"""Fields of a manifest that tell how the night came to be, and the hash that covers them."""

REGISTRY = {"feature_definitions", "feature_versions", "datasets"}
"""Collections that count the rows of the whole lake, and so those of nights run before."""

Documents = dict[str, list[dict[str, Any]]]


def new_desk(trained_desk: Desk, folder: Path, *, name: str) -> Desk:
    """Return a desk with a lake and a database of its own, and the trained desk's models."""
    serving = Serving(uri=trained_desk.serving.uri, database=name)
    desk = Desk(folder=folder / name, serving=serving, feature_groups=LEARNED_FEATURES)
    desk.replace(model_registry=trained_desk.resources["model_registry"])
    return desk


def content(documents: Documents) -> Documents:
    """Return documents without what tells how they came to be."""
    return {
        collection: [_of_the_night(one) for one in found]
        if collection == "pipeline_runs"
        else found
        for collection, found in documents.items()
    }


def _of_the_night(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest without what tells of the run, or of the lake as a whole when it ended."""
    kept = {name: value for name, value in manifest.items() if name not in OF_THE_RUN}
    told = kept["collections"].items()
    return kept | {"collections": {name: one for name, one in told if name not in REGISTRY}}


def sessions_of(documents: Documents, collection: str) -> set[str]:
    """Return the sessions that a collection has documents of."""
    return {one["session"] for one in documents[collection]}


@pytest.mark.slow
def test_sixty_sessions_in_one_run_are_sixty_nights(trained_desk: Desk, tmp_path: Path) -> None:
    """A backfill that gives other documents than its nights would be a second truth."""
    desk = new_desk(trained_desk, tmp_path, name="backfilled_at_once")
    assert desk.run("nightly", SESSIONS[-1], first=SESSIONS[0]).success
    at_once = desk.documents()
    wanted = {session.isoformat() for session in SESSIONS}
    assert len(wanted) == 60
    assert sessions_of(at_once, "pipeline_runs") == wanted
    assert sessions_of(at_once, "ml_signals") == wanted
    origins = {one["session"]: one["origin"] for one in at_once["pipeline_runs"]}
    assert [session for session in origins if origins[session] == "live"] == [str(SESSIONS[-1])]

    other = new_desk(trained_desk, tmp_path, name="some_nights_before")
    for session in BY_THEMSELVES:
        assert other.run("nightly", session).success
    nights = other.documents()
    assert other.run("nightly", SESSIONS[-1], first=SESSIONS[0]).success
    resumed = other.documents()
    assert content(resumed) == content(at_once)
    before, after = content(nights), content(resumed)
    for collection in ("ml_signals", "pipeline_runs"):
        assert [one for one in after[collection] if one in before[collection]] == before[
            collection
        ], f"{collection} of nights that were there before have changed"
    assert sessions_of(nights, "pipeline_runs") == {str(session) for session in BY_THEMSELVES}
