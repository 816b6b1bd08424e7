"""Profiles: what a bar looks like beside its symbol's own past and the market of its session.

A profile is six numbers in robust deviations, for any symbol at any time near those of any other.
They use bars of sessions ≤ t alone: the symbol's clean bars of the WINDOW sessions before t, and
of session t the clean bars of all symbols, whose common move and spread are taken out, so that a
day on which everything falls makes no symbol remarkable.
"""

from dataclasses import dataclass

import polars as pl

PROFILE_REVISION = 1
"""Raised when a bar's profile comes out otherwise: fits of another revision are not used."""

WINDOW = 60
"""Sessions of a symbol's own past: a quarter."""
SHORT_WINDOW = 10
"""Sessions of its last days: after a shock the usual is not what it was a quarter ago."""
FEWEST_BARS = 20
FEWEST_SHORT_BARS = 5
LONGEST_PAUSE = 5
"""Sessions since the clean bar before: a move over a longer pause is not one session's."""
LOOK_BACK = WINDOW + 2 * LONGEST_PAUSE
"""Sessions before a bar that its profile may read."""
FEWEST_SYMBOLS = 10
"""Symbols that make a market: the median of three would be one of the three."""

MAD_TO_DEVIATION = 1.4826
QUARTILES_TO_DEVIATION = 1 / 1.349
USUAL_UPPER_TENTH = 1.8
"""Deviations that a tenth of moves exceed on a usual day (simulated market: 1.7 to 1.9)."""
LEAST_SCALE = 0.001
"""A session's move that is ordinary for anything that trades, as a share."""
TICK_DOLLARS = 0.01
LEAST_RANGE = 0.0005
LEAST_VOLUME_SCALE = 0.1
SIGNIFICANT_DIGITS = 10
"""What two machines agree on of a figure that is kept in full."""


@dataclass(frozen=True)
class ProfileValue:
    """One number of a profile: its name and its meaning."""

    name: str
    description: str


PROFILE = (
    ProfileValue("return_score", "Total return less the market's, in usual moves."),
    ProfileValue("gap_score", "Open over the close before less the market's, in usual moves."),
    ProfileValue("intraday_score", "Close over open less the market's, in usual moves."),
    ProfileValue("range_score", "Log of high over low, less its usual and the market's."),
    ProfileValue("volume_score", "Log volume in deviations from its usual, less the market's."),
    ProfileValue("quiet_move_score", "Size of the return over what volume it came with."),
)
PROFILE_NAMES = tuple(value.name for value in PROFILE)
LOG_MOVES = ("step_return", "gap", "intraday")
LEVELS = ("range", "volume")

_NEXT_TO = {
    "close": "last_close",
    "split_factor": "last_split_factor",
    "total_return_index": "last_index",
    "ordinal": "last_ordinal",
    "scale": "scale",
    "usual_range": "usual_range",
    "usual_volume": "usual_volume",
    "volume_scale": "volume_scale",
}
"""What a bar needs of the clean bar before it, and the name that it has beside the bar."""


def profile_bars(clean: pl.DataFrame, withheld: pl.DataFrame) -> pl.DataFrame:
    """Return the profiles of bars; null where the past is too short or a price is no price.

    A bar of session t is right if LOOK_BACK sessions before t are there, of all symbols.

    Args:
        clean: Rows of clean_prices with `ordinal`, the number of the session in the calendar.
        withheld: Rows of quarantined_prices, likewise; judged beside the clean past, never part of
            it.

    Returns:
        symbol, session, is_clean, `log_return` since the clean bar before, `volume_z_score`, and
        PROFILE_NAMES as 32-bit floats; clean bars first, each by symbol and session.
    """
    ordered = clean.sort("symbol", "session")
    beside = _beside_the_row_before(ordered)
    moves = _moves(beside, growth=pl.col("total_return_index") / pl.col("last_index"))
    market = _market(moves)
    residuals = _less_market(moves, market)
    states = _states(residuals)
    judged = _deviations(_beside_the_row_before(states, only=("scale", *_USUAL)))
    spread = _spread(judged)
    others = _withheld_deviations(withheld, states, market)
    return pl.concat(
        [
            _profile(judged, spread, is_clean=True),
            _profile(others, spread, is_clean=False),
        ]
    )


_USUAL = ("usual_range", "usual_volume", "volume_scale")


def _beside_the_row_before(rows: pl.DataFrame, only: tuple[str, ...] | None = None) -> pl.DataFrame:
    """Return rows, sorted by symbol and session, with values of their symbol's row before."""
    is_same = pl.col("symbol") == pl.col("symbol").shift(1)
    names = only or ("close", "split_factor", "total_return_index", "ordinal")
    return rows.with_columns(
        pl.when(is_same).then(pl.col(name).shift(1)).alias(_NEXT_TO[name]) for name in names
    )


def _moves(rows: pl.DataFrame, *, growth: pl.Expr, ratio: pl.Expr | None = None) -> pl.DataFrame:
    """Return rows with their log moves over the clean bar before, and their log levels."""
    split = ratio if ratio is not None else pl.col("split_factor") / pl.col("last_split_factor")
    elapsed = pl.col("ordinal") - pl.col("last_ordinal")
    is_near = elapsed.is_between(1, LONGEST_PAUSE)
    return rows.with_columns(
        elapsed=pl.when(is_near).then(elapsed).cast(pl.Float64),
        log_return=pl.when(is_near).then(_log(growth)),
        gap=pl.when(is_near).then(_log(pl.col("open") * split / pl.col("last_close"))),
        intraday=_log(pl.col("close") / pl.col("open")),
        range=(_log(pl.col("high") / pl.col("low")) + LEAST_RANGE).log(),
        volume=_log((pl.col("volume") + 1) / (pl.col("last_split_factor") * split)),
    ).with_columns(step_return=pl.col("log_return") / pl.col("elapsed").sqrt())


def _log(value: pl.Expr) -> pl.Expr:
    """Return the logarithm of what is above zero, null of anything else."""
    return pl.when((value > 0) & value.is_finite()).then(value.log())


def _market(moves: pl.DataFrame) -> pl.DataFrame:
    """Return the median move of each session; of a session with few symbols, zero."""
    is_market = pl.col("step_return").count() >= FEWEST_SYMBOLS
    return moves.group_by("session").agg(
        pl.when(is_market).then(pl.col(name).median()).otherwise(0.0).alias(f"market_{name}")
        for name in LOG_MOVES
    )


def _less_market(moves: pl.DataFrame, market: pl.DataFrame) -> pl.DataFrame:
    """Return moves with the market's taken out."""
    return moves.join(market, on="session", how="left", maintain_order="left").with_columns(
        pl.col(name) - pl.col(f"market_{name}") for name in LOG_MOVES
    )


def _states(residuals: pl.DataFrame) -> pl.DataFrame:
    """Return rows with what is usual for the symbol up to and including each."""
    size = pl.col("step_return").abs()
    scale = pl.max_horizontal(
        _rolling_median(size, WINDOW, FEWEST_BARS),
        _rolling_median(size, SHORT_WINDOW, FEWEST_SHORT_BARS),
    )
    floor = pl.max_horizontal(pl.lit(LEAST_SCALE), TICK_DOLLARS / pl.col("close"))
    is_known = _rolling_median(size, WINDOW, FEWEST_BARS).is_not_null()
    volume = pl.col("volume")
    middle = _rolling_quantile(volume, 0.75) - _rolling_quantile(volume, 0.25)
    return residuals.with_columns(
        scale=pl.when(is_known).then(pl.max_horizontal(MAD_TO_DEVIATION * scale, floor)),
        usual_range=_rolling_median(pl.col("range"), WINDOW, FEWEST_BARS),
        usual_volume=_rolling_median(volume, WINDOW, FEWEST_BARS),
        volume_scale=pl.max_horizontal(middle * QUARTILES_TO_DEVIATION, LEAST_VOLUME_SCALE),
    )


def _rolling_median(value: pl.Expr, sessions: int, fewest: int) -> pl.Expr:
    """Return the median over the last sessions of the symbol, its row included."""
    return value.rolling_median_by("ordinal", f"{sessions}i", min_samples=fewest).over("symbol")


def _rolling_quantile(value: pl.Expr, quantile: float) -> pl.Expr:
    """Return a quantile over the symbol's window, its row included."""
    return value.rolling_quantile_by(
        "ordinal", f"{WINDOW}i", quantile=quantile, min_samples=FEWEST_BARS
    ).over("symbol")


def _deviations(rows: pl.DataFrame) -> pl.DataFrame:
    """Return moves and levels in deviations of the symbol's own past."""
    return rows.with_columns(
        *((pl.col(name) / pl.col("scale")).alias(name) for name in LOG_MOVES),
        range=pl.col("range") - pl.col("usual_range"),
        volume=(pl.col("volume") - pl.col("usual_volume")) / pl.col("volume_scale"),
    )


def _withheld_deviations(
    withheld: pl.DataFrame, states: pl.DataFrame, market: pl.DataFrame
) -> pl.DataFrame:
    """Return the deviations of withheld bars from the clean past; splits in between carried on."""
    past = states.select("symbol", "session", *_NEXT_TO).rename(_NEXT_TO)
    rows = withheld.sort("symbol", "session").join_asof(
        past.sort("symbol", "session"),
        on="session",
        by="symbol",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    split = pl.when(pl.col("split_coefficient") > 0).then("split_coefficient").otherwise(1.0)
    rows = rows.with_columns(ratio=split.cum_prod().over("symbol", "last_ordinal"))
    paid = pl.max_horizontal(pl.col("dividend_amount"), 0.0)
    growth = (pl.col("close") + paid) * pl.col("ratio") / pl.col("last_close")
    return _deviations(_less_market(_moves(rows, growth=growth, ratio=pl.col("ratio")), market))


def _spread(judged: pl.DataFrame) -> pl.DataFrame:
    """Return each session's spread of deviations over symbols and its median levels.

    The spread is at least one: a calm day makes no ordinary move remarkable. On a day when all
    moves, symbols differ in how strongly, which the upper tenth tells better than the median.
    """
    is_market = pl.col("step_return").count() >= FEWEST_SYMBOLS
    size = pl.col("step_return").abs()
    spread = pl.max_horizontal(
        MAD_TO_DEVIATION * size.median(), size.quantile(0.9) / USUAL_UPPER_TENTH, 1.0
    )
    return judged.group_by("session").agg(
        pl.when(is_market).then(spread).otherwise(1.0).alias("spread"),
        *(
            pl.when(is_market).then(pl.col(name).median()).otherwise(0.0).alias(f"market_{name}")
            for name in LEVELS
        ),
    )


def _profile(rows: pl.DataFrame, spread: pl.DataFrame, *, is_clean: bool) -> pl.DataFrame:
    """Return the profiles of rows, in the spread of their session; all six, or none."""
    volume_score = pl.col("volume") - pl.col("market_volume").fill_null(0.0)
    moves = {name: pl.col(name) / pl.col("spread").fill_null(1.0) for name in LOG_MOVES}
    values = {
        "return_score": moves["step_return"],
        "gap_score": moves["gap"],
        "intraday_score": moves["intraday"],
        "range_score": pl.col("range") - pl.col("market_range").fill_null(0.0),
        "volume_score": volume_score,
        "quiet_move_score": moves["step_return"].abs() / (1 + pl.max_horizontal(volume_score, 0.0)),
    }
    found = rows.join(spread, on="session", how="left", maintain_order="left").select(
        "symbol",
        "session",
        pl.lit(is_clean).alias("is_clean"),
        "log_return",
        pl.col("volume").round_sig_figs(SIGNIFICANT_DIGITS).alias("volume_z_score"),
        *(value.cast(pl.Float32).alias(name) for name, value in values.items()),
    )
    is_whole = pl.all_horizontal(pl.col(name).is_finite() for name in PROFILE_NAMES)
    return found.with_columns(
        pl.when(is_whole.fill_null(value=False)).then(pl.col(name)).alias(name)
        for name in PROFILE_NAMES
    )
