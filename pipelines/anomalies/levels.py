"""The level of prices: which bars stand at a multiple of the symbol's own prices.

A bar is measured against its reference, the last bar that is right or whose level is known. Between
jumps the level stays, so the bars that jumped are walked through one by one, of the few symbols
that have any, and the level is filled in between.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import log
from typing import Any

import polars as pl

from pipelines.anomalies.jumps import Jump, Level, judge_jump

JUMP = 0.15
"""Smaller moves are looked at only where they are six deviations of the symbol's own."""
SMALLEST_JUMP, JUMP_DEVIATIONS = 0.06, 6.0
YOUNG, CONFIRMED_AFTER = 5, 5
"""Of a symbol with fewer bars than the first before a jump, as many bars as the second at the new
level outweigh the old one: whichever is wrong, it is the few."""
SPLIT_ROWS = 10
_EVENT = pl.Schema(
    {
        "symbol": pl.String,
        "row": pl.Int64,
        "event_shift": pl.Float64,
        "event_kind": pl.String,
        "event_severity": pl.String,
        "event_explanation": pl.String,
        "event_since": pl.Date,
        "event_anchors": pl.Int64,
        "event_is_young": pl.Boolean,
        "event_row": pl.Int64,
    }
)
_NEEDED = (
    *("symbol", "row", "session", "is_context", "is_anchor", "verdict", "anchors", "move"),
    *("move_unpaid", "paid", "own_split", "deviation", "range", "usual_range", "volume_move"),
    *(
        "volume_deviation",
        "sessions_since",
        "home_move",
        "market_move",
        "is_split_repeated",
        "was_level",
        "was_type",
        "was_since",
    ),
)


@dataclass
class _Standing:
    """How the last reference stood: its shift, the kind and beginning of it."""

    shift: float = 0.0
    kind: str | None = None
    since: date | None = None
    anchors: int = 0
    is_young: bool = False


def with_levels(bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars with their level: `shift`, `level_kind`, `level_since` and what is said of it.

    Args:
        bars: Bars with the measures, by symbol and session.
    """
    split = pl.col("own_split")
    repeated = pl.any_horizontal(
        (split.shift(rows).over("symbol") == split) for rows in range(1, SPLIT_ROWS + 1)
    )
    marked = bars.with_columns(
        is_split_repeated=repeated.fill_null(value=False) & (split != 0),
        is_jump=pl.col("is_anchor") & ~pl.col("is_context") & _jumps(),
        was_shifted=pl.col("is_context")
        & pl.col("is_anchor")
        & (pl.col("was_level").fill_null(0.0) != 0),
    )
    walked = marked.filter((pl.col("is_jump") | pl.col("was_shifted")).any().over("symbol")).select(
        *_NEEDED, "is_jump"
    )
    events = pl.DataFrame(list(_events(walked)), schema=_EVENT, orient="row")
    filled = marked.join(events, on=["symbol", "row"], how="left", maintain_order="left")
    names = [name for name in _EVENT if name.startswith("event_")]
    # A null of an event is a value of it: only whole events are carried on.
    is_event = pl.col("event_row").is_not_null()
    carried = {
        name: pl.col(name)
        .gather(pl.when(is_event).then(pl.int_range(pl.len())).forward_fill())
        .over("symbol")
        for name in names
    }
    return filled.with_columns(**carried).with_columns(**_levels()).drop(names)


def _jumps() -> pl.Expr:
    """Return whether a price jumped, or a person released the bar."""
    size = pl.col("move").abs()
    by_own = (size > JUMP_DEVIATIONS * pl.col("deviation")) & (size > SMALLEST_JUMP)
    is_paid = pl.col("dividend_amount") > SMALLEST_JUMP / 2 * pl.col("close")
    released = pl.col("verdict").eq_missing("release")
    return ((size > JUMP) | by_own | is_paid).fill_null(value=False) | released


def _events(walked: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Yield an event for each bar at which the level may change, in _EVENT."""
    standing, symbol = _Standing(), None
    relevant = walked.filter(pl.col("is_jump") | (pl.col("is_context") & pl.col("is_anchor")))
    for bar in relevant.iter_rows(named=True):
        if bar["symbol"] != symbol:
            standing, symbol = _Standing(), bar["symbol"]
        if bar["is_context"]:
            standing = _earlier(bar, standing)
            yield _event(bar, standing, Level(standing.shift))
            continue
        level = _judge(bar, _settled(bar, standing))
        standing = _after(bar, standing, level)
        yield _event(bar, standing, level)


def _earlier(bar: dict[str, Any], standing: _Standing) -> _Standing:
    """Return how an earlier bar stood, as it was judged then."""
    shift = bar["was_level"] or 0.0
    if shift == 0:
        return _Standing()
    begun = bar["anchors"] if bar["session"] == bar["was_since"] else standing.anchors
    return _Standing(shift, bar["was_type"], bar["was_since"], begun, begun - 1 < YOUNG)


def _settled(bar: dict[str, Any], standing: _Standing) -> _Standing:
    """Return the standing before a bar, once a young symbol's new level has outweighed the old."""
    waited = bar["anchors"] - standing.anchors
    return _Standing() if standing.is_young and waited > CONFIRMED_AFTER else standing


def _judge(bar: dict[str, Any], standing: _Standing) -> Level:
    """Return the level of a bar that jumped."""
    if bar["verdict"] == "release" or bar["move"] is None:
        return Level(0.0)
    jump = Jump(
        move=bar["move"],
        own_split=bar["own_split"],
        unpaid=bar["move_unpaid"],
        paid=bar["paid"] or 0.0,
        deviation=bar["deviation"],
        span=bar["range"] / bar["usual_range"] if bar["usual_range"] > 0 else 1.0,
        width=bar["range"],
        volume=0.0 if bar["volume_move"] is None else bar["volume_move"],
        volume_deviation=bar["volume_deviation"],
        market=log(1 + bar["market_move"]),
        is_split_repeated=bar["is_split_repeated"],
        sessions=bar["sessions_since"] or 1,
        home=bar["move"] if bar["home_move"] is None else bar["home_move"],
    )
    return judge_jump(jump, standing.shift)


def _after(bar: dict[str, Any], standing: _Standing, level: Level) -> _Standing:
    """Return the standing of the bar that was judged."""
    if level.shift == 0:
        return _Standing()
    if level.shift == standing.shift:
        return standing
    young = bar["anchors"] - 1 < YOUNG
    return _Standing(level.shift, level.name, bar["session"], bar["anchors"], young)


def _event(bar: dict[str, Any], standing: _Standing, level: Level) -> tuple[Any, ...]:
    """Return a row of _EVENT."""
    return (
        bar["symbol"],
        bar["row"],
        standing.shift,
        standing.kind or level.name,
        level.severity,
        level.explanation,
        standing.since,
        standing.anchors,
        standing.is_young,
        bar["row"],
    )


def _levels() -> dict[str, pl.Expr]:
    """Return the level of each bar from the last event at or before it."""
    at_event = pl.col("event_row") == pl.col("row")
    waited = pl.col("anchors") - pl.col("event_anchors")
    is_settled = pl.col("event_is_young") & (waited > CONFIRMED_AFTER)
    shift = pl.when(pl.col("is_anchor") & ~is_settled).then("event_shift").otherwise(0.0)
    is_shifted = shift.fill_null(0.0) != 0
    return {
        "shift": shift.fill_null(0.0),
        "level_kind": pl.when(is_shifted | (at_event & pl.col("is_anchor"))).then("event_kind"),
        "level_severity": pl.when(at_event).then("event_severity"),
        "level_explanation": pl.when(at_event).then("event_explanation"),
        "level_since": pl.when(is_shifted).then("event_since"),
    }
