"""Putting faults of one kind into a panel of clean bars, at positions that are returned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pipelines.anomalies.fault_injection.kinds import FaultKind
from pipelines.anomalies.fault_injection.series import Harm, Victim


@dataclass(frozen=True)
class Room:
    """Bars of its own that a symbol has around its fault.

    Attributes:
        before: Before the first wrong one, for rules to judge by.
        after: From the first wrong one on: the longest run ends before the series does.
    """

    before: int = 25
    after: int = 21


DAILY_ROOM, WEEKLY_ROOM = Room(), Room(before=5, after=5)
VICTIM_SHARE = 0.5
"""So many of the symbols are harmed, once each."""
DONOR_TRIES = 20

FAULT_SCHEMA = pl.Schema(
    {
        "kind": pl.String,
        "symbol": pl.String,
        "session": pl.Date,
        "last_session": pl.Date,
        "wrong_bars": pl.Int64,
        "variant": pl.String,
        "magnitude": pl.Float64,
    }
)
"""One row a fault; `session` is the first wrong (or missing) one."""


@dataclass(frozen=True, eq=False)
class InjectedFaults:
    """Bars with faults in them, by symbol and session, and where the faults are.

    Attributes:
        bars: BAR_SCHEMA; a session may come twice.
        faults: FAULT_SCHEMA, at most one a symbol.
        sessions: The sessions of the clean bars, in order.
    """

    bars: pl.DataFrame
    faults: pl.DataFrame
    sessions: pl.Series


def inject(
    bars: pl.DataFrame,
    kind: FaultKind,
    rng: np.random.Generator,
    *,
    share: float = VICTIM_SHARE,
    room: Room = DAILY_ROOM,
) -> InjectedFaults:
    """Return the bars with one fault of a kind in each of some symbols.

    Args:
        bars: Clean bars in BAR_SCHEMA, sorted by symbol and session.
        kind: What is to go wrong.
        rng: Chooses symbols, positions and magnitudes.
        share: Share of the symbols, of those with enough bars, that are harmed.
        room: How many bars there are around a fault.
    """
    series = {str(key[0]): frame for key, frame in bars.group_by("symbol", maintain_order=True)}
    able = [name for name, own in series.items() if own.height >= room.before + room.after]
    victims = {name for name in able if rng.random() < share}
    whole = [name for name in series if name not in victims]
    closed_days = _closed_days(bars["session"])
    faults, strangers = [], set[str]()
    # One generator a symbol, so that a kind that draws more leaves the other positions alone.
    for name, own_rng in zip(able, rng.spawn(len(able)), strict=True):
        own, at = series[name], _position(series[name], room, own_rng)
        donor = _donor(series, whole, own["session"][at], own_rng)
        if name not in victims or (kind.needs_donor and donor is None):
            continue
        harm = kind.harm(Victim(own, at, series.get(donor or ""), closed_days, own_rng))
        faults.append(_fault(kind, own, harm))
        series[name] = harm.bars.select(bars.columns)
        strangers.add(donor or "")
    if kind.loses_donor:
        series = {name: own for name, own in series.items() if name not in strangers}
    return InjectedFaults(
        bars=pl.concat(series.values()),
        faults=pl.DataFrame(faults, schema=FAULT_SCHEMA, orient="row"),
        sessions=bars["session"].unique().sort(),
    )


def sliced(bars: pl.DataFrame, *, rows: int) -> pl.DataFrame:
    """Cut long histories into symbols of so many bars each, so that each piece can bear a fault.

    Pieces keep their sessions, and are named AAPL~000, AAPL~001 and so on, as if one were delisted
    when the next is listed.
    """
    piece = (pl.int_range(pl.len()).over("symbol") // rows).cast(pl.String).str.zfill(3)
    return bars.with_columns(symbol=pl.col("symbol") + "~" + piece).sort("symbol", "session")


def _position(own: pl.DataFrame, room: Room, rng: np.random.Generator) -> int:
    """Return the row that a fault begins at: one without a split, which must not get lost in it."""
    rows = np.arange(room.before, own.height - room.after + 1)
    is_split = (own["split_coefficient"] != 1).to_numpy()
    quiet = rows[~is_split[rows] & ~is_split[rows + 1]]
    return int(rng.choice(quiet if quiet.size else rows))


def _donor(
    series: Mapping[str, pl.DataFrame], whole: list[str], session: date, rng: np.random.Generator
) -> str | None:
    """Return an unharmed symbol that trades at a session, if one is found in some tries."""
    for candidate in rng.permutation(len(whole))[:DONOR_TRIES]:
        name = whole[int(candidate)]
        sessions = series[name]["session"]
        is_there: bool = sessions[0] <= session < sessions[-1] and session in sessions
        if is_there:
            return name
    return None


def _closed_days(sessions: pl.Series) -> pl.Series:
    """Return the days between the sessions on which nothing traded."""
    traded = sessions.unique().sort()
    days = pl.select(pl.date_range(traded[0], traded[-1]).alias("session")).to_series()
    return days.filter(~days.is_in(traded.implode()))


def _fault(kind: FaultKind, clean: pl.DataFrame, harm: Harm) -> tuple[Any, ...]:
    """Return a row of FAULT_SCHEMA."""
    days = harm.days or tuple(clean["session"][harm.rows.start : harm.rows.stop])
    symbol = clean["symbol"][0]
    return kind.name, symbol, days[0], days[-1], len(days), harm.variant, harm.magnitude
