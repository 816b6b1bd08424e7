"""Pools of forecasting models on a lake: the first reigns, a challenger has to beat it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import accumulate
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.documents.deployment import Deployment
from pipelines.documents.model_version import ModelVersion
from pipelines.documents.portfolio_forecast import PortfolioForecast
from pipelines.forecasts.pool_promotion import PoolDecision
from pipelines.lifecycle.pool_versions import pool_deployment_documents, pool_version_documents
from pipelines.lifecycle.promotion import Verdict
from pipelines.nights import Night
from pipelines.tables import CLEAN_PRICES
from resources.family_outcomes import enter_forecast_outcomes
from resources.lake import Lake
from resources.market import Market
from resources.model_registry import RollbackError
from resources.pool_decisions import PoolJudge
from resources.pool_rollback import roll_back_pools
from resources.portfolio_forecasting import PortfolioForecasting
from resources.portfolios import Portfolios
from resources.regime_rollback import Withdrawing
from resources.serving import Serving
from tests.support.backend_contract import assert_valid
from tests.support.lake import CALENDAR, night_of, table_of, temporary_lake

SESSIONS = CALENDAR.sessions(date(2010, 6, 1), date(2013, 3, 1))
FIRST, TONIGHT, LATER = (night_of(SESSIONS[at]) for at in (-220, -12, -1))
STILL, ALIVE = (
    "prophet,auto_arima,ets,garch_fhs,stationary_bootstrap",
    "prophet,ets,garch_fhs,stationary_bootstrap",
)
"""A pool of the random walk alone, and one that also follows trends; both are fitted fast."""
ANN = Withdrawing("ann", "bands that nobody believes", datetime(2026, 12, 1, tzinfo=UTC))
FILE = "portfolios:\n  - {id: core, weights: {AAA: 0.9}, cash: 0.1, rebalance: quarterly}\n"

Desk = Callable[[str], PortfolioForecasting]


def put_prices(lake: Lake, *, trending: bool) -> None:
    """Write clean prices of a walk; where it is trending, half of each return goes on."""
    rng = np.random.default_rng(3)
    returns = 0.01 * rng.standard_normal(len(SESSIONS))
    if trending:
        returns = np.array(list(accumulate(returns, lambda before, news: 0.5 * before + news)))
    index = np.exp(np.cumsum(returns))
    prices = dict.fromkeys(("open", "high", "low", "close", "adjusted_close"), 50 * index)
    rows = pl.DataFrame(
        {
            "symbol": "AAA",
            "session": SESSIONS,
            **prices,
            "volume": 1000,
            "dividend_amount": 0.0,
            "split_coefficient": 1.0,
            "split_factor": 1.0,
            "total_return_index": index / index[0],
            "total_return_units": 1 / (50 * index[0]),
            "known_at": [CALENDAR.known_at(day) for day in SESSIONS],
        }
    ).select(CLEAN_PRICES.column_names)
    lake.commit(lambda writer: writer.merge(CLEAN_PRICES, rows), night=FIRST, message="prices")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake."""
    return temporary_lake(tmp_path)


@pytest.fixture
def desk(lake: Lake, serving: Serving, tmp_path: Path) -> Desk:
    """Return a desk whose settings leave some models out."""
    file = tmp_path / "portfolios.yaml"
    file.write_text(FILE, encoding="utf-8")
    market = Market(name="alpha_vantage", universe_file=str(file))
    portfolios = Portfolios(lake=lake, serving=serving, market=market, file=str(file))

    def make(without: str) -> PortfolioForecasting:
        return PortfolioForecasting(lake=lake, portfolios=portfolios, without=without)

    return make


def run_night(
    desk: PortfolioForecasting, night: Night
) -> tuple[PoolDecision | None, list[PortfolioForecast]]:
    """Run the forecasts of a night as its assets do."""
    desk.portfolios.land(night=night)
    desk.portfolios.mark(night=night)
    decision = PoolJudge(desk, night, print).judge()
    desk.evaluate(night=night, progress=print)
    made = desk.forecast([night])
    desk.enter_outcomes(night=night)
    require_forecasts(made)
    return decision, made


def texts(made: list[PortfolioForecast]) -> list[str]:
    """Return documents as they are kept."""
    return [one.model_dump_json() for one in made]


def require_forecasts(made: list[PortfolioForecast]) -> None:
    """Require forecasts, not reasons for having none."""
    assert [one.abstain_message for one in made] == [None] * len(made)


def verdict(decision: PoolDecision | None) -> Verdict | None:
    """Return what was decided, if anything was."""
    return decision.verdict if decision else None


def test_a_pool_that_is_better_takes_over_and_can_be_taken_back(
    lake: Lake, desk: Desk, serving: Serving
) -> None:
    """The whole way: first, promoted, replayed, withdrawn, not judged again."""
    put_prices(lake, trending=True)
    still, alive = desk(STILL), desk(ALIVE)
    decision, then = run_night(still, FIRST)
    assert verdict(decision) is Verdict.FIRST
    assert {one.pool_version for one in then} == {still.configured.version}
    decision, tonight = run_night(alive, TONIGHT)
    assert verdict(decision) is Verdict.PROMOTED, decision
    assert decision is not None
    assert decision.alpha == pytest.approx(0.05)
    assert all(item.passed for item in decision.checklist)
    assert {one.pool_version for one in tonight} == {alive.configured.version}
    assert len(tonight[0].models) == 2
    assert texts(alive.forecast([FIRST])) == texts(then), "a past night is made by its own pool"
    assert PoolJudge(alive, TONIGHT, print).judge() is None, "a night that is run again"
    assert_published(alive, serving)
    old, new = still.configured.version, alive.configured.version
    with pytest.raises(RollbackError, match=f"those that may be are {old}, {new}"):
        roll_back_pools(lake, to="nobody", withdrawing=ANN)
    assert roll_back_pools(lake, to=new, withdrawing=ANN) == []
    assert roll_back_pools(lake, to=old, withdrawing=ANN) == [new]
    decision, later = run_night(alive, LATER)
    assert decision is None, "what a person took back does not come back by itself"
    assert {one.pool_version for one in later} == {old}
    reigns = list(pool_deployment_documents(alive.history(), market="alpha_vantage"))
    assert [one.status for one in reigns] == ["active", "rollback"]
    assert reigns[0].rollback_from == new
    assert "ann" in str(reigns[1].error_message)
    assert_outcomes_by_pool(lake, new)


def assert_published(desk: PortfolioForecasting, serving: Serving) -> None:
    """Require that the registry's documents reach the backend, valid, with the evidence."""
    versions = list(pool_version_documents(desk.history(), market="alpha_vantage"))
    reigns = list(pool_deployment_documents(desk.history(), market="alpha_vantage"))
    for model, documents in ((ModelVersion, versions), (Deployment, reigns)):
        serving.ensure_indexes([model])
        report = serving.reconcile(model, documents, scope={}, as_of=TONIGHT.as_of)
        assert report.inserted == 2
        for one in documents:
            instants = {"created_at": ANN.at, "updated_at": ANN.at}
            assert_valid(model.collection, one.to_mongo() | instants)
    assert [one.stage.value for one in versions] == ["staging", "production"]
    assert [one.alias for one in versions] == [None, "champion"]
    assert {one.metric_name for one in versions[1].metrics} >= {"crps_gain", "p_value"}
    assert versions[1].challenged == versions[0].version
    assert len({one.data_hash for one in versions}) == 2
    assert all(one.lake_snapshot and one.code_version for one in versions)
    assert [one.status for one in reigns] == ["terminated", "active"]


def assert_outcomes_by_pool(lake: Lake, version: str) -> None:
    """Require that what came of tonight's forecasts is told of the pool that made them."""
    enter_forecast_outcomes(lake, night=LATER)
    held = table_of(lake, "forecast_outcomes").filter(pl.col("session") == TONIGHT.session)
    assert held["horizon_days"].to_list() == [1, 5, 10]
    assert {one.split(":")[0] for one in held["model_version"]} == {version}


def test_a_pool_that_is_no_better_publishes_nothing_and_is_told_why(lake: Lake, desk: Desk) -> None:
    """Without a difference to be found the reigning pool goes on to the same bytes."""
    put_prices(lake, trending=False)
    still, alive = desk(STILL), desk(ALIVE)
    run_night(still, FIRST)
    decision, challenged = run_night(alive, TONIGHT)
    assert verdict(decision) is Verdict.KEPT
    assert {one.pool_version for one in challenged} == {still.configured.version}
    assert texts(still.forecast([TONIGHT])) == texts(challenged)
    versions = list(pool_version_documents(alive.history(), market="alpha_vantage"))
    assert [one.alias for one in versions] == ["champion", "challenger"]
    assert [one.stage.value for one in versions] == ["production", "archived"]
    assert "beats_the_champion" in str(versions[1].reason)
    assert PoolJudge(alive, LATER, print).judge() is None, "it is judged once a quarter"
    with pytest.raises(RollbackError, match="can't be taken"):
        roll_back_pools(lake, to=alive.configured.version, withdrawing=ANN)


def test_what_was_evaluated_before_pools_had_versions_is_the_first_ones(
    lake: Lake, desk: Desk
) -> None:
    """An upgraded lake goes on from its record: nothing is evaluated anew."""
    put_prices(lake, trending=False)
    run_night(desk(STILL), FIRST)
    for table, column in (("portfolio_evaluations", "pool_version"), ("portfolio_fits", "recipe")):
        lake.commit(
            lambda writer, of=table, column=column: writer.connection.execute(
                f"UPDATE {of} SET {column} = NULL"
            ),
            night=FIRST,
            message="forget",
        )
    before = table_of(lake, "portfolio_fits").height
    assert desk(STILL).evaluate(night=FIRST, progress=print).origins == 0
    assert table_of(lake, "portfolio_fits").height == before
    assert desk(STILL).evaluations(FIRST.session)["file:core"].known.any()
