"""What only the bars of all symbols together can tell of a bar, for histories held in memory.

The lake computes the same columns by SQL (`pipelines.anomalies.derivation`); a test holds that both
agree.
"""

from collections.abc import Collection, Sequence
from datetime import date

import polars as pl

from pipelines.anomalies.catalogue import MARKET
from pipelines.markets.recorded import BAR_SCHEMA

MARKET_STEP = 0.05
"""A market-wide move is counted in whole steps of 5 %: one symbol's revision rarely changes it, and
where it does, the bars that were judged by it are judged again."""
LONGEST_PAUSE = 10
"""Days without a bar after which a move is none of the session's."""
FEWEST_SYMBOLS = 20
"""Fewer symbols are no market."""
TWIN_ROWS = 21
"""Rows before that tell which volume is usual where two bars are equal."""
OVERNIGHT_DEVIATION, PRICE_DEVIATION, VOLUME_DEVIATION, NOWHERE = 0.01, 0.02, 0.4, 1e9
"""What open, close and volume usually differ by from the last close and the usual volume, in
logarithms; and the distance to a series that has nothing before."""
PANEL_TWINS = ("twin", "usual_close", "usual_volume", "twin_close", "twin_volume")
_VALUES = ("open", "high", "low", "close", "volume")


def with_panel_facts(
    bars: pl.DataFrame, sessions: Sequence[date], early: Collection[date] = ()
) -> pl.DataFrame:
    """Return bars with what the calendar and the other symbols tell of them.

    Args:
        bars: All bars of a market, by symbol and session.
        sessions: The exchange's sessions; those around the bars are enough.
        early: Those of them that ended early.
    """
    days = _days(bars, sessions)
    return (
        bars.join(days, on="session", how="left", maintain_order="left")
        .with_columns(
            pl.col("is_session").fill_null(value=False),
            pl.col("market_move").fill_null(0.0),
            is_early=pl.col("session").is_in(list(early)),
        )
        .join(_twins(bars), on=["symbol", "session"], how="left", maintain_order="left")
    )


def missing_for_all(bars: pl.DataFrame, sessions: Sequence[date]) -> pl.DataFrame:
    """Return the sessions between the first and the last bar in which no symbol has one.

    Returns:
        symbol (`MARKET`), session, and `known_at` of the first bar after it.
    """
    nights = bars.group_by("session").agg(pl.col("known_at").min()).sort("session")
    days = pl.DataFrame({"session": sessions}, schema={"session": pl.Date})
    return (
        days.filter(pl.col("session").is_between(nights["session"].min(), nights["session"].max()))
        .join(nights, on="session", how="anti")
        .sort("session")
        .join_asof(nights, on="session", strategy="forward")
        .with_columns(symbol=pl.lit(MARKET))
    )


def _days(bars: pl.DataFrame, sessions: Sequence[date]) -> pl.DataFrame:
    """Return what the calendar tells of each day on which any symbol has a bar.

    A session counts as traded where any symbol has a bar of it.
    """
    days = bars.select("session").unique().sort("session")
    known = pl.DataFrame({"session": sessions}, schema={"session": pl.Date}).sort("session")
    has_bars = pl.col("session").is_in(days["session"].implode())
    traded = pl.when(has_bars).then("session")
    calendar = known.with_columns(
        known_session="session",
        session_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        traded_number=has_bars.cast(pl.Int64).cum_sum(),
        traded_before=traded.forward_fill().shift(1),
        traded_after=traded.backward_fill().shift(-1),
    )
    return (
        days.join_asof(calendar, on="session")
        .with_columns(is_session=pl.col("known_session").eq_missing(pl.col("session")))
        .drop("known_session")
        .join(_market_moves(bars), on="session", how="left")
    )


def _market_moves(bars: pl.DataFrame) -> pl.DataFrame:
    """Return each session's median move over all symbols, in whole steps towards zero."""
    before = {name: pl.col(name).shift(1).over("symbol") for name in ("close", "session")}
    moved = bars.select(
        "session",
        move=pl.col("close") * pl.col("split_coefficient") / before["close"],
        days=(pl.col("session") - before["session"]).dt.total_days(),
    ).filter(pl.col("move").is_finite() & (pl.col("move") > 0) & (pl.col("days") <= LONGEST_PAUSE))
    return (
        moved.group_by("session")
        .agg(move=pl.col("move").quantile(0.5, interpolation="lower"), symbols=pl.len())
        .select(
            "session",
            market_move=pl.when(pl.col("symbols") >= FEWEST_SYMBOLS)
            .then(((pl.col("move") - 1) / MARKET_STEP).cast(pl.Int64) * MARKET_STEP)
            .otherwise(0.0),
        )
    )


def _twins(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the bars that other symbols have to the digit, with the symbol that they fit best.

    Beside them stand the last close and the usual volume of both just before.
    """
    shown = bars.filter((pl.col("volume") > 0) & (pl.col("high") > pl.col("low")))
    key = ("session", *_VALUES)
    named = shown.select("symbol", *key, "split_coefficient")
    equal = named.filter(pl.struct(key).is_duplicated())
    owners = equal.join(_usual_of(bars, equal), on=["symbol", "session"], how="left")
    others = owners.select(
        *key,
        twin="symbol",
        twin_close="usual_close",
        twin_volume="usual_volume",
    )
    return (
        owners.join(others, on=key)
        .filter(pl.col("symbol") != pl.col("twin"))
        .with_columns(twin_misfit=misfit("twin_close", "twin_volume"))
        .sort("symbol", "session", "twin_misfit", "twin")
        .unique(["symbol", "session"], keep="first", maintain_order=True)
        .select("symbol", "session", *PANEL_TWINS)
    )


def misfit(close: str, volume: str) -> pl.Expr:
    """Return how far a bar is from a last close and a usual volume, in usual deviations.

    Where a series has nothing before, the bar is as far as can be.
    """
    split = pl.when(pl.col("split_coefficient") > 0).then("split_coefficient").otherwise(1.0)
    before, usual = pl.col(close) / split, pl.col(volume) * split
    parts = (
        (pl.col("open") / before).log() / OVERNIGHT_DEVIATION,
        (pl.col("close") / before).log() / PRICE_DEVIATION,
        (pl.col("volume") / usual).log() / VOLUME_DEVIATION,
    )
    squares = [part.pow(2) for part in parts]
    return (squares[0] + squares[1] + squares[2]).sqrt().fill_nan(None).fill_null(NOWHERE)


def _usual_of(bars: pl.DataFrame, equal: pl.DataFrame) -> pl.DataFrame:
    """Return last close and median volume of the rows before, of symbols that have twins."""
    of_symbols = bars.filter(pl.col("symbol").is_in(equal["symbol"].unique().implode()))
    volume = pl.col("volume").cast(pl.Float64).rolling_median(TWIN_ROWS, min_samples=1)
    return of_symbols.select(
        "symbol",
        "session",
        usual_close=pl.col("close").shift(1).over("symbol"),
        usual_volume=volume.shift(1).over("symbol"),
    )


PANEL_FACTS = pl.Schema(
    {
        "is_session": pl.Boolean(),
        "is_early": pl.Boolean(),
        "session_number": pl.Int64(),
        "traded_number": pl.Int64(),
        "traded_before": pl.Date(),
        "traded_after": pl.Date(),
        "market_move": pl.Float64(),
        "twin": pl.String(),
        "usual_close": pl.Float64(),
        "usual_volume": pl.Float64(),
        "twin_close": pl.Float64(),
        "twin_volume": pl.Float64(),
    }
)
"""What calendar and market tell of a bar, `is_early` that its session ended early.

Sessions are numbered from anywhere, all of them and those that were traded, in which some symbol
has a bar; the traded ones before and after the bar's are named. The twin is the other symbol
that the same bar fits best; `usual_…` and `twin_…` are last close and median volume of both before.
"""
IN_FORCE = ("high", "low", "close", "volume", "adjusted_close", "split_coefficient")
"""What later bars are measured by: of a bar that was revised into nonsense, its former values."""
BAR_FACTS = pl.Schema(
    {
        **{name: BAR_SCHEMA[name] for name in BAR_SCHEMA},
        **{f"former_{name}": BAR_SCHEMA[name] for name in IN_FORCE},
        "is_doubted": pl.Boolean(),
        "known_at": pl.Datetime("us", "UTC"),
        "revision": pl.Int32(),
        "closes_at": pl.Datetime("us", "UTC"),
        "is_date_twice": pl.Boolean(),
        "verdict": pl.String(),
        "is_context": pl.Boolean(),
        "was_foreign": pl.Boolean(),
        "was_level": pl.Float64(),
        "was_type": pl.String(),
        "was_since": pl.Date(),
    }
)
"""What a bar is judged by, beside the facts of the panel.

`former_…` are the values in force of a bar whose newest revision the journal of revisions or its
whole body speaks against; where there are none, such a bar `is_doubted`.

`was_…` tell of earlier bars (`is_context`) how they were judged: as another symbol's, and at which
level of the symbol's own prices, of what kind, and since when.
"""
