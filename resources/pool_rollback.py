"""Taking pools of forecasting models back: an earlier one forecasts the nights from then on."""

import polars as pl

from pipelines.forecasts.pool_history import POOLS_QUERY, PoolHistory
from pipelines.forecasts.tables import POOL_WITHDRAWALS
from pipelines.nights import Night, Origin
from resources.lake import Lake
from resources.model_registry import RollbackError
from resources.regime_rollback import Withdrawing


def roll_back_pools(lake: Lake, *, to: str, withdrawing: Withdrawing) -> list[str]:
    """Withdraw every pool that was promoted after one; return their versions.

    Args:
        lake: Where decisions are kept.
        to: The version that is to go on.
        withdrawing: Who, when and why.

    Raises:
        RollbackError: no such pool may forecast, or this code can't make it any more; the message
            names those that may.
    """
    able = [one for one in PoolHistory.of(lake.read(POOLS_QUERY)).decisions if one.may_reign]
    chosen = [place for place, one in enumerate(able) if one.version == to]
    if not chosen:
        names = ", ".join(dict.fromkeys(one.version for one in able)) or "none"
        message = f"the pool {to} can't be taken; those that may be are {names}"
        raise RollbackError(message)
    if why := able[chosen[-1]].definition.unavailable:
        raise RollbackError(why)
    later = list(dict.fromkeys(one.version for one in able[chosen[-1] + 1 :]))
    if later:
        made = {
            "withdrawn_at": withdrawing.at,
            "withdrawn_by": withdrawing.by,
            "reason": withdrawing.reason,
            "in_favour_of": to,
        }
        rows = pl.DataFrame([{"version": version} | made for version in later])
        night = Night(lake.market, able[chosen[-1]].session, withdrawing.at, Origin.LIVE)
        lake.commit(
            lambda writer: writer.append(POOL_WITHDRAWALS, rows),
            night=night,
            message=f"withdraw {len(later)} pools of forecasts",
        )
    return later
