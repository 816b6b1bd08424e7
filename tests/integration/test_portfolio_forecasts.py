"""Portfolios from MongoDB and a file, through the lake, to documents and outcomes."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pymongo.database import Database

from pipelines.documents.portfolio_forecast import PortfolioForecast, forecast_scope
from pipelines.forecasts.members.catalogue import MEMBERS
from pipelines.forecasts.nightly import documents_of
from pipelines.forecasts.pool_definition import configured_pool
from pipelines.forecasts.settings import HORIZONS, PERCENTILES
from pipelines.forecasts.stored import fits_of
from pipelines.lifecycle.forecast_outcomes import forecast_documents_of
from pipelines.tables import CLEAN_PRICES
from pipelines.vendor.judgements import judge
from pipelines.vendor.refusal_words import bad_call
from pipelines.vendor.requests import DAILY_FUNCTION, daily_request
from pipelines.vendor.responses import VendorResponse
from resources.family_outcomes import enter_forecast_outcomes
from resources.lake import Lake
from resources.market import Market
from resources.portfolio_forecasting import PortfolioForecasting
from resources.portfolios import Portfolios
from resources.serving import Serving
from resources.vendor_archive import VendorArchive
from tests.support.lake import CALENDAR, night_of, table_of, temporary_lake

SESSIONS = CALENDAR.sessions(date(2011, 6, 1), date(2013, 3, 1))
TONIGHT, LATER = night_of(SESSIONS[-12]), night_of(SESSIONS[-1])

FILE = """
portfolios:
  - {id: core, weights: {AAA: 0.6, BBB: 0.3}, cash: 0.1, rebalance: quarterly}
  - {id: heavy, weights: {AAA: 0.6, BBB: 0.6}}
  - {id: stranger, weights: {AAA: 0.5, ZZZ: 0.5}}
  - {id: early, weights: {AAA: 0.5, LATER: 0.5}}
  - {id: typo, wieghts: {AAA: 1.0}}
"""


def clean_rows(seed: int = 1) -> pl.DataFrame:
    """Return rows of `clean_prices` of three random walks; CCC has 30 sessions tonight."""
    rng = np.random.default_rng(seed)
    frames = []
    for symbol, first in (("AAA", 0), ("BBB", 0), ("CCC", len(SESSIONS) - 11 - 30)):
        days = SESSIONS[first:]
        index = np.exp(np.cumsum(0.0003 + 0.012 * rng.standard_normal(len(days))))
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
    return pl.concat(frames).select(CLEAN_PRICES.column_names)


def put_prices(lake: Lake, rows: pl.DataFrame) -> None:
    """Write rows of `clean_prices`."""
    lake.commit(
        lambda writer: writer.merge(CLEAN_PRICES, rows), night=TONIGHT, message="put prices"
    )


def land_answers(lake: Lake, body: str, *symbols: str) -> None:
    """Land an answer of the vendor to questions for some symbols."""
    requests = [daily_request(symbol, "full") for symbol in symbols]
    judged = [(request, judge(request, body)) for request in requests]
    responses = [
        VendorResponse(request, TONIGHT.as_of, found.outcome, found.message, body)
        for request, found in judged
    ]
    VendorArchive(lake=lake).land(responses, night=TONIGHT, progress=lambda _: None)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with clean prices, the refusal of two symbols, and a garbled answer."""
    made = temporary_lake(tmp_path)
    put_prices(made, clean_rows())
    land_answers(made, bad_call(DAILY_FUNCTION), "ZZZ", "NOPE")
    land_answers(made, "<html>busy</html>", "LATER")
    return made


@pytest.fixture
def portfolios(lake: Lake, serving: Serving, tmp_path: Path) -> Portfolios:
    """What there is to forecast, with a file."""
    file = tmp_path / "portfolios.yaml"
    file.write_text(FILE, encoding="utf-8")
    live = Market(name="alpha_vantage", universe_file=str(file))
    return Portfolios(lake=lake, serving=serving, market=live, file=str(file))


@pytest.fixture
def forecasting(lake: Lake, portfolios: Portfolios) -> PortfolioForecasting:
    """Forecasts of them."""
    return PortfolioForecasting(lake=lake, portfolios=portfolios)


def put_backend(database: Database[dict[str, Any]]) -> None:
    """Write what the backend's users have: good, broken and young."""
    day = datetime(2012, 1, 3, tzinfo=UTC)
    sessions = [one for one in SESSIONS if date(2012, 1, 3) <= one <= date(2012, 6, 29)]
    values = [100_000.0 + 100 * at for at in range(len(sessions))]
    end = datetime(2012, 6, 29, tzinfo=UTC)
    config = {"symbols": ["AAA", "BBB"], "start_date": day, "end_date": end}
    database["watchlists"].insert_many(
        [
            {"_id": "mine", "name": "mine", "symbols": ["aaa", "ccc", "nope"]},
            {"_id": "young", "name": "young", "symbols": ["CCC"]},
            {"_id": "empty", "name": "empty", "symbols": []},
        ]
    )
    database["backtests"].insert_many(
        [
            {"_id": "planned", "name": "planned", "status": "pending", "config": config},
            {"_id": "done", "name": "done", "status": "completed", "config": config},
            {"_id": "failed", "name": "failed", "status": "failed", "config": config},
        ]
    )
    position = {"quantity": 10.0, "current_price": 50.0}
    database["backtest_executions"].insert_many(
        [
            {
                "execution_id": "whole",
                "backtest_id": "done",
                "status": "completed",
                "portfolio_values": values,
                "positions": {"AAA": position},
            },
            {
                "execution_id": "holes",
                "backtest_id": "done",
                "status": "completed",
                "portfolio_values": values[:-7],
                "positions": {},
            },
            {
                "execution_id": "missing",
                "backtest_id": "done",
                "status": "completed",
                "portfolio_values": [*values[:9], None, *values[10:]],
                "positions": {},
            },
            {
                "execution_id": "zero",
                "backtest_id": "done",
                "status": "completed",
                "portfolio_values": [*values[:9], 0.0, *values[10:]],
                "positions": {},
            },
            {
                "execution_id": "ruined",
                "backtest_id": "done",
                "status": "completed",
                "portfolio_values": [*values[:-1], 0.0],
                "positions": {},
            },
            {
                "execution_id": "still",
                "backtest_id": "done",
                "status": "completed",
                "portfolio_values": [100_000.0] * len(values),
                "positions": {},
            },
        ]
    )


def run_night(
    portfolios: Portfolios, forecasting: PortfolioForecasting, night: Any = TONIGHT
) -> list[Any]:
    """Run the forecasts of a night as its assets do."""
    portfolios.land(night=night)
    portfolios.mark(night=night)
    forecasting.evaluate(night=night, progress=lambda _: None)
    made = forecasting.forecast([night])
    forecasting.enter_outcomes(night=night)
    return made


def test_each_portfolio_has_a_forecast_or_its_reason(
    portfolios: Portfolios, forecasting: PortfolioForecasting, database: Database[dict[str, Any]]
) -> None:
    """One bad portfolio must not take the others with it, nor vanish without a word."""
    put_backend(database)
    made = run_night(portfolios, forecasting)
    assert len(made) == len(HORIZONS) * 15
    assert {(one.portfolio_id, one.abstain_reason) for one in made} == {
        ("file:core", None),
        ("file:heavy", "weights_do_not_sum_to_one"),
        ("file:stranger", "unknown_symbol"),
        ("file:early", "symbol_not_answered_yet"),
        ("file:typo", "unreadable"),
        ("watchlist:mine", None),
        ("watchlist:young", "short_history"),
        ("watchlist:empty", "no_symbols"),
        ("backtest:planned", None),
        ("execution:whole", None),
        ("execution:holes", "gap_in_curve"),
        ("execution:missing", "gap_in_curve"),
        ("execution:zero", "value_not_positive"),
        ("execution:ruined", "value_not_positive"),
        ("execution:still", "constant_series"),
    }
    words = {
        "file:heavy": "sum to 1.2",
        "file:stranger": "no prices of ZZZ: the vendor was asked and gave none",
        "file:early": "no prices of LATER yet",
        "file:typo": "correct the file",
        "watchlist:young": "30 sessions, 252 are needed",
        "watchlist:empty": "no symbol",
        "execution:holes": "one for each session",
        "execution:missing": "no number at place 10 but None",
        "execution:zero": "the first is 0.0 at 2012-01-17",
        "execution:ruined": "0.0 at 2012-06-29",
        "execution:still": "did not move",
    }
    for one in made:
        if one.abstain_reason:
            assert words[one.portfolio_id] in str(one.abstain_message)
            assert not one.percentile_bands
        else:
            assert [len(one.fan), len(one.percentile_bands)] == [one.horizon_days, 9]
            assert one.last_portfolio_value > 0
    documents = list(documents_of(forecasting.lake.read("SELECT * FROM portfolio_forecasts")))
    assert {one.model_dump_json() for one in documents} == {one.model_dump_json() for one in made}
    assert_published(portfolios.serving, documents, database)


def assert_published(
    serving: Serving, documents: list[PortfolioForecast], database: Database[dict[str, Any]]
) -> None:
    """Require that MongoDB takes every document, those without a forecast with their reason."""
    scope = forecast_scope([TONIGHT])
    serving.reconcile(PortfolioForecast, documents, scope=scope, as_of=TONIGHT.as_of)
    found = database[PortfolioForecast.collection].find()
    assert {
        (one["portfolio_id"], one["horizon_days"]): (one["abstain_reason"], one["abstain_message"])
        for one in found
    } == {
        (one.portfolio_id, one.horizon_days): (one.abstain_reason, one.abstain_message)
        for one in documents
    }


def test_an_execution_is_its_own_values_and_then_its_holdings(
    portfolios: Portfolios, database: Database[dict[str, Any]]
) -> None:
    """What the backtest did is known; what it holds since is marked by prices, cash lies still."""
    put_backend(database)
    portfolios.land(night=TONIGHT)
    portfolios.mark(night=TONIGHT)
    values = dict(
        portfolios.lake.read(
            "SELECT session, value FROM portfolio_equity WHERE portfolio_id = 'execution:whole'"
        ).iter_rows()
    )
    sessions = sorted(values)
    assert (sessions[0], sessions[-1]) == (date(2012, 1, 3), TONIGHT.session)
    end = date(2012, 6, 29)
    last = values[end]
    assert last == 100_000 + 100 * (sessions.index(end))
    index = {row[1]: row[2] for row in prices_of(portfolios.lake, "AAA")}
    grown = 500 * index[TONIGHT.session] / index[end]
    assert values[TONIGHT.session] == pytest.approx(last - 500 + grown)


def prices_of(lake: Lake, symbol: str) -> list[tuple[str, date, float]]:
    """Return symbol, session and total return."""
    return lake.read(
        "SELECT symbol, session, total_return_index FROM clean_prices WHERE symbol = $symbol",
        {"symbol": symbol},
    ).rows()


def test_later_nights_only_add_and_outcomes_are_entered_when_due(
    portfolios: Portfolios, forecasting: PortfolioForecasting
) -> None:
    """A record is made of what was said then: neither evaluations nor quantiles may change."""
    lake = forecasting.lake
    first = run_night(portfolios, forecasting)
    before = {name: table_of(lake, name) for name in KEPT}
    assert before["portfolio_forecast_history"]["outcome_value"].null_count() == 21
    version = lake.version()
    assert run_night_again(portfolios, forecasting) == 0
    assert lake.version() == version, "a night that is run again writes nothing"
    run_night(portfolios, forecasting, LATER)
    for name in ("portfolio_evaluations", "portfolio_fits", "portfolio_forecasts"):
        later = table_of(lake, name)
        assert later.height >= before[name].height
        assert before[name].join(later, on=list(before[name].columns[:3]), how="anti").is_empty()
        kept = later.join(before[name], on=list(before[name].columns[:3]), how="semi")
        assert kept.equals(before[name])
    history = table_of(lake, "portfolio_forecast_history").filter(
        pl.col("session") == TONIGHT.session
    )
    due = history.filter(pl.col("due_session").is_not_null())
    assert due["horizon_days"].to_list() == list(range(1, 12)), "eleven sessions have passed"
    curve = forecasting.curve("file:core", LATER.session)
    values = dict(zip(curve.sessions, curve.values, strict=True))
    for row in due.iter_rows(named=True):
        assert row["outcome_value"] == pytest.approx(values[row["due_session"]])
        assert row["is_within_90"] == (row["p05"] <= row["outcome_value"] <= row["p95"])
    assert first[0].record is not None
    assert_outcomes_of_due_horizons(lake, history)


def assert_outcomes_of_due_horizons(lake: Lake, history: pl.DataFrame) -> None:
    """Require what came of the published horizons that are due, entered once."""
    assert enter_forecast_outcomes(lake, night=TONIGHT) == (0, 0), "nothing is due that night"
    entered, _ = enter_forecast_outcomes(lake, night=LATER)
    version = lake.version()
    assert enter_forecast_outcomes(lake, night=LATER) == (0, 0)
    assert lake.version() == version
    held = table_of(lake, "forecast_outcomes")
    assert entered == held.height
    assert held["horizon_days"].to_list() == [1, 5, 10], "21 sessions have not passed"
    both = held.join(history, on=["portfolio_id", "session", "horizon_days"])
    for row in both.iter_rows(named=True):
        miss = [(level, row["outcome_value"] - row[f"p{level:02d}"]) for level in PERCENTILES]
        losses = [max(level * one, (level - 100) * one) for level, one in miss]
        expected = sum(losses) / len(losses) / row["last_portfolio_value"]
        assert row["pinball_pct"] == pytest.approx(expected)
        assert row["is_below_5"] == (row["outcome_value"] < row["p05"])
        assert row["crps"] > 0
        assert row["crps_baseline"] > 0
    documents = list(forecast_documents_of(held, LATER))
    assert {one.symbol for one in documents} == set(held["portfolio_id"])
    assert all(
        one.forecast and one.model_version == configured_pool(deep=False).version
        for one in documents
    )


KEPT = (
    "portfolio_evaluations",
    "portfolio_fits",
    "portfolio_forecasts",
    "portfolio_forecast_history",
)


def run_night_again(portfolios: Portfolios, forecasting: PortfolioForecasting) -> int:
    """Run what a rerun of a live night runs; return how many evaluations it made."""
    portfolios.land(night=TONIGHT)
    portfolios.mark(night=TONIGHT)
    report = forecasting.evaluate(night=TONIGHT, progress=lambda _: None)
    forecasting.forecast([])
    forecasting.enter_outcomes(night=TONIGHT)
    return report.origins


def test_the_future_moves_no_forecast_of_a_past_night(
    lake: Lake, portfolios: Portfolios, forecasting: PortfolioForecasting
) -> None:
    """Proof by mutation, from prices to documents: a night made when more is known is the same."""
    first = run_night(portfolios, forecasting)
    other = clean_rows(seed=2).filter(pl.col("session") > TONIGHT.session)
    put_prices(lake, other)
    portfolios.mark(night=LATER)
    for name in ("portfolio_evaluations", "portfolio_fits"):
        lake.commit(
            lambda writer, name=name: writer.connection.execute(f"DELETE FROM {name}"),
            night=LATER,
            message="forget",
        )
    portfolios.mark(night=TONIGHT)
    forecasting.evaluate(night=TONIGHT, progress=lambda _: None)
    again = forecasting.forecast([TONIGHT])
    assert [one.model_dump_json() for one in again] == [one.model_dump_json() for one in first]


def test_a_fit_that_was_kept_is_read_back_to_the_same_bits(
    portfolios: Portfolios, forecasting: PortfolioForecasting
) -> None:
    """A later night goes on from it, and must go on to the same numbers."""
    run_night(portfolios, forecasting)
    fits = fits_of(table_of(forecasting.lake, "portfolio_fits"))
    assert {model for model, _ in fits.known} == {member.name for member in MEMBERS}
    curve = forecasting.curve("file:core", TONIGHT.session)
    for (model, seen), fit in fits.known.items():
        member = next(one for one in MEMBERS if one.name == model)
        assert fit.parameters == member.fit(curve.log_values[:seen])


def test_without_a_server_the_portfolios_of_the_night_before_stand(
    portfolios: Portfolios, database: Database[dict[str, Any]]
) -> None:
    """The night goes on: forecasts of what was known are better than none."""
    put_backend(database)
    portfolios.land(night=TONIGHT)
    known = {one.portfolio_id for one in portfolios.landed()}
    nobody = Serving(uri="mongodb://127.0.0.1:9/", connect_seconds=0.1)
    away = Portfolios(
        lake=portfolios.lake, serving=nobody, market=portfolios.market, file=portfolios.file
    )
    (fault,) = away.land(night=LATER)
    assert "of the night before stand" in fault
    assert {one.portfolio_id for one in away.landed()} == known


@pytest.mark.parametrize("slip", ["portfolios: 7", None])
def test_a_file_that_can_not_be_read_takes_neither_portfolios_nor_the_night(
    portfolios: Portfolios, database: Database[dict[str, Any]], slip: str | None
) -> None:
    """The vendor is asked after this step: a slip in a file must not cost a night its prices."""
    put_backend(database)
    portfolios.land(night=TONIGHT)
    known = {one.portfolio_id for one in portfolios.landed()}
    database["watchlists"].insert_one({"_id": "new", "name": "new", "symbols": ["AAA"]})
    file = Path(portfolios.file)
    file.unlink() if slip is None else file.write_text(slip, encoding="utf-8")
    (fault,) = portfolios.land(night=LATER)
    assert str(file) in fault
    assert "of the night before stand" in fault
    assert {one.portfolio_id for one in portfolios.landed()} == known | {"watchlist:new"}
