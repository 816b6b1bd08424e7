"""The heartbeat on a real mongod: it keeps the newest regimes fresh, and nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pymongo.database import Database

from jobs.heartbeat import regime_heartbeat
from pipelines.documents.base import PUBLISHER
from pipelines.documents.regime import MarketRegime
from pipelines.nights import Night, Origin
from pipelines.regimes.nightly import state_rows
from pipelines.regimes.publishing import regime_documents
from pipelines.regimes.scope import regime_scope
from resources.market import Market
from resources.nights import Nights
from resources.regime_heartbeat import settle_older, stamp_newest
from resources.serving import Serving
from schedules.heartbeat import heartbeat_schedule
from tests.support.documents import a_run
from tests.support.lake import temporary_lake
from tests.support.regime_markets import (
    CALENDAR,
    DAYS,
    SETTINGS,
    a_fit,
    index_bars,
    market_returns,
    series_of,
    symbol_returns,
    window_of,
)

MARKET = Market(name="alpha_vantage", universe_file="unused.txt")
THURSDAY, FRIDAY = DAYS[400], DAYS[401]
FIT = a_fit()


def night_of(session: Any) -> Night:
    """Return the live night of a session."""
    return Night(MARKET.name, session, CALENDAR.known_at(session), Origin.LIVE)


def publish(serving: Serving, session: Any) -> None:
    """Publish the regimes of a night, as the asset does."""
    night = night_of(session)
    rows = state_rows(
        window_of([session], {FIT.applies_from: FIT}),
        series_of(index_bars(market_returns(402)[0])),
        symbol_returns(DAYS[:402]),
        universe=["S0"],
        first_sessions={},
        settings=SETTINGS,
    )
    documents = regime_documents(
        rows, [night], fits={(FIT.applies_from, FIT.recipe): FIT}, calendar=CALENDAR
    )
    serving.ensure_indexes([MarketRegime])
    serving.reconcile(MarketRegime, documents, scope=regime_scope([night]), as_of=night.as_of)
    settle_older(serving, market=MARKET.name)


def stamps(database: Database[dict[str, Any]]) -> dict[tuple[str, str], datetime]:
    """Return `as_of` of every regime of ours, by session and symbol."""
    found = database.market_regimes.find({"publisher": PUBLISHER})
    return {(one["session"], one["symbol"]): one["as_of"] for one in found}


@pytest.fixture
def published(serving: Serving) -> Serving:
    """The regimes of two nights, the second one Friday's."""
    assert FRIDAY.weekday() == 4
    for session in (THURSDAY, FRIDAY):
        publish(serving, session)
    return serving


def test_a_weekend_moves_the_newest_regimes_alone(
    published: Serving, database: Database[dict[str, Any]]
) -> None:
    """On Sunday the backend would answer by its own rule; Thursday's must not pass for news."""
    foreign = {"symbol": "MARKET", "regime": "bullish", "as_of": night_of(THURSDAY).as_of}
    database.market_regimes.insert_one(dict(foreign))
    before, sunday = stamps(database), night_of(FRIDAY).as_of + timedelta(days=2)
    done = stamp_newest(published, market=MARKET.name, session=FRIDAY, at=sunday)
    assert (done.session, done.stamped) == (FRIDAY, 2)
    after = stamps(database)
    for (session, symbol), stamp in after.items():
        is_newest = session == FRIDAY.isoformat()
        assert stamp == (sunday if is_newest else before[session, symbol])
    assert database.market_regimes.find_one(foreign) is not None
    earlier = stamp_newest(published, market=MARKET.name, session=FRIDAY, at=sunday - timedelta(1))
    assert earlier.stamped == 0


def test_a_night_run_again_keeps_the_last_heartbeat(
    published: Serving, database: Database[dict[str, Any]]
) -> None:
    """A rerun on Sunday would put Friday's instant back, and the regime would look old."""
    sunday = night_of(FRIDAY).as_of + timedelta(days=2)
    stamp_newest(published, market=MARKET.name, session=FRIDAY, at=sunday)
    before = list(database.market_regimes.find().sort("_id"))
    publish(published, FRIDAY)
    assert list(database.market_regimes.find().sort("_id")) == before


def test_the_next_night_takes_over_from_a_later_heartbeat(
    serving: Serving, database: Database[dict[str, Any]]
) -> None:
    """A heartbeat between a night's first step and its last would leave the old one the latest."""
    publish(serving, THURSDAY)
    late = night_of(FRIDAY).as_of + timedelta(minutes=5)
    stamp_newest(serving, market=MARKET.name, session=THURSDAY, at=late)
    publish(serving, FRIDAY)
    (newest,) = database.market_regimes.find({"symbol": "MARKET"}).sort("as_of", -1).limit(1)
    assert newest["session"] == FRIDAY.isoformat()
    assert stamps(database)[THURSDAY.isoformat(), "MARKET"] == night_of(THURSDAY).as_of
    assert settle_older(serving, market=MARKET.name) == 0


@pytest.mark.parametrize("is_missing", [False, True], ids=["all published", "a night is missing"])
def test_the_job_stamps_unless_a_night_is_missing(
    serving: Serving, database: Database[dict[str, Any]], tmp_path: Path, *, is_missing: bool
) -> None:
    """Stale regimes must look stale: freshness may not hide a desk that stands still."""
    lake = temporary_lake(tmp_path, market=MARKET.name)
    nights = Nights(lake=lake, market=MARKET)
    newest = CALENDAR.last_completed(datetime.now(UTC))
    session = CALENDAR.sessions(newest - timedelta(days=10), newest)[-3 if is_missing else -1]
    (opened,) = nights.open([session])
    nights.note_published([opened], [a_run(night_id=opened.night_id)])
    publish(serving, FRIDAY)
    database.market_regimes.update_many({}, {"$set": {"session": session.isoformat()}})
    before = stamps(database)
    resources = {"market": MARKET, "nights": nights, "serving": serving}
    assert regime_heartbeat.execute_in_process(resources=resources).success
    moved = [stamp != before[key] for key, stamp in stamps(database).items()]
    assert moved == [not is_missing] * 2


@pytest.mark.parametrize(
    ("market", "kind"),
    [(MARKET, dg.RunRequest), (Market(name="sample"), dg.SkipReason)],
    ids=["live", "recording"],
)
def test_the_schedule_asks_on_saturdays_too_but_not_for_a_recording(
    market: Market, kind: type
) -> None:
    """There is no night on a weekend, and a recording's regimes are past."""
    saturday = datetime(2024, 7, 6, 12, tzinfo=UTC)
    context = dg.build_schedule_context(
        scheduled_execution_time=saturday, resources={"market": market}
    )
    assert isinstance(heartbeat_schedule(context), kind)
    assert heartbeat_schedule.cron_schedule == "0 8,20 * * *"
