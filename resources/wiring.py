"""The resources as the settings ask for them. Secrets go in by the name of their variable only."""

from typing import Any

import dagster as dg

from pipelines.vendor.plans import LOOPBACK_PLAN
from resources.alpha_vantage import AlphaVantage
from resources.lake import Lake
from resources.lake_maintenance import LakeMaintenance
from resources.market import Market
from resources.model_registry import ModelRegistry
from resources.nights import Nights
from resources.serving import Serving
from resources.settings import Settings
from resources.vendor_archive import VendorArchive
from resources.watchlists import Watchlists
from resources.webhook import Webhook


def build_resources(
    settings: Settings, *, market: Market | None = None, serving: Serving | None = None
) -> dict[str, Any]:
    """Return every resource by the name that assets ask for.

    Args:
        settings: What a person has set.
        market: Taken in place of the market that the settings name.
        serving: Taken in place of the server that the settings name.
    """
    lake = build_lake(settings)
    market = market or build_market(settings)
    serving = serving or build_serving(settings)
    return {
        "lake": lake,
        "lake_maintenance": LakeMaintenance(
            lake=lake, backup_folder=str(settings.home / "backups")
        ),
        "market": market,
        "nights": Nights(lake=lake, market=market),
        "vendor_archive": VendorArchive(lake=lake),
        "alpha_vantage": AlphaVantage(
            api_key=dg.EnvVar("ALPHA_VANTAGE_API_KEY") if settings.api_key else "",
            plan=LOOPBACK_PLAN if market.is_recorded else settings.plan,
        ),
        "model_registry": build_model_registry(settings),
        "serving": serving,
        "webhook": build_webhook(settings),
        "watchlists": Watchlists(lake=lake, serving=serving),
    }


def build_webhook(settings: Settings) -> Webhook:
    """Return the webhook."""
    return Webhook(
        url=dg.EnvVar("NIGHTDESK_WEBHOOK_URL") if settings.webhook_url else "",
        secret=dg.EnvVar("NIGHTDESK_WEBHOOK_SECRET") if settings.webhook_secret else "",
    )


def build_lake(settings: Settings) -> Lake:
    """Return the lake."""
    return Lake(
        catalog_path=str(settings.catalog_path),
        data_path=settings.data_path,
        extension_directory=str(settings.home / "duckdb_extensions"),
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


def build_serving(settings: Settings) -> Serving:
    """Return the database that the backend reads."""
    return Serving(
        uri=dg.EnvVar("MONGODB_URI") if settings.mongodb_uri else "",
        database=settings.mongodb_database,
        state_folder=str(settings.home),
    )
