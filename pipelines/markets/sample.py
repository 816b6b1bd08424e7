"""The sample market: five real symbols, 2000-03-01 to 2013-03-01, from bokeh-sampledata.

The recording holds bars as traded and one adjusted close, no splits and no dividends. Both stand in
the ratio adjusted / traded close: it is constant but for the sessions on which one takes effect.
"""

import gzip
from fractions import Fraction
from importlib.resources import files

import polars as pl

from pipelines.markets.recorded import RecordedMarket, with_adjusted_close
from pipelines.markets.sample_indexes import load_sample_indexes

RATIO_NOISE = 1e-9
"""Steps of the ratio smaller than this are rounding: measured 1e-13, the smallest dividend 1e-3."""
SMALLEST_SPLIT = 1.19
"""From here on a step is a split (6 for 5 is the smallest in use); below 1 it is a reverse split.
The largest dividend recorded, MSFT's special one of 2004-11-15, makes a step of 1.112."""
LARGEST_SPLIT_TERM = 50
DIVIDEND_DECIMALS = 4
"""Decimals of a dividend at the vendor."""

_RECORDED_NAMES = {
    "Ticker": "symbol",
    "Date": "session",
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Volume": "volume",
    "Adj Close": "recorded_adjusted_close",
}


def load_sample_market() -> RecordedMarket:
    """Return the recorded market, with the splits and dividends its ratio tells of.

    Dividends come out within a cent or two of the declared ones (AAPL 2012-08-09: 2.635 for 2.65),
    since the recording's own adjustment is that coarse.
    """
    bars = recorded_bars().with_columns(
        step_of_adjustment().over("symbol", order_by="session").alias("step"),
        pl.col("close").shift(1).over("symbol", order_by="session").alias("close_before"),
    )
    is_split = (pl.col("step") >= SMALLEST_SPLIT) | (pl.col("step") < 1 - RATIO_NOISE)
    is_dividend = ~is_split & (pl.col("step") > 1 + RATIO_NOISE)
    dividend = (pl.col("close_before") * (1 - 1 / pl.col("step"))).round(DIVIDEND_DECIMALS)
    split = pl.col("step").map_elements(split_coefficient, return_dtype=pl.Float64)
    events = bars.with_columns(
        dividend_amount=pl.when(is_dividend).then(dividend).otherwise(0.0),
        split_coefficient=pl.lit(1.0),
    )
    splits = events.filter(is_split).select("symbol", "session", split_coefficient=split)
    return RecordedMarket(
        name="sample",
        exchange="XNYS",
        bars=with_adjusted_close(events.update(splits, on=["symbol", "session"])),
        indexes=load_sample_indexes(),
    )


def recorded_bars() -> pl.DataFrame:
    """Return the recording under our column names, untouched."""
    recording = files("bokeh_sampledata").joinpath("_data", "stocks.csv.gz").read_bytes()
    frame = pl.read_csv(gzip.decompress(recording), try_parse_dates=True)
    return frame.rename(_RECORDED_NAMES).select(_RECORDED_NAMES.values())


def step_of_adjustment() -> pl.Expr:
    """Return by how much the ratio adjusted / traded close grows from one session to the next."""
    ratio = pl.col("recorded_adjusted_close") / pl.col("close")
    return (ratio / ratio.shift(1)).fill_null(1.0)


def split_coefficient(step: float) -> float:
    """Return the split that a step of the ratio stands for.

    Raises:
        ValueError: the step is no ratio of small whole numbers, so it is not a split alone.
    """
    nearest = Fraction(step).limit_denominator(LARGEST_SPLIT_TERM)
    if abs(step / float(nearest) - 1) > RATIO_NOISE:
        message = (
            f"a step of {step} in the adjustment is neither a dividend (below {SMALLEST_SPLIT}) "
            f"nor a split of at most {LARGEST_SPLIT_TERM} old shares: look at the recording"
        )
        raise ValueError(message)
    return float(nearest)
