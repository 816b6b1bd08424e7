"""What a bar looks like beside the bars before it: the figures that all rules share.

Logarithms are counted in whole steps of 2⁻³² and summed as integers: a difference of two sums is
then the same number wherever the sums began, so a night that reads the last bars of a symbol gets
the figures that its whole history gives. Every figure at a bar uses that bar and earlier ones.
"""

import polars as pl

from pipelines.anomalies.impossible import IS_IMPOSSIBLE, IS_WRONG

WINDOW = 63
"""Bars that tell what is usual for a symbol: a quarter."""
LEVEL_WINDOW = 21
"""Bars that tell where prices have been: twice as many as a run of wrong ones mostly has."""
LARGEST_DIVIDEND = 0.5
"""A dividend of more than this share of the price explains no move."""
RECENT = 5
"""Bars that tell how busy a symbol is these days: volume comes in waves."""
FEWEST = 10
"""With fewer bars than these nothing is known to be usual."""
STEPS = float(2**32)
TO_DEVIATION = 1.4826
"""Median absolute value to standard deviation, of a normal variable."""
QUARTILES_APART = 1.349
"""Standard deviations between the quartiles of a normal variable."""
USUAL_DEVIATION, SMALLEST_DEVIATION = 0.03, 0.004
"""Daily deviation of returns where nothing is known yet, and the least that is believed."""
USUAL_RANGE, USUAL_VOLUME_DEVIATION, SMALLEST_VOLUME_DEVIATION = 0.04, 0.7, 0.25
PRICES = ("open", "high", "low", "close")
LOTS = 1000
"""Bars of fewer shares may come twice by chance."""


def steps_of(value: pl.Expr) -> pl.Expr:
    """Return a logarithm in whole steps; null where there is none."""
    return pl.when(value > 0).then((value.log() * STEPS).round()).cast(pl.Int64, strict=False)


def with_measures(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the bars with the figures of every rule.

    Args:
        bars: Judged and earlier bars, by symbol and session, with the facts of `panel`.
    """
    bars = _with_duplicates(bars)
    for columns in (_own_logarithms, _repeats, _anchors, _moves, _usual, _deviations):
        bars = bars.with_columns(**columns())
    return bars


def _with_duplicates(bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars with `is_duplicate`, whether it is one of the last 63 once more, and its day."""
    numbered = bars.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64).over("symbol"))
    # Few bars share close and volume; only those are worth grouping.
    again = numbered.filter(pl.struct("symbol", "close", "volume").is_duplicated())
    key = ("symbol", *PRICES, "volume")
    has_lots = (pl.col("volume") >= LOTS) & (pl.col("high") > pl.col("low"))
    doubles = again.select(
        "symbol",
        "row",
        duplicate_of=pl.col("session").shift(1).over(key),
        is_duplicate=(pl.col("row") - pl.col("row").shift(1).over(key) <= WINDOW) & has_lots,
    ).filter("is_duplicate")
    return numbered.join(
        doubles, on=["symbol", "row"], how="left", maintain_order="left"
    ).with_columns(pl.col("is_duplicate").fill_null(value=False))


def previous(name: str) -> pl.Expr:
    """Return a column of the symbol's row before."""
    return pl.col(name).shift(1).over("symbol")


def _in_force(name: str) -> pl.Expr:
    """Return a value of the bar, or the one that is in force while the newest is nonsense."""
    return pl.coalesce(f"former_{name}", name)


def _own_logarithms() -> dict[str, pl.Expr]:
    """Return what a row alone tells, and running sums of it."""
    before = _in_force("close").shift(1).over("symbol")
    split, dividend = _in_force("split_coefficient"), pl.col("dividend_amount")
    paid = pl.when(before > 0).then(split * dividend / before).otherwise(0.0)
    # The vendor's step of adjustment, see `with_adjusted_close`.
    step = steps_of((1 - paid) / split).fill_null(0)
    # What another symbol's bar lists happened to that one.
    own_split = pl.when("is_foreign").then(0).otherwise(steps_of(split).fill_null(0))
    splits = own_split.cum_sum().over("symbol")
    return {
        "close_in_force": _in_force("close"),
        "log_close": steps_of(_in_force("close")),
        "log_splits": splits,
        "log_range": steps_of(_in_force("high")) - steps_of(_in_force("low")),
        "log_volume": steps_of(_in_force("volume").cast(pl.Float64)) - splits,
        "adjustment": steps_of(_in_force("adjusted_close"))
        - steps_of(_in_force("close"))
        + step.cum_sum().over("symbol"),
    }


def _repeats() -> dict[str, pl.Expr]:
    """Return whether a bar repeats the one before."""
    is_same = pl.all_horizontal(pl.col(name) == previous(name) for name in PRICES)
    is_flat = pl.all_horizontal(pl.col(name) == previous("close") for name in PRICES)
    return {"is_repeat": (is_same | (is_flat & (pl.col("volume") == 0))).fill_null(value=False)}


def _anchors() -> dict[str, pl.Expr]:
    """Return whether later bars are measured against a row, right or at a shifted level."""
    is_released = pl.col("verdict").eq_missing("release")
    is_refused = (
        IS_WRONG
        | pl.col("is_duplicate")
        | pl.col("is_foreign")
        | pl.col("is_doubted")
        | pl.col("verdict").eq_missing("confirm")
    )
    is_priced = pl.min_horizontal(*PRICES) > 0
    is_right = is_priced & ~IS_IMPOSSIBLE & (is_released | ~is_refused)
    return {"is_anchor": is_right | pl.col("former_close").is_not_null()}


def _moves() -> dict[str, pl.Expr]:
    """Return the move from the last anchor before: with and without splits and dividends."""
    anchored = {
        name: pl.when("is_anchor").then(name).forward_fill().shift(1).over("symbol")
        for name in ("log_close", "log_splits", "session_number", "close_in_force", "session")
    }
    sessions = (pl.col("session_number") - anchored["session_number"]).clip(1)
    splits = pl.col("log_splits") - anchored["log_splits"]
    share = pl.col("dividend_amount") * pl.col("split_coefficient") / anchored["close_in_force"]
    # Taken off the reference, not added to the close: that may be in another unit.
    is_believed = share.is_between(0, LARGEST_DIVIDEND)
    paid = pl.when(is_believed).then(-steps_of(1 - share)).otherwise(0)
    unpaid = pl.col("log_close") - anchored["log_close"] + splits
    return {
        "reference_close": anchored["close_in_force"],
        "reference_session": anchored["session"],
        "sessions_since": sessions,
        "move": (unpaid + paid) / STEPS,
        "move_unpaid": unpaid / STEPS,
        "paid": -(1 - share.clip(0, 1 - 1 / STEPS)).log(),
        "own_split": steps_of(_in_force("split_coefficient")).fill_null(0) / STEPS,
        "anchors": pl.col("is_anchor").cum_sum().over("symbol"),
        "missing_sessions": (pl.col("traded_number") - previous("traded_number") - 1)
        .fill_null(0)
        .clip(0),
        "first_missing": previous("traded_after"),
    }


def _usual() -> dict[str, pl.Expr]:
    """Return what the anchors among the last rows say is usual."""
    scaled = pl.when("is_anchor").then(pl.col("move").abs() / pl.col("sessions_since").sqrt())
    volume = pl.when("is_anchor").then("log_volume").cast(pl.Float64)
    span = pl.when("is_anchor").then("log_range").cast(pl.Float64)
    level = pl.when("is_anchor").then(pl.col("log_close") + pl.col("log_splits"))
    quiet = (pl.col("is_repeat") | (pl.col("volume") == 0)).cast(pl.Int64)
    return {
        "median_move": _median(scaled),
        "median_range": _median(span),
        "median_volume": _median(volume),
        "recent_volume": volume.rolling_median(RECENT, min_samples=1).shift(1).over("symbol"),
        "low_volume": _quantile(volume, 0.25),
        "high_volume": _quantile(volume, 0.75),
        "median_adjustment": _median(pl.col("adjustment").cast(pl.Float64)),
        "median_level": level.cast(pl.Float64)
        .rolling_median(LEVEL_WINDOW, min_samples=1)
        .shift(1)
        .over("symbol"),
        "quiet_rows": quiet.rolling_sum(WINDOW, min_samples=1).shift(1).over("symbol"),
    }


def _deviations() -> dict[str, pl.Expr]:
    """Return the bar in units of what is usual."""
    deviation = (pl.col("median_move") * TO_DEVIATION).fill_null(USUAL_DEVIATION)
    spread = (pl.col("high_volume") - pl.col("low_volume")) / STEPS / QUARTILES_APART
    return {
        "deviation": deviation.clip(SMALLEST_DEVIATION) * pl.col("sessions_since").sqrt(),
        "range": pl.col("log_range") / STEPS,
        "home_move": (pl.col("log_close") + pl.col("log_splits") - pl.col("median_level")) / STEPS,
        "usual_range": (pl.col("median_range") / STEPS).fill_null(USUAL_RANGE),
        "volume_move": (pl.col("log_volume") - pl.col("median_volume")) / STEPS,
        "volume_step": (pl.col("log_volume") - pl.col("recent_volume")) / STEPS,
        "volume_deviation": spread.fill_null(USUAL_VOLUME_DEVIATION).clip(
            SMALLEST_VOLUME_DEVIATION
        ),
        "adjustment_move": (pl.col("adjustment") - previous("adjustment")) / STEPS,
        "adjustment_off": (pl.col("adjustment") - pl.col("median_adjustment")) / STEPS,
        "adjustment_trend": (pl.col("adjustment") - pl.col("adjustment").shift(5).over("symbol"))
        / STEPS,
    }


def _median(value: pl.Expr) -> pl.Expr:
    """Return the median over the rows before, null while they are few."""
    return value.rolling_median(WINDOW, min_samples=FEWEST).shift(1).over("symbol")


def _quantile(value: pl.Expr, share: float) -> pl.Expr:
    """Return a quantile over the rows before, one of their values."""
    return (
        value.rolling_quantile(
            share, interpolation="nearest", window_size=WINDOW, min_samples=FEWEST
        )
        .shift(1)
        .over("symbol")
    )
