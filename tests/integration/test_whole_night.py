"""A whole night in process: real vendor protocol, real lake, real models, real MongoDB."""

from datetime import date
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest

from pipelines.markets.sample import load_sample_market
from pipelines.tables import SIGNAL_SCORES
from resources.serving import Serving
from tests.support.backend_contract import assert_valid
from tests.support.desk import TRAINED_SESSION, Desk, OtherBarsMarket

SCHEMA_OF_COLLECTION = {
    "stock_price_daily": "stock_price_daily",
    "stock_price_weekly": "stock_price_weekly",
    "stock_price_monthly": "stock_price_monthly",
    "stock_data_coverage": "stock_data_coverage",
    "ml_signals": "payload.MLSignalInsight",
}
WITHOUT_A_READER = {"pipeline_runs", "publishing_marks"}
"""Collections of ours that the backend has no schema for."""
NEXT_SESSION = date(2004, 9, 2)
LATER_SESSION = date(2004, 10, 21)

FROM_ANOTHER_NIGHT = {"night_id", "origin"}
"""What may differ in scores: the night is run later, so it is seen from a later instant."""


def test_every_published_document_is_valid_for_the_backend(trained_desk: Desk) -> None:
    """One bad document would poison a whole list that the backend reads."""
    documents = trained_desk.documents()
    assert set(documents) == {*SCHEMA_OF_COLLECTION, *WITHOUT_A_READER}
    for collection, schema in SCHEMA_OF_COLLECTION.items():
        assert documents[collection]
        for document in documents[collection]:
            assert_valid(schema, document)


def test_published_bars_are_the_recorded_ones(trained_desk: Desk) -> None:
    """A price that changed on its way from the vendor to MongoDB would be ours to explain."""
    documents = [
        document
        for document in trained_desk.documents()["stock_price_daily"]
        if document["date"].date() <= TRAINED_SESSION
    ]
    recorded = load_sample_market().as_seen_on(TRAINED_SESSION)
    published = {(one["symbol"], one["date"].date()): one for one in documents}
    assert len(published) == len(documents) == recorded.height
    for bar in recorded.iter_rows(named=True):
        document = published[bar["symbol"], bar["session"]]
        assert document["close"] == pytest.approx(bar["close"], rel=1e-9)
        assert document["volume"] == bar["volume"]
        assert document["split_coefficient"] == bar["split_coefficient"]


def test_a_young_symbol_abstains_with_its_reason(trained_desk: Desk) -> None:
    """GOOG is nine sessions old: a made-up opinion on it would be worse than none."""
    (signal,) = [
        document
        for document in trained_desk.documents()["ml_signals"]
        if document["symbol"] == "GOOG" and document["session"] == TRAINED_SESSION.isoformat()
    ]
    assert signal["abstain_reason"] == "short_history"
    assert signal["recommendation"] == "hold"
    assert signal["confidence"] == 0
    assert signal["probability"] == signal["base_rate"]


def test_a_model_never_scores_a_session_that_it_has_seen(trained_desk: Desk) -> None:
    """A model trained through tonight's label would know the answer."""
    for signal in trained_desk.documents()["ml_signals"]:
        assert date.fromisoformat(signal["trained_through"]) < date.fromisoformat(signal["session"])


def test_the_night_run_again_makes_identical_documents(trained_desk: Desk) -> None:
    """A rerun after a crash must not change what is already published, down to its timestamps."""
    before, version = trained_desk.documents(), trained_desk.lake.version()
    assert trained_desk.run("nightly", TRAINED_SESSION).success
    assert trained_desk.documents() == before
    assert trained_desk.lake.version() == version


def test_training_again_on_the_same_data_adds_no_version(trained_desk: Desk) -> None:
    """Every rerun would otherwise crowd the registry with copies of the same model."""
    registry = trained_desk.resources["model_registry"]
    before = registry.versions("sample")
    assert trained_desk.run("training", TRAINED_SESSION).success
    assert registry.versions("sample") == before


def test_the_next_night_only_adds(trained_desk: Desk) -> None:
    """A night that touched an older night's documents would rewrite history."""
    before = trained_desk.documents()
    assert trained_desk.run("nightly", NEXT_SESSION).success
    after = trained_desk.documents()
    for collection in ("ml_signals", "pipeline_runs"):
        assert [one for one in after[collection] if one in before[collection]] == before[collection]
    new = [one for one in after["ml_signals"] if one not in before["ml_signals"]]
    assert {one["session"] for one in new} <= {NEXT_SESSION.isoformat()}
    rows = trained_desk.lake.read(
        "SELECT symbol FROM technical_features WHERE session = $session", {"session": NEXT_SESSION}
    )
    assert set(rows["symbol"]) == {"AAPL", "GOOG", "IBM", "MSFT"}


def test_a_range_is_one_run_that_fills_missing_nights(trained_desk: Desk) -> None:
    """Backfilled nights must say so, and score with a model of their own time."""
    first, last = date(2004, 8, 16), date(2004, 8, 20)
    result = trained_desk.run("nightly", last, first=first)
    assert result.success
    signals = [
        one
        for one in trained_desk.documents()["ml_signals"]
        if first.isoformat() <= one["session"] <= last.isoformat()
    ]
    sessions = sorted({one["session"] for one in signals})
    assert len(sessions) == 5
    assert {one["origin"] for one in signals} == {"backfill"}
    listed = {one["session"] for one in signals if one["symbol"] == "GOOG"}
    assert listed == {"2004-08-19", "2004-08-20"}, "GOOG was listed on 2004-08-19"
    partitions = {
        event.materialization.partition
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("night_manifest")
    }
    assert partitions == set(sessions)


def test_manifest_counts_and_hashes_what_stands_in_the_database(trained_desk: Desk) -> None:
    """A manifest that tells something else than the database holds would be worse than none."""
    documents = trained_desk.documents()
    (manifest,) = [
        one for one in documents["pipeline_runs"] if one["session"] == TRAINED_SESSION.isoformat()
    ]
    signals = [one for one in documents["ml_signals"] if one["night_id"] == manifest["night_id"]]
    assert manifest["collections"]["ml_signals"]["documents"] == len(signals) == 5
    assert manifest["collections"]["stock_price_daily"]["documents"] == 4
    assert manifest["status"] == "degraded"
    assert manifest["stale_symbols"] == ["FB"], "the vendor knows no FB in 2004"
    assert manifest["origin"] == "live"
    assert len(manifest["runs"]) == 1


@pytest.fixture
def changed_bars(tmp_path: Path) -> Path:
    """The sample market in which every bar after TRAINED_SESSION is another one."""
    rng = np.random.default_rng(11)
    bars = load_sample_market().bars
    factor = pl.Series("factor", np.exp(0.1 * rng.standard_normal(bars.height)))
    is_future = pl.col("session") > TRAINED_SESSION
    prices = [
        pl.when(is_future).then(pl.col(name) * factor).otherwise(name).alias(name)
        for name in ("open", "high", "low", "close")
    ]
    path = tmp_path / "bars.parquet"
    bars.with_columns(*prices).with_columns(
        pl.when(is_future).then(pl.col("volume") * 3 + 1).otherwise("volume").alias("volume")
    ).write_parquet(path)
    return path


@pytest.mark.slow
def test_changing_the_future_moves_no_score_of_the_past(
    trained_desk: Desk, changed_bars: Path, tmp_path: Path, mongod_uri: str
) -> None:
    """From vendor to document: a night of the past, run when the future is known, is the same."""
    desk = Desk(
        folder=tmp_path / "desk",
        serving=Serving(uri=mongod_uri, database="changed_future"),
        market=OtherBarsMarket(name="sample", bars_file=str(changed_bars)),
    )
    assert desk.run("training", TRAINED_SESSION).success
    assert desk.run("training", LATER_SESSION).success
    assert desk.run("nightly", TRAINED_SESSION).success
    for table in ("clean_prices", "technical_features"):
        query = f"SELECT * EXCLUDE (adjusted_close) FROM {table} WHERE session <= $session"
        query = query if table == "clean_prices" else query.replace(" EXCLUDE (adjusted_close)", "")
        ordered = f"{query} ORDER BY symbol, session"
        past = {"session": TRAINED_SESSION}
        assert desk.lake.read(ordered, past).equals(trained_desk.lake.read(ordered, past))
    columns = [name for name in SIGNAL_SCORES.column_names if name not in FROM_ANOTHER_NIGHT]
    scores = [
        one.lake.of_sessions(SIGNAL_SCORES, [TRAINED_SESSION]).select(columns)
        for one in (desk, trained_desk)
    ]
    assert scores[0].equals(scores[1])
