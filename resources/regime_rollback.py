"""Taking regime fits back: an earlier one tells of the nights from then on."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.lifecycle.regime_versions import (
    REGIME_VERSIONS_QUERY,
    RegimeVersion,
    regime_versions,
)
from pipelines.nights import Night, Origin
from pipelines.regimes.settings import RegimeSettings
from pipelines.regimes.tables import REGIME_WITHDRAWALS
from resources.lake import Lake
from resources.model_registry import RollbackError


@dataclass(frozen=True)
class Withdrawing:
    """Who takes fits back, when and why."""

    by: str
    reason: str
    at: datetime


def roll_back_regimes(lake: Lake, *, to: str, withdrawing: Withdrawing) -> list[str]:
    """Withdraw every promoted fit after one; return their versions.

    Args:
        lake: Where fits are kept.
        to: The version that is to go on, or the first session that it applied from.
        withdrawing: Who, when and why.

    Raises:
        RollbackError: no such fit may tell of anything; the message names those that may.
    """
    found = regime_versions(lake.read(REGIME_VERSIONS_QUERY, {"as_of": withdrawing.at}))
    recipe = RegimeSettings().recipe
    able = [one for one in found if one.may_tell and one.fit.recipe == recipe]
    wanted = [one for one in able if to in {one.fit.version, str(one.fit.applies_from)}]
    if not wanted:
        names = ", ".join(str(one.fit.applies_from) for one in able) or "none"
        message = f"the regime fit {to} can't be taken; those that may be are {names}"
        raise RollbackError(message)
    (chosen,) = wanted
    later = [one for one in able if one.fit.applies_from > chosen.fit.applies_from]
    if later:
        rows = pl.DataFrame([_row(one, chosen, withdrawing) for one in later])
        night = Night(lake.market, chosen.fit.applies_from, withdrawing.at, Origin.LIVE)
        lake.commit(
            lambda writer: writer.append(REGIME_WITHDRAWALS, rows),
            night=night,
            message=f"withdraw {len(later)} regime fits",
        )
    return [one.fit.version for one in later]


def _row(one: RegimeVersion, chosen: RegimeVersion, withdrawing: Withdrawing) -> dict[str, object]:
    """Return a withdrawal as a row of its table."""
    return {
        "applies_from": one.fit.applies_from,
        "recipe": one.fit.recipe,
        "withdrawn_at": withdrawing.at,
        "withdrawn_by": withdrawing.by,
        "reason": withdrawing.reason,
        "in_favour_of": chosen.fit.applies_from,
    }
