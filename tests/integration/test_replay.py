"""A past night replayed: the same documents to the byte, and differences by name."""

from datetime import date
from typing import Any

import pytest

from commands.replay import replay_resources, run_again
from resources.nights import Nights, UnpublishedNightError
from resources.replay import Replay, ReplayedRegistry, replay_of
from resources.settings import Settings
from tests.support.desk import Desk

NIGHT, LATER, NEVER = date(2004, 9, 2), date(2004, 9, 3), date(2004, 9, 7)


@pytest.fixture(scope="module")
def desk(trained_desk: Desk) -> Desk:
    """A desk with two nights, whose versions of the lake were cleaned up since."""
    assert trained_desk.run("nightly", NIGHT).success
    assert trained_desk.run("nightly", LATER).success
    assert trained_desk.run("maintenance", LATER).success
    return trained_desk


def replayed(desk: Desk, session: date, **others: Any) -> tuple[Replay, dict[str, list[str]]]:
    """Replay a night with resources of a desk; return what differs, by collection."""
    nights: Nights = desk.resources["nights"]
    (night,) = nights.find([session])
    manifest = nights.manifest(session)
    with replay_of(
        night, manifest, lake=desk.lake, serving=desk.serving, scratch=desk.serving
    ) as replay:
        settings = Settings(NIGHTDESK_HOME=str(desk.folder))
        failure = run_again(replay_resources(settings, replay) | others, session)
        assert failure is None
        differing = [one.collection for one in replay.comparison() if not one.is_same]
        return replay, {name: list(replay.differences(name)) for name in differing}


@pytest.mark.slow
def test_a_past_night_is_replayed_to_the_byte(desk: Desk) -> None:
    """A model, a clock or an order that the manifest does not fix would show in a hash."""
    before = desk.documents()
    replay, differing = replayed(desk, NIGHT)
    assert differing == {}
    told = {one.collection for one in replay.comparison()}
    assert told >= {"ml_signals", "stock_price_daily"}
    assert "model_versions" not in told  # the next training would change it
    assert desk.documents() == before


@pytest.mark.slow
def test_what_differs_is_named_by_document_and_field(desk: Desk) -> None:
    """A replay that could not fail would prove nothing: here another model scores."""
    registry = desk.resources["model_registry"]
    (used, *_) = [one.number for one in registry.versions("sample")]
    nights: Nights = desk.resources["nights"]
    assert nights.manifest(LATER).model_versions["signal"] != used
    other = ReplayedRegistry(**dict(registry), used_version=used)
    _, differing = replayed(desk, LATER, model_registry=other)
    assert set(differing) == {"ml_signals"}
    assert any("AAPL" in line and "probability" in line for line in differing["ml_signals"])


def test_a_night_without_a_manifest_is_refused_by_name(desk: Desk) -> None:
    """There is nothing to hold a replay against."""
    nights: Nights = desk.resources["nights"]
    with pytest.raises(UnpublishedNightError, match=rf"{NEVER}.*make nightly"):
        nights.manifest(NEVER)
