"""The asset `pool_decisions` in a night of forecasts: what it decides, tells and publishes."""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import polars as pl
import pytest
from pymongo import MongoClient

from assets.forecasts import (
    pool_decisions,
    portfolio_evaluations,
    portfolio_forecast_history,
    portfolio_forecasts,
)
from assets.partitions import PARTITION_TAG
from assets.portfolio_equity import portfolio_equity
from assets.portfolios import portfolios
from assets.published_forecasts import published_portfolio_forecasts
from assets.published_models import published_models
from commands.console import QUIET_LOGGERS
from pipelines.tables import CLEAN_PRICES
from resources.lake import Lake
from resources.portfolio_forecasting import PortfolioForecasting
from resources.portfolios import Portfolios
from resources.serving import Serving
from resources.settings import Settings
from resources.wiring import build_resources
from tests.support.lake import CALENDAR, night_of

DATABASE = "pool_assets"
ASSETS = (
    *(portfolios, portfolio_equity, pool_decisions, portfolio_evaluations, portfolio_forecasts),
    *(portfolio_forecast_history, published_portfolio_forecasts, published_models),
)
SESSIONS = 320


def put_prices(lake: Lake, days: list[date]) -> None:
    """Write clean prices of two walks."""
    rng = np.random.default_rng(3)
    frames = []
    for symbol in ("S00000", "S00001"):
        index = np.exp(np.cumsum(0.01 * rng.standard_normal(len(days))))
        prices = dict.fromkeys(("open", "high", "low", "close", "adjusted_close"), 50 * index)
        frames.append(
            pl.DataFrame(
                {
                    "symbol": symbol,
                    "session": days,
                    **prices,
                    "volume": 1000,
                    "dividend_amount": 0.0,
                    "split_coefficient": 1.0,
                    "split_factor": 1.0,
                    "total_return_index": index / index[0],
                    "total_return_units": 1 / (50 * index[0]),
                    "known_at": [CALENDAR.known_at(day) for day in days],
                }
            )
        )
    rows = pl.concat(frames).select(CLEAN_PRICES.column_names)
    lake.commit(
        lambda writer: writer.merge(CLEAN_PRICES, rows), night=night_of(days[-1]), message="prices"
    )


@pytest.fixture(scope="module")
def told(mongod_uri: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the asset tells of a first night that was published."""
    home: Path = tmp_path_factory.mktemp("home")
    settings = Settings(
        NIGHTDESK_HOME=str(home),
        NIGHTDESK_MARKET="simulated",
        NIGHTDESK_SIMULATED_SYMBOLS="2",
        NIGHTDESK_SIMULATED_SESSIONS=str(SESSIONS),
    )
    wired = build_resources(settings)
    lake, market = wired["lake"], wired["market"]
    serving = Serving(uri=mongod_uri, database=DATABASE)
    landed = Portfolios(lake=lake, serving=serving, market=market)
    resources = {name: wired[name] for name in ("lake", "market", "nights", "model_registry")} | {
        "serving": serving,
        "portfolios": landed,
        "portfolio_forecasting": PortfolioForecasting(
            lake=lake, portfolios=landed, without="prophet,auto_arima,ets"
        ),
    }
    days = list(market.simulation.days)
    put_prices(lake, days)
    wired["nights"].open([days[-1]])
    result = dg.materialize(
        ASSETS,
        resources=resources,
        tags={PARTITION_TAG: days[-1].isoformat()},
        run_config=QUIET_LOGGERS,
    )
    (shown,) = result.asset_materializations_for_node("pool_decisions")
    return {name: value.value for name, value in shown.metadata.items()}


def test_a_first_night_tells_which_pool_reigns_and_what_was_asked_of_it(
    told: dict[str, Any],
) -> None:
    """A reader of the UI must see why a forecast is whose it is."""
    assert told["reigning"] == told["configured"]
    assert told["decision"] == "first"
    assert str(told["checklist"]).count("| passed |") == 4


def test_the_pool_stands_in_the_backends_collections(told: dict[str, Any], mongod_uri: str) -> None:
    """Versions, reign and forecasts name the same pool."""
    of_pools = {"model_name": "forecast"}
    with MongoClient[dict[str, Any]](mongod_uri) as client:
        database = client[DATABASE]
        (version,) = database["model_versions"].find(of_pools)
        (reign,) = database["deployments"].find(of_pools)
        forecasts = list(database["portfolio_forecasts"].find({"abstain_reason": None}))
    assert version["version"] == reign["model_version"] == told["reigning"]
    assert (version["stage"], reign["status"]) == ("production", "active")
    assert forecasts
    assert {one["pool_version"] for one in forecasts} == {told["reigning"]}
