"""A whole night in process: real vendor protocol, real lake, real models, real MongoDB."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import polars as pl
import pytest
from mlflow import MlflowClient

from commands.rollback import main as rollback
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import feature_names
from pipelines.markets.sample import load_sample_market
from pipelines.regimes.tables import REGIME_STATES
from pipelines.tables import SIGNAL_SCORES
from resources.serving import Serving
from resources.training_sets import training_set_again
from tests.support.backend_contract import assert_valid
from tests.support.desk import TRAINED_SESSION, Desk, OtherBarsMarket

SCHEMA_OF_COLLECTION = {
    "stock_price_daily": "stock_price_daily",
    "stock_price_weekly": "stock_price_weekly",
    "stock_price_monthly": "stock_price_monthly",
    "stock_data_coverage": "stock_data_coverage",
    "data_quality_events": "data_quality_events",
    "model_versions": "model_versions",
    "deployments": "deployments",
    "model_experiments": "model_experiments",
    "model_runs": "model_runs",
    "feature_usages": "feature_usages",
    "feature_definitions": "feature_definitions",
    "feature_versions": "feature_versions",
    "datasets": "datasets",
    "ml_signals": "payload.MLSignalInsight",
    "portfolio_forecasts": "payload.PortfolioForecastDistribution",
    "market_regimes": "market_regimes",
}
WITHOUT_A_READER = {
    "portfolio_equity",
    *("prediction_outcomes", "track_records", "model_drift_events"),
    *("quarantined_prices", "data_quality_summaries", "pipeline_runs", "publishing_marks"),
}
"""Collections of ours that the backend has no schema for."""
OF_EVALUATIONS = {
    *("evaluation_scenarios", "evaluation_runs", "benchmarks", "benchmark_runs"),
    "fairness_reports",
}
"""Collections that no night publishes; another test of this desk may have."""
NEXT_SESSION = date(2004, 9, 2)
LATER_SESSION = date(2004, 10, 21)

FROM_ANOTHER_NIGHT = {"night_id", "origin"}
"""What may differ in what is told: the night is run later, so it is seen from a later instant."""


def test_every_published_document_is_valid_for_the_backend(trained_desk: Desk) -> None:
    """One bad document would poison a whole list that the backend reads."""
    documents = trained_desk.documents()
    assert set(documents) - OF_EVALUATIONS == {*SCHEMA_OF_COLLECTION, *WITHOUT_A_READER}
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


def test_the_night_says_whether_to_train_again(trained_desk: Desk) -> None:
    """What the champion learned from lies beside it, and the month is held against it."""
    watched = trained_desk.lake.read(
        "SELECT metric, importance, psi_is_finite FROM (SELECT *, isfinite(metric_value) AS "
        "psi_is_finite FROM model_drift WHERE session = $session)",
        {"session": TRAINED_SESSION},
    )
    assert {"prediction", "label", *feature_names(SIGNAL_GROUPS)} >= set(watched["metric"])
    assert watched["importance"].sum() == pytest.approx(1.0)
    assert watched["psi_is_finite"].all()
    decision = trained_desk.lake.read(
        "FROM retraining_decisions WHERE session = $session", {"session": TRAINED_SESSION}
    ).row(0, named=True)
    assert decision["trains"] is False
    assert decision["trained_through"] == date(2004, 8, 31)


def test_a_model_never_scores_a_session_that_it_has_seen(trained_desk: Desk) -> None:
    """A model trained through tonight's label would know the answer."""
    for signal in trained_desk.documents()["ml_signals"]:
        assert date.fromisoformat(signal["trained_through"]) < date.fromisoformat(signal["session"])


def test_a_first_night_tells_regimes(trained_desk: Desk) -> None:
    """The training before it fits regimes: without fits every regime would abstain."""
    regimes = {
        one["symbol"]: one
        for one in trained_desk.documents()["market_regimes"]
        if one["session"] == TRAINED_SESSION.isoformat()
    }
    assert set(regimes) == {"MARKET", "AAPL", "FB", "GOOG", "IBM", "MSFT"}
    reasons = {symbol: one["abstain_reason"] for symbol, one in regimes.items()}
    assert reasons == dict.fromkeys(regimes) | {"FB": "no_history"}
    assert regimes["MARKET"]["series"] == "S&P 500"
    for one in regimes.values():
        assert one["model"]["fitted_through"] < one["session"]
        assert sum(one["probabilities"].values()) == pytest.approx(1.0, abs=1e-8)


def test_the_night_run_again_makes_identical_documents(trained_desk: Desk) -> None:
    """A rerun after a crash must not change what is already published, down to its timestamps."""
    # Other tests may have run later nights since; some documents are of the night that ran last.
    assert trained_desk.run("nightly", TRAINED_SESSION).success
    before, version = trained_desk.documents(), trained_desk.lake.version()
    assert trained_desk.run("nightly", TRAINED_SESSION).success
    assert trained_desk.documents() == before
    assert trained_desk.lake.version() == version


def test_the_champion_is_not_rolled_back_to_itself(
    trained_desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make rollback` names what it did, or why not and which versions it may take."""
    monkeypatch.setenv("NIGHTDESK_HOME", str(trained_desk.folder))
    monkeypatch.setenv("DAGSTER_HOME", str(trained_desk.folder / "dagster"))
    (champion,) = (
        one["model_version"]
        for one in trained_desk.documents()["deployments"]
        if one["model_name"] == "signal"
    )
    monkeypatch.setattr(sys, "argv", ["rollback", "--version", champion])
    rollback()
    assert f"version {champion} is the champion of sample already" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["rollback", "--version", "1"])
    with pytest.raises(SystemExit, match=rf"scores the past alone; take one of \[{champion}\]"):
        rollback()


def test_the_pool_that_reigns_is_published_and_is_not_rolled_back_to_itself(
    trained_desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first night decides about its pool, forecasts by it, and tells the backend of it."""
    monkeypatch.setenv("NIGHTDESK_HOME", str(trained_desk.folder))
    monkeypatch.setenv("DAGSTER_HOME", str(trained_desk.folder / "dagster"))
    documents = trained_desk.documents()
    of_pools = ("model_versions", "deployments")
    (version,), (reign,) = (
        [one for one in documents[name] if one["model_name"] == "forecast"] for name in of_pools
    )
    assert (version["stage"], version["verdict"]) == ("production", "first")
    assert [item["status"] for item in version["approval_checklist"]] == ["passed"] * 4
    pool = version["version"]
    made = documents["portfolio_forecasts"]
    assert {one["pool_version"] for one in made if one["abstain_reason"] is None} == {pool}
    assert reign["model_version"] == pool
    monkeypatch.setattr(sys, "argv", ["rollback", "--family", "forecast", "--version", pool])
    rollback()
    assert f"version {pool} is the champion of sample already" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["rollback", "--family", "forecast", "--version", "none"])
    with pytest.raises(SystemExit, match=f"those that may be are {pool}"):
        rollback()


def test_a_model_names_the_rows_that_it_was_trained_on(trained_desk: Desk) -> None:
    """Nobody could ask what a model has learned from, or learn it again."""
    registry = trained_desk.resources["model_registry"]
    client = MlflowClient(registry.tracking_uri)
    champion = client.get_model_version_by_alias("signal", "champion")
    named = client.get_run(champion.run_id).data.tags["training_set_id"]
    again = training_set_again(trained_desk.lake, named)
    assert again.training_set.feature_names == feature_names(SIGNAL_GROUPS)
    assert again.rows["label_end"].max().isoformat() == champion.tags["trained_through"]


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
    trained = TRAINED_SESSION.isoformat()  # the desk is shared, and other tests run it on
    assert_outcomes_of_the_first_night(
        [
            one
            for one in after["prediction_outcomes"]
            if one["session"] == trained and one["model_name"] == "signal"
        ]
    )
    new = [one for one in after["ml_signals"] if one not in before["ml_signals"]]
    assert {one["session"] for one in new} <= {NEXT_SESSION.isoformat()}
    rows = trained_desk.lake.read(
        "SELECT symbol FROM technical_features WHERE session = $session", {"session": NEXT_SESSION}
    )
    assert set(rows["symbol"]) == {"AAPL", "GOOG", "IBM", "MSFT"}


def assert_outcomes_of_the_first_night(outcomes: list[dict[str, Any]]) -> None:
    """Require what came of the first night's signals, as recorded; FB, without a bar, has none."""
    closes = {
        (symbol, session): close
        for symbol, session, close in load_sample_market()
        .as_seen_on(NEXT_SESSION)
        .select("symbol", "session", "close")
        .iter_rows()
    }
    assert {one["symbol"] for one in outcomes} == {"AAPL", "GOOG", "IBM", "MSFT"}
    for one in outcomes:
        own = [closes[one["symbol"], day] for day in (TRAINED_SESSION, NEXT_SESSION)]
        assert one["due_session"] == NEXT_SESSION.isoformat()
        assert one["next_session_return"] == pytest.approx(own[1] / own[0] - 1)
        assert one["is_up"] == (own[1] > own[0])


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
def test_changing_the_future_moves_no_score_or_regime_of_the_past(
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
    for told in (SIGNAL_SCORES, REGIME_STATES):
        columns = [name for name in told.column_names if name not in FROM_ANOTHER_NIGHT]
        rows = [
            one.lake.of_sessions(told, [TRAINED_SESSION]).select(columns)
            for one in (desk, trained_desk)
        ]
        assert rows[0].equals(rows[1])
