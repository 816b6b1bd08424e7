"""A night's portfolio forecasts as documents and as rows of the lake."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zlib import crc32

import numpy as np
import polars as pl

from pipelines.documents.measured import MeasuredValue
from pipelines.documents.portfolio_equity import PortfolioEquity
from pipelines.documents.portfolio_forecast import (
    METHODOLOGY,
    FanPoint,
    ForecastRecord,
    ForecastRisk,
    ModelShare,
    PercentileBand,
    PortfolioForecast,
    RiskTest,
)
from pipelines.forecasts.conformal import NOMINAL
from pipelines.forecasts.evaluation import PUBLISHED
from pipelines.forecasts.fits import Draws
from pipelines.forecasts.forecast import Distribution
from pipelines.forecasts.members.catalogue import YARDSTICK
from pipelines.forecasts.paths import drawdown_probabilities
from pipelines.forecasts.pool_definition import PoolDefinition
from pipelines.forecasts.portfolios import Portfolio
from pipelines.forecasts.quantiles import (
    expected_shortfall,
    quantiles_at,
    value_at_risk,
)
from pipelines.forecasts.record import HorizonRecord
from pipelines.forecasts.risk import RiskBacktest
from pipelines.forecasts.scores import Coverage
from pipelines.forecasts.settings import HORIZONS, LONGEST, PERCENTILES, ForecastSettings
from pipelines.forecasts.tables import PORTFOLIO_FORECAST_HISTORY, PORTFOLIO_FORECASTS
from pipelines.nights import Night, Origin

FAN_NAMES = tuple(f"p{percentile:02d}" for percentile in PERCENTILES)
PUBLISHED_EQUITY_SESSIONS = 252
"""A year of values is compared with MongoDB each night; older documents stay as they are."""


@dataclass(frozen=True, eq=False)
class NightForecast:
    """All that one night says about one portfolio.

    Attributes:
        portfolio: The portfolio.
        last_value: Its value tonight.
        history: Sessions of its curve.
        distribution: What may become of it.
        pool: The pool that made it.
        records: By horizon, what earlier forecasts were worth.
        tests: Backtests of one-session risk.
    """

    portfolio: Portfolio
    last_value: float
    history: int
    distribution: Distribution
    pool: PoolDefinition
    records: Mapping[int, HorizonRecord | None]
    tests: Sequence[RiskBacktest]


def draws_of(portfolio_id: str, settings: ForecastSettings) -> Draws:
    """Return where a portfolio's random numbers come from: the same ones on any night."""

    def draws(model: str, fitted: int) -> np.random.Generator:
        return np.random.default_rng(
            [settings.seed, crc32(portfolio_id.encode()), crc32(model.encode()), fitted]
        )

    return draws


def forecast_documents(made: NightForecast, night: Night) -> Iterator[PortfolioForecast]:
    """Make one portfolio's documents, one for each horizon."""
    distribution, value = made.distribution, made.last_value
    fan = _fan(distribution, value)
    for at, horizon in enumerate(HORIZONS):
        point, record = fan[horizon - 1], made.records[horizon]
        yield PortfolioForecast(
            **_identity(made.portfolio, night, horizon),
            last_portfolio_value=value,
            expected_return_pct=point.expected_return_pct,
            expected_volatility_pct=point.expected_volatility_pct,
            percentile_bands=_bands(point),
            methodology=METHODOLOGY,
            abstain_reason=None,
            abstain_message=None,
            fan=fan[:horizon],
            risk=_risk(distribution, horizon),
            models=_models(made, at, record),
            published_model=distribution.source,
            pool_version=made.pool.version,
            record=None if record is None else _record(record),
            risk_tests=tuple(_risk_test(test) for test in made.tests),
            history_sessions=made.history,
            calibrated_levels=tuple(float(level) for level in distribution.levels[at]),
        )


def abstaining_documents(
    portfolio: Portfolio,
    night: Night,
    *,
    reason: str,
    message: str,
    last_value: float = 0.0,
    history: int = 0,
) -> Iterator[PortfolioForecast]:
    """Make the documents of a portfolio without a forecast: the reason, and nothing else."""
    for horizon in HORIZONS:
        yield PortfolioForecast(
            **_identity(portfolio, night, horizon),
            last_portfolio_value=last_value,
            expected_return_pct=0.0,
            expected_volatility_pct=0.0,
            percentile_bands=(),
            methodology="none",
            abstain_reason=reason,
            abstain_message=message,
            fan=(),
            risk=None,
            models=(),
            published_model="none",
            pool_version=None,
            record=None,
            risk_tests=(),
            history_sessions=history,
            calibrated_levels=(),
        )


def forecast_rows(
    documents: Iterable[PortfolioForecast], definitions: Mapping[str, str]
) -> pl.DataFrame:
    """Return documents as rows of `portfolio_forecasts`; definitions are hashes by portfolio."""
    schema = dict.fromkeys(PORTFOLIO_FORECASTS.column_names, pl.String) | {
        "session": pl.Date,
        "horizon_days": pl.Int32,
    }
    rows = [
        (
            document.portfolio_id,
            document.session,
            document.horizon_days,
            document.night_id,
            document.origin.value,
            definitions[document.portfolio_id],
            document.abstain_reason,
            document.model_dump_json(),
        )
        for document in documents
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def history_rows(documents: Iterable[PortfolioForecast]) -> pl.DataFrame:
    """Return every quantile of documents as rows of `portfolio_forecast_history`, outcomes open.

    The fan of the longest horizon holds those of all others.
    """
    names = PORTFOLIO_FORECAST_HISTORY.column_names
    schema: dict[str, Any] = dict.fromkeys(names, pl.Float64) | {
        **dict.fromkeys(("portfolio_id", "night_id", "origin"), pl.String),
        **dict.fromkeys(("session", "due_session"), pl.Date),
        **dict.fromkeys(("as_of", "created_at"), pl.Datetime("us", "UTC")),
        "horizon_days": pl.Int32,
        "is_within_90": pl.Boolean,
    }
    rows = [
        {
            "portfolio_id": document.portfolio_id,
            "session": document.session,
            "horizon_days": point.sessions_ahead,
            "night_id": document.night_id,
            "origin": document.origin.value,
            "as_of": document.as_of,
            "created_at": document.as_of,
            "last_portfolio_value": document.last_portfolio_value,
            **point.model_dump(exclude={"sessions_ahead"}),
        }
        for document in documents
        if document.horizon_days == LONGEST
        for point in document.fan
    ]
    return pl.DataFrame(rows, schema=schema).select(names)


def documents_of(rows: pl.DataFrame) -> Iterator[PortfolioForecast]:
    """Return the documents that rows of `portfolio_forecasts` hold."""
    for text in rows.sort("session", "portfolio_id", "horizon_days")["document"]:
        yield PortfolioForecast.model_validate_json(text)


def equity_documents(rows: pl.DataFrame, *, market: str) -> Iterator[PortfolioEquity]:
    """Make documents of rows of `portfolio_equity` (with the value before, null at the first)."""
    for row in rows.iter_rows(named=True):
        before = row["value_before"]
        yield PortfolioEquity(
            portfolio_id=row["portfolio_id"],
            session=row["session"],
            market=market,
            value=row["value"],
            return_pct=None if before is None else 100 * (row["value"] / before - 1),
        )


def rewritable_nights(nights: Iterable[Night], forecast: pl.DataFrame) -> list[Night]:
    """Return the nights that may be written: a live forecast is never rewritten."""
    is_live = pl.col("origin") == Origin.LIVE.value
    live: set[date] = set(forecast.filter(is_live)["session"].to_list())
    return [night for night in nights if night.session not in live]


def _identity(portfolio: Portfolio, night: Night, horizon: int) -> dict[str, Any]:
    """Return the fields that say what a document is about."""
    return {
        "portfolio_id": portfolio.portfolio_id,
        "name": portfolio.name,
        "session": night.session,
        "horizon_days": horizon,
        "market": night.market,
        "night_id": night.night_id,
        "origin": night.origin,
        "as_of": night.as_of,
    }


def _fan(distribution: Distribution, value: float) -> tuple[FanPoint, ...]:
    """Return the fan chart: every nominal quantile of every session ahead, in dollars."""
    values = value * np.exp(quantiles_at(distribution.quantiles, NOMINAL))
    growth = 100 * np.expm1(distribution.paths)
    return tuple(
        FanPoint(
            sessions_ahead=step + 1,
            expected_return_pct=float(growth[step].mean()),
            expected_volatility_pct=float(growth[step].std()),
            **dict(zip(FAN_NAMES, map(float, values[step]), strict=True)),
        )
        for step in range(LONGEST)
    )


def _bands(point: FanPoint) -> tuple[PercentileBand, ...]:
    """Return the quantiles of one session as the backend reads them."""
    return tuple(
        PercentileBand(percentile=percentile, projected_value=getattr(point, name))
        for percentile, name in zip(PERCENTILES, FAN_NAMES, strict=True)
    )


def _risk(distribution: Distribution, horizon: int) -> ForecastRisk:
    """Return what may be lost by the end of a horizon."""
    quantiles = distribution.quantiles[horizon - 1]
    drawdown = drawdown_probabilities(distribution.paths[:horizon])
    return ForecastRisk(
        value_at_risk_95_pct=100 * float(value_at_risk(quantiles, 0.95)),
        value_at_risk_99_pct=100 * float(value_at_risk(quantiles, 0.99)),
        expected_shortfall_95_pct=100 * float(expected_shortfall(quantiles, 0.95)),
        expected_shortfall_99_pct=100 * float(expected_shortfall(quantiles, 0.99)),
        probability_of_loss=float((distribution.paths[horizon - 1] < 0).mean()),
        probability_of_drawdown_5_pct=drawdown[0.05],
        probability_of_drawdown_10_pct=drawdown[0.10],
        probability_of_drawdown_20_pct=drawdown[0.20],
    )


def _models(made: NightForecast, at: int, record: HorizonRecord | None) -> tuple[ModelShare, ...]:
    """Return the models, heaviest first."""
    shares = [
        ModelShare(
            model=model,
            weight=float(weight),
            crps=None if record is None else record.scores.get(model),
        )
        for model, weight in zip(made.pool.models, made.distribution.weights[at], strict=True)
    ]
    return tuple(sorted(shares, key=lambda share: (-share.weight, share.model)))


def _record(record: HorizonRecord) -> ForecastRecord:
    """Return a track record as a document shows it."""
    test = record.against_yardstick
    return ForecastRecord(
        coverage_90=_measured(record.coverage),
        below_5=_measured(record.below),
        origins=record.coverage.origins,
        effective_origins=record.coverage.effective,
        mean_width_pct=100 * record.width,
        crps=record.scores[PUBLISHED],
        crps_of_random_walk=record.scores[YARDSTICK],
        diebold_mariano=None if test is None else test.statistic,
        diebold_mariano_p_value=None if test is None else test.p_value,
    )


def _measured(share: Coverage) -> MeasuredValue:
    """Return a share with its interval."""
    return MeasuredValue(estimate=share.share, low=share.low, high=share.high)


def _risk_test(test: RiskBacktest) -> RiskTest:
    """Return a backtest as a document shows it."""
    return RiskTest(
        confidence=test.confidence,
        sessions=test.sessions,
        exceptions=test.exceptions,
        traffic_light=test.light,
        kupiec_p_value=test.frequency.p_value,
        christoffersen_p_value=test.independence.p_value,
        conditional_p_value=test.conditional.p_value,
        acerbi_szekely=test.shortfall.statistic,
        acerbi_szekely_p_value=test.shortfall.p_value,
    )
