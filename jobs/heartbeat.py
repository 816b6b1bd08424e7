"""The job that keeps the newest regimes fresh on days without a night."""

from datetime import UTC, datetime

import dagster as dg

from assets.groups import SERVING_POOL
from pipelines.alerts import night_missing
from resources.market import Market
from resources.nights import Nights
from resources.regime_heartbeat import stamp_newest
from resources.serving import Serving


@dg.op(pool=SERVING_POOL, out=dg.Out(dg.Nothing))
def stamp_regimes(
    context: dg.OpExecutionContext, market: Market, nights: Nights, serving: Serving
) -> None:
    """Stamp the newest regimes with this instant, unless a night is missing: that must show."""
    at, newest = datetime.now(UTC), nights.newest_published()
    missing = night_missing(market.name, calendar=market.calendar, published=newest, at=at)
    if newest is None or missing is not None:
        context.log.warning(missing.message if missing else "no night is published yet")
        return
    done = stamp_newest(serving, market=market.name, session=newest, at=at)
    context.log.info(f"{done.stamped} regimes of {done.session} stamped {at.isoformat()}")


@dg.job(
    description=(
        "Stamp the newest regimes in `market_regimes` with this instant. The backend recomputes a "
        "regime whose `as_of` is a day old by a rule of its own; on weekends there is no night. "
        "Where a night is missing nothing is stamped: stale regimes must look stale."
    ),
    executor_def=dg.in_process_executor,
    tags={"nightdesk/job": "regime_heartbeat"},
)
def regime_heartbeat() -> None:
    """Stamp the newest regimes."""
    stamp_regimes()
