"""Settings, read from the environment and from `.env` in the project's root.

The names, defaults and meanings stand here once; `.env.example` is checked against them by a test.
Secrets are kept in `SecretStr` and handed on by the name of their variable only.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.anomalies.alert_budget import FALSE_DISCOVERY_LEVEL, MOST_ALERTS
from pipelines.calendar import ExchangeCalendar
from pipelines.features.choice import chosen_groups
from pipelines.forecasts.pool_definition import left_out
from pipelines.markets.names import RECORDED_MARKETS, MarketName
from pipelines.markets.simulation.settings import STRENGTH
from pipelines.regimes.switches import SWITCH_CONFIDENCE
from resources.kernel_cache import keep_compiled_kernels
from resources.mongodb_address import redacted
from resources.object_storage import is_object_storage
from resources.postgres_address import (
    LIBPQ_SCHEME,
    SQLALCHEMY_SCHEME,
    require_postgres_address,
)

DEFAULT_EXCHANGE = "XNYS"
PROJECT_ROOT = Path(__file__).resolve().parent.parent
DOTENV = PROJECT_ROOT / ".env"

PlanName = Literal[
    "free", "premium_75", "premium_150", "premium_300", "premium_600", "premium_1200"
]


class SettingsError(ValueError):
    """One or more settings are wrong or missing; the message has a sentence for each."""


class Settings(BaseSettings):
    """What a person may set. An empty value counts as not set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = Field(
        PROJECT_ROOT / ".nightdesk",
        validation_alias="NIGHTDESK_HOME",
        description="Folder of all state; a relative path counts from the project's root.",
    )
    market: MarketName = Field(
        MarketName.SAMPLE,
        validation_alias="NIGHTDESK_MARKET",
        description="Where the data comes from: sample or simulated (no key), or alpha_vantage.",
    )
    exchange: str = Field(
        DEFAULT_EXCHANGE,
        validation_alias="NIGHTDESK_EXCHANGE",
        description="ISO 10383 code of the exchange whose sessions are used.",
    )
    universe_file: Path | None = Field(
        None,
        validation_alias="NIGHTDESK_UNIVERSE_FILE",
        description="Text or YAML file of symbols; without it, all symbols of the sample market.",
    )
    portfolios_file: Path | None = Field(
        None,
        validation_alias="NIGHTDESK_PORTFOLIOS_FILE",
        description="YAML file of portfolios with weights, to be forecast beside the backend's.",
    )
    deep_forecasts: bool = Field(
        False,
        validation_alias="NIGHTDESK_DEEP_FORECASTS",
        description="Whether DeepAR and the Temporal Fusion Transformer join the forecasts' pool; "
        "they need the extra `deep`.",
    )
    forecasts_without: str = Field(
        "",
        validation_alias="NIGHTDESK_FORECASTS_WITHOUT",
        description="Models that are left out of the forecasts' pool, separated by commas.",
    )
    evaluation_file: Path | None = Field(
        None,
        validation_alias="NIGHTDESK_EVALUATION_FILE",
        description="YAML file of scenarios and limits of `make evaluate`, in place of the desk's.",
    )
    simulated_symbols: int = Field(
        40,
        ge=1,
        validation_alias="NIGHTDESK_SIMULATED_SYMBOLS",
        description="Symbols of the simulated market.",
    )
    simulated_sessions: int = Field(
        1000,
        ge=2,
        le=6000,
        validation_alias="NIGHTDESK_SIMULATED_SESSIONS",
        description="Sessions of the simulated market, from 2000-01-03 on.",
    )
    simulated_seed: int = Field(
        1,
        ge=0,
        validation_alias="NIGHTDESK_SIMULATED_SEED",
        description="Seed of the simulated market: equal seeds give equal bars.",
    )
    simulated_strength: float = Field(
        STRENGTH,
        ge=0,
        le=2,
        validation_alias="NIGHTDESK_SIMULATED_STRENGTH",
        description="Standard deviation of the planted log-odds; 0 is a market of pure noise.",
    )
    api_key: SecretStr | None = Field(
        None,
        validation_alias="ALPHA_VANTAGE_API_KEY",
        description="Key of the vendor; needed for the market alpha_vantage only.",
    )
    plan: PlanName = Field(
        "premium_75",
        validation_alias="ALPHA_VANTAGE_PLAN",
        description="The key's plan: free or premium_<requests a minute>.",
    )
    requests_per_second: int | None = Field(
        None,
        ge=1,
        validation_alias="ALPHA_VANTAGE_REQUESTS_PER_SECOND",
        description="Most requests a second, in place of the plan's: the vendor does not state its "
        "burst limits, ours are from its refusals (10 to 30). Lower it where bursts are refused.",
    )
    mongodb_uri: SecretStr | None = Field(
        None,
        validation_alias="MONGODB_URI",
        description="The backend's MongoDB; without it, a mongod in the state folder is started.",
    )
    mongodb_database: str = Field(
        "quant-service",
        validation_alias="MONGODB_DATABASE",
        description="Database that the backend reads.",
    )
    lake_catalog: Path | None = Field(
        None,
        validation_alias="NIGHTDESK_LAKE_CATALOG",
        description="SQLite file of the lake's catalog; default: lake/catalog.sqlite in the state "
        "folder.",
    )
    lake_data: str | None = Field(
        None,
        validation_alias="NIGHTDESK_LAKE_DATA",
        description="Folder of the lake's Parquet files, or s3://bucket/folder; default: lake/data "
        "in the state folder.",
    )
    storage_key_id: str = Field(
        "",
        validation_alias="AWS_ACCESS_KEY_ID",
        description="Name of the key to a bucket that NIGHTDESK_LAKE_DATA names.",
    )
    storage_secret: SecretStr | None = Field(
        None,
        validation_alias="AWS_SECRET_ACCESS_KEY",
        description="The key to that bucket.",
    )
    storage_region: str = Field(
        "", validation_alias="AWS_REGION", description="Region of that bucket."
    )
    storage_endpoint: str = Field(
        "",
        validation_alias="AWS_ENDPOINT_URL",
        description="Address of the bucket's server, where it is not Amazon's: https://host:port.",
    )
    lake_database: SecretStr | None = Field(
        None,
        validation_alias="NIGHTDESK_LAKE_DATABASE",
        description="PostgreSQL database of the lake's catalog, in place of the SQLite file: "
        "postgresql://user:password@host:5432/database.",
    )
    dagster_database: SecretStr | None = Field(
        None,
        validation_alias="NIGHTDESK_DAGSTER_DATABASE",
        description="PostgreSQL database of Dagster's runs, events and schedules, in place of "
        "SQLite files: postgresql+psycopg2://user:password@host:5432/database.",
    )
    mlflow_uri: str | None = Field(
        None,
        validation_alias="MLFLOW_TRACKING_URI",
        description="MLflow tracking server or database; default: mlflow/ in the state folder.",
    )
    webhook_url: SecretStr | None = Field(
        None,
        validation_alias="NIGHTDESK_WEBHOOK_URL",
        description="Address that is called when a night fails or is missing.",
    )
    anomaly_webhook_url: SecretStr | None = Field(
        None,
        validation_alias="NIGHTDESK_ANOMALY_WEBHOOK_URL",
        description="Address that is told of bars of high or critical severity.",
    )
    webhook_secret: SecretStr | None = Field(
        None,
        validation_alias="NIGHTDESK_WEBHOOK_SECRET",
        description="Secret that signs what the webhooks are sent (HMAC-SHA256).",
    )
    false_discovery_level: float = Field(
        FALSE_DISCOVERY_LEVEL,
        gt=0,
        lt=1,
        validation_alias="NIGHTDESK_FALSE_DISCOVERY_LEVEL",
        description="Share of the detectors' alerts that may be bars like any other.",
    )
    most_alerts: int = Field(
        MOST_ALERTS,
        ge=0,
        validation_alias="NIGHTDESK_MOST_ALERTS",
        description="Alerts of the detectors a night at most; what rules find does not count.",
    )
    regime_switch_confidence: float = Field(
        SWITCH_CONFIDENCE,
        ge=0,
        le=1,
        validation_alias="NIGHTDESK_REGIME_SWITCH_CONFIDENCE",
        description="Chance of a new regime from which on its change is told.",
    )
    feature_groups: str = Field(
        "core,standardized_features,market_relative_features",
        validation_alias="NIGHTDESK_FEATURE_GROUPS",
        description="Groups of features that a night computes, with commas between: core, alpha158,"
        " regimes, all, or names of groups. Those that the signals learn from always are.",
    )
    ui_port: int = Field(
        3000,
        ge=1024,
        le=65535,
        validation_alias="NIGHTDESK_UI_PORT",
        description="Port of the Dagster UI on 127.0.0.1.",
    )

    @field_validator("forecasts_without")
    @classmethod
    def _require_models(cls, forecasts_without: str) -> str:
        """Refuse models that the pool does not have."""
        left_out(forecasts_without)
        return forecasts_without

    @field_validator("feature_groups")
    @classmethod
    def _require_groups(cls, feature_groups: str) -> str:
        """Refuse a group that is not in the catalogue."""
        chosen_groups(feature_groups)
        return feature_groups

    @field_validator("home")
    @classmethod
    def _count_from_the_root(cls, home: Path) -> Path:
        """Make the state folder absolute, wherever the command was started."""
        return (PROJECT_ROOT / home.expanduser()).resolve()

    @field_validator("exchange")
    @classmethod
    def _require_a_calendar(cls, exchange: str) -> str:
        """Refuse an exchange whose sessions nobody knows."""
        if exchange != DEFAULT_EXCHANGE:  # known to be one; asking would take every start a second
            ExchangeCalendar.of(exchange)
        return exchange

    @field_validator("lake_catalog")
    @classmethod
    def _count_the_catalog_from_the_root(cls, lake_catalog: Path | None) -> Path | None:
        """Make the catalog's path absolute, so that every process means the same file."""
        if lake_catalog is None:
            return None
        return (PROJECT_ROOT / lake_catalog.expanduser()).resolve()

    @field_validator("lake_data")
    @classmethod
    def _count_the_data_from_the_root(cls, lake_data: str | None) -> str | None:
        """Make the folder of the files absolute; an address of object storage is one already."""
        if lake_data is None or lake_data.startswith("s3://"):
            return lake_data
        if is_object_storage(lake_data):
            message = "object storage is spoken to as s3://bucket/folder"
            raise ValueError(message)
        return str((PROJECT_ROOT / Path(lake_data).expanduser()).resolve())

    @field_validator("lake_database")
    @classmethod
    def _require_an_address_of_libpq(cls, address: SecretStr | None) -> SecretStr | None:
        """Refuse what DuckDB and psycopg2 would not take for an address."""
        if address is not None:
            require_postgres_address(address.get_secret_value(), scheme=LIBPQ_SCHEME)
        return address

    @field_validator("dagster_database")
    @classmethod
    def _require_an_address_of_sqlalchemy(cls, address: SecretStr | None) -> SecretStr | None:
        """Refuse what Dagster would not take for an address."""
        if address is not None:
            require_postgres_address(address.get_secret_value(), scheme=SQLALCHEMY_SCHEME)
        return address

    @field_validator("universe_file", "portfolios_file")
    @classmethod
    def _require_the_file(cls, file: Path | None) -> Path | None:
        """Refuse a universe or portfolios file that is not there."""
        if file is None:
            return None
        found = (PROJECT_ROOT / file.expanduser()).resolve()
        if not found.is_file():
            message = f"no such file: {found}"
            raise ValueError(message)
        return found

    @model_validator(mode="after")
    def _require_what_the_market_needs(self) -> Self:
        """Refuse a live market without key or universe, and sample data into a real database."""
        if self.market is MarketName.ALPHA_VANTAGE:
            _refuse_without(
                {
                    "ALPHA_VANTAGE_API_KEY (your key, from the vendor's site)": self.api_key,
                    "NIGHTDESK_UNIVERSE_FILE (a file with a symbol a line)": self.universe_file,
                }
            )
        if (
            self.market in RECORDED_MARKETS
            and self.mongodb_uri
            and "mongodb_database" not in self.model_fields_set
        ):
            message = (
                f"NIGHTDESK_MARKET={self.market} would publish prices that are not live into the "
                "server of MONGODB_URI: name a database for them in MONGODB_DATABASE, or set "
                "NIGHTDESK_MARKET=alpha_vantage"
            )
            raise ValueError(message)
        return self

    @property
    def catalog_path(self) -> Path:
        """SQLite catalog of the lake."""
        return self.lake_catalog or self.home / "lake" / "catalog.sqlite"

    @property
    def catalog_for_people(self) -> str:
        """Where the lake's catalog is, without a password."""
        if self.lake_database is None:
            return str(self.catalog_path)
        return redacted(self.lake_database.get_secret_value())

    @property
    def data_path(self) -> str:
        """Folder of the lake's Parquet files, with a slash at its end."""
        return (self.lake_data or str(self.home / "lake" / "data")).rstrip("/") + "/"

    @property
    def tracking_uri(self) -> str:
        """Tracking URI of MLflow."""
        return self.mlflow_uri or f"sqlite:///{self.home / 'mlflow' / 'mlflow.db'}"


def load_settings() -> Settings:
    """Read the settings of this process.

    Values of `.env` count where the environment has none, and are put into it, so that Dagster's
    `EnvVar` finds the secrets too. So is the place for compiled kernels, where one is needed.

    Raises:
        SettingsError: with one sentence for each wrong or missing setting.
    """
    from dotenv import load_dotenv

    load_dotenv(DOTENV, override=False)
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_sentences(error))) from None
    keep_compiled_kernels(settings.home)
    return settings


def settings_or_exit() -> Settings:
    """Read the settings for a command: a wrong one ends it with its sentence alone."""
    try:
        return load_settings()
    except SettingsError as error:
        sys.exit(f"nightdesk: {error}")


def _refuse_without(needed: Mapping[str, object]) -> None:
    """Refuse a live market without the things it needs, by variable and meaning."""
    missing = " and ".join(variable for variable, value in needed.items() if value is None)
    if missing:
        message = (
            f"NIGHTDESK_MARKET=alpha_vantage needs {missing}: set what is missing, or "
            "NIGHTDESK_MARKET=sample"
        )
        raise ValueError(message)


def _sentences(error: ValidationError) -> list[str]:
    """Turn a validation error into sentences that name variable, value and rule.

    Values of secrets are left out.
    """
    secrets = {
        *("ALPHA_VANTAGE_API_KEY", "MONGODB_URI"),
        *("NIGHTDESK_LAKE_DATABASE", "NIGHTDESK_DAGSTER_DATABASE", "AWS_SECRET_ACCESS_KEY"),
        *("NIGHTDESK_WEBHOOK_URL", "NIGHTDESK_WEBHOOK_SECRET", "NIGHTDESK_ANOMALY_WEBHOOK_URL"),
    }
    sentences = []
    for fault in error.errors():
        rule = fault["msg"].removeprefix("Value error, ")
        if not fault["loc"]:
            sentences.append(rule)
            continue
        variable = str(fault["loc"][0])
        shown = "" if variable in secrets else f"={os.environ.get(variable, '')}"
        sentences.append(f"{variable}{shown} is wrong: {rule} (.env.example describes it)")
    return sentences
