"""Past nights made again: replayed to the byte, and published again into an empty MongoDB."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typing_extensions import override

from commands.refill import Refiller
from commands.replay import chosen, replay_resources, replayed_night
from pipelines.documents.values import midnight_of
from pipelines.lifecycle.refill import StandingDocumentsError
from pipelines.markets.sample import load_sample_market
from pipelines.regimes.tables import REGIME_FITS
from pipelines.signals.model import TrainedSignal
from pipelines.validation.session_bootstrap import Estimate
from resources.model_registry import ModelRegistry, raise_corrupt
from resources.nights import Nights, UnpublishedNightError
from resources.replay import Replay, ReplayedRegistry, replay_of
from resources.serving import Serving
from resources.settings import Settings
from tests.support.desk import LEARNED_FEATURES, TRAINED_SESSION, Desk, OtherBarsMarket
from tests.support.lost_registry import rebuilt

NIGHT, LATER, NEVER = date(2004, 9, 2), date(2004, 9, 3), date(2004, 9, 7)
FILLED_IN = (date(2004, 8, 26), date(2004, 8, 30))
SYMBOLS = ("AAPL", "IBM", "MSFT")
WITHHELD, REVISED = date(2004, 8, 20), date(2004, 8, 27)
DECIDED = datetime(2004, 9, 2, 12, 30, tzinfo=UTC)

GAIN = Estimate(0.01, 0.005, 0.015)
Documents = dict[str, list[dict[str, Any]]]


class SkilledRegistry(ModelRegistry):
    """The registry, whose models are taken to have shown skill: those of 2004 would be silent."""

    @override
    def model_by_session(
        self,
        market: str,
        *,
        features_version: str,
        complain: Callable[[str], None] = raise_corrupt,
    ) -> Callable[[date], tuple[int, TrainedSignal] | None]:
        """Return the look-up of the model that scores a session."""
        model_for = super().model_by_session(
            market, features_version=features_version, complain=complain
        )

        def skilled(session: date) -> tuple[int, TrainedSignal] | None:
            found = model_for(session)
            if found is None or (record := found[1].track_record) is None:
                return found
            shown = replace(record, information_z=5.0, log_loss_gain=GAIN)
            return found[0], replace(found[1], track_record=shown)

        return skilled


class SkilledReplay(SkilledRegistry, ReplayedRegistry):
    """The same, where one version scores."""


def bars(folder: Path, *, is_revised: bool) -> OtherBarsMarket:
    """Return two years of three symbols, with a spike, and later with another bar of AAPL."""
    at = {"WITHHELD": ("IBM", WITHHELD, 1.6), "REVISED": ("AAPL", REVISED, 1.004)}
    shown = list(at.values()) if is_revised else [at["WITHHELD"]]
    kept = load_sample_market().bars.filter(
        pl.col("symbol").is_in(SYMBOLS), pl.col("session") >= date(2002, 9, 1)
    )
    for symbol, session, factor in shown:
        is_it = (pl.col("symbol") == symbol) & (pl.col("session") == session)
        kept = kept.with_columns(
            pl.when(is_it).then(pl.col(name) * factor).otherwise(name).alias(name)
            for name in ("open", "high", "low", "close")
        )
    path = folder / f"bars_{is_revised}.parquet"
    kept.write_parquet(path)
    return OtherBarsMarket(name="sample", bars_file=str(path))


def desk_of(trained_desk: Desk, folder: Path, *, is_revised: bool) -> Desk:
    """Return the desk, before or after a bar was revised; it scores with the trained models."""
    desk = Desk(
        folder=folder,
        serving=Serving(uri=trained_desk.serving.uri, database="replayed_desk"),
        market=bars(folder, is_revised=is_revised),
        feature_groups=LEARNED_FEATURES,
    )
    desk.replace(model_registry=SkilledRegistry(**dict(trained_desk.resources["model_registry"])))
    return desk


@pytest.fixture(scope="module")
def desk(trained_desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with six nights, three of one run; since then a bar was revised, versions cleaned up.

    A person has released a withheld bar in between.
    """
    folder = tmp_path_factory.mktemp("replayed_desk")
    early = desk_of(trained_desk, folder, is_revised=False)
    nights: Nights = early.resources["nights"]
    (first,) = nights.open([TRAINED_SESSION])
    fits = trained_desk.lake.read("FROM regime_fits")
    early.lake.commit(lambda writer: writer.append(REGIME_FITS, fits), night=first, message="fits")
    assert early.run("nightly", TRAINED_SESSION).success
    assert early.run("nightly", FILLED_IN[1], first=FILLED_IN[0]).success
    assert early.run("nightly", NIGHT).success
    release_withheld(early.serving)
    late = desk_of(trained_desk, folder, is_revised=True)
    assert late.run("nightly", LATER).success
    assert late.run("maintenance", LATER).success
    return late


def release_withheld(serving: Serving) -> None:
    """Say as a person does that the withheld bar is right."""
    word = {"resolved_at": DECIDED, "metadata.resolution": "release", "metadata.note": "seen"}
    with serving.connect() as database:
        done = database["quarantined_prices"].update_one(
            {"symbol": "IBM", "date": midnight_of(WITHHELD)}, {"$set": word}
        )
    assert done.modified_count == 1


def settings_of(trained_desk: Desk) -> Settings:
    """Return settings under which the models of the trained desk are found."""
    return Settings(NIGHTDESK_HOME=str(trained_desk.folder))


def replayed(
    desk: Desk, session: date, settings: Settings, *, used_version: int | None = None
) -> tuple[Replay, dict[str, list[str]]]:
    """Replay a night with resources of a desk; return what differs, by collection.

    The model that scored is used, or another version.
    """
    nights: Nights = desk.resources["nights"]
    (night,) = nights.find([session])
    manifest = nights.manifest(session)
    with replay_of(
        night, manifest, lake=desk.lake, serving=desk.serving, scratch=desk.serving
    ) as replay:
        registry = SkilledReplay(
            **dict(desk.resources["model_registry"]),
            used_version=used_version or manifest.model_versions["signal"],
        )
        resources = replay_resources(settings, replay, market=desk.market)
        assert not replayed_night(resources | {"model_registry": registry}, session)
        differing = [one.collection for one in replay.comparison() if not one.is_same]
        return replay, {name: list(replay.differences(name)) for name in differing}


def published(desk: Desk) -> list[date]:
    """Return the sessions of the desk's nights."""
    nights: Nights = desk.resources["nights"]
    return [night.session for night in nights.published()]


@pytest.mark.slow
def test_random_past_nights_are_replayed_to_the_byte(desk: Desk, trained_desk: Desk) -> None:
    """A model, a clock, an order or a later revision that came through would show in a hash."""
    before = desk.documents()
    revisions = desk.lake.read("SELECT symbol, session FROM price_revisions").rows()
    assert ("AAPL", REVISED) in revisions
    drawn = chosen(published(desk), within="...2004-09-02", at_random=3, seed=4)
    assert any(session <= FILLED_IN[1] for session in drawn)
    assert NIGHT in drawn
    for session in drawn:
        replay, differing = replayed(desk, session, settings_of(trained_desk))
        assert differing == {}, session
        told = {one.collection for one in replay.comparison()}
        assert told >= {"ml_signals", "stock_price_daily"}
        assert "model_versions" not in told  # the next training would change it
    assert desk.documents() == before


@pytest.mark.slow
def test_a_registry_that_was_made_again_scores_to_the_byte(desk: Desk, trained_desk: Desk) -> None:
    """After a loss the night must publish what it would have published without."""
    registry: ModelRegistry = desk.resources["model_registry"]
    with rebuilt(registry, trained_desk.lake) as again:
        desk.replace(model_registry=SkilledRegistry(**dict(again)))
        try:
            _, differing = replayed(desk, LATER, settings_of(trained_desk))
        finally:
            desk.replace(model_registry=registry)
    assert differing == {}


@pytest.mark.slow
def test_what_differs_is_named_by_document_and_field(desk: Desk, trained_desk: Desk) -> None:
    """A replay that could not fail would prove nothing: here another model scores."""
    registry = trained_desk.resources["model_registry"]
    (used, *_) = [one.number for one in registry.versions("sample")]
    nights: Nights = desk.resources["nights"]
    assert nights.manifest(LATER).model_versions["signal"] != used
    _, differing = replayed(desk, LATER, settings_of(trained_desk), used_version=used)
    assert set(differing) == {"ml_signals"}
    assert any("AAPL" in line and "probability" in line for line in differing["ml_signals"])


def test_what_moved_a_signal_is_told_with_the_revision_apart(desk: Desk) -> None:
    """A corrected bar of last week would pass for news of tonight."""
    signals = {(one["symbol"], one["session"]): one for one in desk.documents()["ml_signals"]}
    quiet = signals["AAPL", NIGHT.isoformat()]["change"]
    assert (quiet["former_session"], quiet["data_revision"]) == (TRAINED_SESSION.isoformat(), 0)
    assert quiet["new_bar"] != 0
    told = signals["AAPL", LATER.isoformat()]["change"]
    assert told["former_probability"] == signals["AAPL", NIGHT.isoformat()]["probability"]
    assert told["data_revision"] != 0


def test_a_night_without_a_manifest_is_refused_by_name(desk: Desk) -> None:
    """There is nothing to hold a replay against."""
    nights: Nights = desk.resources["nights"]
    with pytest.raises(UnpublishedNightError, match=rf"{NEVER}.*make nightly"):
        nights.manifest(NEVER)


def refiller(desk: Desk, trained_desk: Desk, serving: Serving) -> Refiller:
    """Return what fills a database with the desk's nights."""
    assert desk.market is not None
    registry: ModelRegistry = desk.resources["model_registry"]
    return Refiller(settings_of(trained_desk), desk.lake, serving, desk.market, registry)


def without_runs(documents: Documents) -> Documents:
    """Return documents without the names of runs, which the lake does not hold."""
    for manifest in documents["pipeline_runs"]:
        del manifest["runs"]
    return documents


@pytest.mark.slow
def test_an_empty_database_is_refilled_document_for_document(
    desk: Desk, trained_desk: Desk, serving: Serving
) -> None:
    """What the lake can't give back must be known before MongoDB is lost."""
    stood = without_runs(desk.documents())
    assert all(stood[name] for name in ("portfolio_equity", "quarantined_prices"))
    refill = refiller(desk, trained_desk, serving)
    missing = refill.missing()
    assert [len(one.nights) for one in missing] == [1, 3, 1, 1]
    refill.publish(missing[:2])  # as if it had been killed then
    refill.publish(refill.missing())
    refill.finish()
    stands = without_runs(documents_in(serving, stood))
    assert_same(stands, stood)
    assert refill.missing() == []


def documents_in(serving: Serving, names: Sequence[str] | Documents) -> Documents:
    """Return the documents of some collections in the order of `_id`."""
    with serving.connect() as database:
        assert set(database.list_collection_names()) == set(names)
        return {name: list(database[name].find().sort("_id")) for name in names}


def assert_same(found: Documents, wanted: Documents) -> None:
    """Require the same documents, and name the fields that differ."""
    differing: dict[str, set[str]] = {}
    for name, documents in wanted.items():
        by_id = {one["_id"]: one for one in found[name]}
        assert by_id.keys() == {one["_id"] for one in documents}, name
        for one in documents:
            other = by_id[one["_id"]]
            fields = {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
            differing[name] = differing.get(name, set()) | fields
    assert {name: fields for name, fields in differing.items() if fields} == {}


@pytest.mark.slow
def test_a_database_with_later_nights_is_not_taken_back(
    desk: Desk, trained_desk: Desk, serving: Serving
) -> None:
    """Prices and the registry would go back to what an older night knew."""
    refill = refiller(desk, trained_desk, serving)
    with desk.serving.connect() as database:
        newest = database["pipeline_runs"].find_one({"session": LATER.isoformat()})
    with serving.connect() as database:
        database["pipeline_runs"].insert_one(newest)
    with pytest.raises(StandingDocumentsError, match=rf"{LATER}.*{TRAINED_SESSION}"):
        refill.missing()
