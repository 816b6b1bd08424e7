"""The resources as the settings ask for them. Secrets go in by the name of their variable only."""

from typing import Any

import dagster as dg

from pipelines.vendor.plans import LOOPBACK_PLAN
from resources.alpha_vantage import AlphaVantage
from resources.bar_scoring import BarScoring
from resources.evaluation_reports import EvaluationReports
from resources.evaluations import EvaluationPlans
from resources.feature_choice import FeatureChoice
from resources.lake import Lake
from resources.lake_maintenance import LakeMaintenance
from resources.market import Market
from resources.model_registry import ModelRegistry
from resources.night_reports import NightReports
from resources.nights import Nights
from resources.portfolio_forecasting import PortfolioForecasting
from resources.portfolios import Portfolios
from resources.regime_evidence import RegimeEvidence
from resources.regime_switches import RegimeSwitches
from resources.serving import Serving
from resources.settings import Settings
from resources.vendor_archive import VendorArchive
from resources.verdicts import ReviewedVerdicts
from resources.watchlists import Watchlists
from resources.webhook import Webhook


def build_resources(
    settings: Settings,
    *,
    market: Market | None = None,
    serving: Serving | None = None,
    lake: Lake | None = None,
) -> dict[str, Any]:
    """Return every resource by the name that assets ask for.

    Args:
        settings: What a person has set.
        market: Taken in place of the market that the settings name.
        serving: Taken in place of the server that the settings name.
        lake: Taken in place of the lake that the settings name.
    """
    lake = lake or build_lake(settings)
    webhook = build_webhook(settings)
    market = market or build_market(settings)
    serving = serving or build_serving(settings)
    portfolios = Portfolios(
        lake=lake, serving=serving, market=market, file=str(settings.portfolios_file or "")
    )
    return {
        "lake": lake,
        "lake_maintenance": LakeMaintenance(
            lake=lake,
            backup_folder=str(settings.home / "backups"),
            models_folder="" if settings.mlflow_uri else str(settings.home / "mlflow"),
        ),
        "bar_scoring": BarScoring(
            lake=lake,
            false_discovery_level=settings.false_discovery_level,
            most_alerts=settings.most_alerts,
        ),
        "evaluation_reports": EvaluationReports(folder=str(settings.home / "reports")),
        "evaluation_plans": EvaluationPlans(file=str(settings.evaluation_file or "")),
        "feature_choice": FeatureChoice(words=settings.feature_groups),
        "market": market,
        "nights": Nights(lake=lake, market=market),
        "vendor_archive": VendorArchive(lake=lake),
        "alpha_vantage": AlphaVantage(
            api_key=dg.EnvVar("ALPHA_VANTAGE_API_KEY") if settings.api_key else "",
            plan=LOOPBACK_PLAN if market.is_recorded else settings.plan,
            requests_per_second=None if market.is_recorded else settings.requests_per_second,
        ),
        "model_registry": build_model_registry(settings),
        "serving": serving,
        "webhook": webhook,
        "regime_evidence": build_regime_evidence(settings),
        "regime_switches": RegimeSwitches(
            lake=lake, webhook=webhook, confidence=settings.regime_switch_confidence
        ),
        "anomaly_webhook": build_anomaly_webhook(settings),
        "portfolios": portfolios,
        "portfolio_forecasting": PortfolioForecasting(
            lake=lake,
            portfolios=portfolios,
            deep=settings.deep_forecasts,
            without=settings.forecasts_without,
        ),
        "night_reports": NightReports(market=market, folder=str(settings.home / "reports")),
        "watchlists": Watchlists(lake=lake, serving=serving),
        "verdicts": ReviewedVerdicts(lake=lake, serving=serving),
    }


def build_webhook(settings: Settings) -> Webhook:
    """Return the webhook that is called when a night fails or is missing."""
    return Webhook(
        url=dg.EnvVar("NIGHTDESK_WEBHOOK_URL") if settings.webhook_url else "",
        secret=dg.EnvVar("NIGHTDESK_WEBHOOK_SECRET") if settings.webhook_secret else "",
    )


def build_anomaly_webhook(settings: Settings) -> Webhook:
    """Return the webhook that is told of grave anomalies."""
    return Webhook(
        url=dg.EnvVar("NIGHTDESK_ANOMALY_WEBHOOK_URL") if settings.anomaly_webhook_url else "",
        secret=dg.EnvVar("NIGHTDESK_WEBHOOK_SECRET") if settings.webhook_secret else "",
    )


def build_lake(settings: Settings) -> Lake:
    """Return the lake."""
    return Lake(
        catalog_path=str(settings.catalog_path),
        catalog_database=dg.EnvVar("NIGHTDESK_LAKE_DATABASE") if settings.lake_database else "",
        data_path=settings.data_path,
        storage_key_id=dg.EnvVar("AWS_ACCESS_KEY_ID") if settings.storage_key_id else "",
        storage_secret=dg.EnvVar("AWS_SECRET_ACCESS_KEY") if settings.storage_secret else "",
        storage_region=settings.storage_region,
        storage_endpoint=settings.storage_endpoint,
        extension_directory=str(settings.home / "duckdb_extensions"),
        scratch_directory=str(settings.home / "scratch"),
        market=settings.market,
    )


def build_market(settings: Settings) -> Market:
    """Return the market."""
    return Market(
        name=settings.market,
        exchange=settings.exchange,
        universe_file=str(settings.universe_file or ""),
        simulated_symbols=settings.simulated_symbols,
        simulated_sessions=settings.simulated_sessions,
        simulated_seed=settings.simulated_seed,
        simulated_strength=settings.simulated_strength,
    )


def build_model_registry(settings: Settings) -> ModelRegistry:
    """Return the model registry."""
    return ModelRegistry(
        tracking_uri=settings.tracking_uri,
        artifact_location=str(settings.home / "mlflow" / "artifacts"),
    )


def build_regime_evidence(settings: Settings) -> RegimeEvidence:
    """Return what keeps the evidence of regime models."""
    return RegimeEvidence(
        tracking_uri=settings.tracking_uri,
        artifact_location=str(settings.home / "mlflow" / "artifacts"),
    )


def build_serving(settings: Settings) -> Serving:
    """Return the database that the backend reads."""
    return Serving(
        uri=dg.EnvVar("MONGODB_URI") if settings.mongodb_uri else "",
        database=settings.mongodb_database,
        state_folder=str(settings.home),
    )
