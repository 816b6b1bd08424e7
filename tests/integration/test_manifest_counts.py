"""What a manifest counts: of the night itself, and of what later nights move on."""

from datetime import date, timedelta

from pipelines.documents.daily_price import DailyPrice
from pipelines.documents.pipeline_run import PublishedCollection
from pipelines.documents.quality_event import DataQualityEvent
from pipelines.nights import Night, Origin
from resources.manifest_counts import published_by
from resources.serving import Serving
from tests.support.documents import AS_OF, SESSION, a_price, an_event

NIGHT = Night("sample", SESSION, AS_OF, Origin.LIVE)
LATER: date = SESSION + timedelta(days=3)


def seen_by(night_id: str, status: str = "open") -> DataQualityEvent:
    """Return the event that a night saw first."""
    event = an_event()
    metadata = event.metadata.model_copy(update={"night_id": night_id, "status": status})
    return an_event(metadata=metadata)


def nothing(_: Night) -> dict[str, PublishedCollection]:
    """Return what the manifest of a night says that has none yet."""
    return {}


def test_a_night_counts_its_documents_in_every_collection(serving: Serving) -> None:
    """A collection that no manifest names could be lost without a word."""
    serving.reconcile(DailyPrice, [a_price()], scope={}, as_of=AS_OF)
    serving.reconcile(DataQualityEvent, [seen_by(NIGHT.night_id)], scope={}, as_of=AS_OF)
    counted = published_by(serving, newest=None, told=nothing)(NIGHT)
    assert {name for name, one in counted.items() if one.documents} == {
        "stock_price_daily",
        "data_quality_events",
    }
    assert set(counted) == {
        *("stock_price_daily", "stock_price_weekly", "stock_price_monthly"),
        "stock_data_coverage",
        *("data_quality_events", "data_quality_summaries", "quarantined_prices"),
        *("feature_definitions", "feature_versions", "datasets"),
        *("ml_signals", "market_regimes", "portfolio_forecasts", "portfolio_equity"),
        *("prediction_outcomes", "track_records", "model_drift_events"),
        *("model_versions", "deployments", "model_runs", "model_experiments", "feature_usages"),
    }


def test_a_night_that_is_run_again_tells_of_moved_documents_what_it_told_then(
    serving: Serving,
) -> None:
    """An event has been superseded since; the night did not publish that."""
    serving.reconcile(DataQualityEvent, [seen_by(NIGHT.night_id)], scope={}, as_of=AS_OF)
    told = published_by(serving, newest=None, told=nothing)(NIGHT)
    moved = [seen_by(NIGHT.night_id, "superseded")]
    serving.reconcile(DataQualityEvent, moved, scope={}, as_of=AS_OF)
    assert published_by(serving, newest=LATER, told=lambda _: told)(NIGHT) == told
    assert published_by(serving, newest=SESSION, told=lambda _: told)(NIGHT) != told
