"""The manifest of a night: what was published, from which data, by which code."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.documents.base import PublishedDocument
from pipelines.documents.coverage import StockDataCoverage
from pipelines.documents.daily_price import DailyPrice, session_scope
from pipelines.documents.dataset import Dataset
from pipelines.documents.deployment import Deployment
from pipelines.documents.drift_event import ModelDriftEvent, drift_scope
from pipelines.documents.feature_definition import FeatureDefinition
from pipelines.documents.feature_usage import FeatureUsage
from pipelines.documents.feature_version import FeatureVersion
from pipelines.documents.model_run import ModelExperiment, ModelRun
from pipelines.documents.model_version import ModelVersion
from pipelines.documents.period_price import MonthlyPrice, WeeklyPrice
from pipelines.documents.pipeline_run import PipelineRun, PublishedCollection
from pipelines.documents.portfolio_equity import PortfolioEquity
from pipelines.documents.portfolio_forecast import PortfolioForecast, forecast_scope
from pipelines.documents.prediction_outcome import PredictionOutcome, outcome_scope
from pipelines.documents.quality_event import DataQualityEvent
from pipelines.documents.quality_summary import DataQualitySummary
from pipelines.documents.quarantined_price import QuarantinedPrice
from pipelines.documents.regime import MarketRegime
from pipelines.documents.signal import MLSignal
from pipelines.documents.track_record import ModelTrackRecord, track_record_scope
from pipelines.documents.values import midnight_of
from pipelines.nights import Night
from pipelines.regimes.scope import regime_scope
from pipelines.signals.nightly import signal_scope
from pipelines.signals.scoring import AbstainReason

Scopes = Mapping[type[PublishedDocument], Mapping[str, object]]
"""Which documents of each collection belong to a night."""


@dataclass(frozen=True)
class Provenance:
    """What made the documents, beside the data: code, locked packages and seeds."""

    code_version: str
    lock_hash: str
    seeds: Mapping[str, int]


def lasting_scopes(night: Night) -> Scopes:
    """Return the documents of a night that later nights leave as they are."""
    return {
        DailyPrice: session_scope(night.session),
        MLSignal: signal_scope([night]),
        PortfolioForecast: forecast_scope([night]),
        MarketRegime: regime_scope([night]),
        ModelDriftEvent: drift_scope(night.market, [night.session]),
        ModelTrackRecord: track_record_scope([night.session]),
        DataQualitySummary: {"night_id": night.night_id},
    }


def passing_scopes(night: Night) -> Scopes:
    """Return the documents of a night that later nights move on: this week's bar, the registry.

    What the night counted of them is kept when it is run again.
    """
    at_session = session_scope(night.session)
    return {
        WeeklyPrice: at_session,
        MonthlyPrice: at_session,
        PortfolioEquity: {"session": night.session},
        StockDataCoverage: {"last_date": midnight_of(night.session)},
        PredictionOutcome: outcome_scope([night.session]),
        DataQualityEvent: {"metadata.night_id": night.night_id},
        QuarantinedPrice: at_session,
        **{model: {} for model in (FeatureDefinition, FeatureVersion, Dataset)},
        **model_registry_scopes(night),
    }


def model_registry_scopes(night: Night) -> Scopes:
    """Return the documents that tell of MLflow's registry: trainings move them on, not nights."""
    of_market = {"market": night.market}
    models = (ModelVersion, Deployment, ModelRun, FeatureUsage)
    return {ModelExperiment: {}, **dict.fromkeys(models, of_market)}


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
