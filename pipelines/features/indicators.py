"""The features of `indicator_features`: the backend's indicators, and what a longer past tells."""

import math

from pipelines.features.groups import FRACTION, Feature, FeatureGroup
from pipelines.features.language import (
    close,
    count,
    delay,
    delta,
    ema,
    high,
    log,
    low,
    maximum,
    mean,
    minimum,
    open,  # noqa: A004 - the market's word; this module opens no file
    sign,
    sqrt,
    std,
    total,
    volume,
)
from pipelines.features.terms import total_return

_PER_SESSION = "fraction per session"
_APPEL = "Appel (2005), Technical Analysis: Power Tools for Active Investors: MACD"
_HIGH_52_WEEKS = "George and Hwang (2004), The 52-Week High and Momentum Investing"
_MOVING_AVERAGES = "Brock, Lakonishok and LeBaron (1992), Simple Technical Trading Rules"

_macd = ema(close, 12) - ema(close, 26)
_macd_signal = ema(_macd, 9)
_log_range_squared = log(high / low) * log(high / low)
_log_body_squared = log(close / open) * log(close / open)
_garman_klass = _log_range_squared / 2 - (2 * math.log(2) - 1) * _log_body_squared
_squared_return = total_return(1) * total_return(1)
_realized_variance = total(_squared_return, 20)

INDICATORS = FeatureGroup(
    name="indicator_features",
    description="Indicators of the trading backend, range-based volatility, and longer trends.",
    features=(
        Feature(
            name="macd_line_12_26",
            expression=_macd / close,
            unit=FRACTION,
            description="MACD: twelve-session exponential mean less the 26-session one, by close.",
            source=_APPEL,
        ),
        Feature(
            name="macd_signal_9",
            expression=_macd_signal / close,
            unit=FRACTION,
            description="Nine-session exponential mean of the MACD line, by close.",
            source=_APPEL,
        ),
        Feature(
            name="macd_histogram_9",
            expression=(_macd - _macd_signal) / close,
            unit=FRACTION,
            description="MACD line less its signal, by close.",
            source=_APPEL,
        ),
        Feature(
            name="distance_to_ema_12",
            expression=close / ema(close, 12) - 1,
            unit=FRACTION,
            description="Distance of the close from its twelve-session exponential mean.",
            source=_APPEL,
            # The close is a part of the mean, with a weight of 2 / 13 or a little more.
            bounds=(-1, 13 / 2 - 1),
        ),
        Feature(
            name="distance_to_ema_26",
            expression=close / ema(close, 26) - 1,
            unit=FRACTION,
            description="Distance of the close from its 26-session exponential mean.",
            source=_APPEL,
            bounds=(-1, 27 / 2 - 1),
        ),
        Feature(
            name="distance_to_mean_10",
            expression=close / mean(close, 10) - 1,
            unit=FRACTION,
            description="Distance of the close from its ten-session mean.",
            source=_MOVING_AVERAGES,
            bounds=(-1, 9),
        ),
        Feature(
            name="distance_to_mean_20",
            expression=close / mean(close, 20) - 1,
            unit=FRACTION,
            description="Distance of the close from its twenty-session mean.",
            source=_MOVING_AVERAGES,
            bounds=(-1, 19),
        ),
        Feature(
            name="bollinger_width_20",
            expression=4 * std(close, 20) / mean(close, 20),
            unit=FRACTION,
            description="Width of the Bollinger band, two deviations either side, by its middle.",
            source="Bollinger (1992), Using Bollinger Bands",
            # Of n positive values the deviation is at most sqrt(n) means: all but one are zero.
            bounds=(0, 4 * 20**0.5),
        ),
        Feature(
            name="on_balance_volume_20",
            expression=total(sign(delta(close, 1)) * volume, 20) / total(volume, 20),
            unit="share of volume",
            description="Volume of rising less that of falling sessions, by all volume of twenty.",
            source="Granville (1963), New Key to Stock Market Profits: on-balance volume",
            bounds=(-1, 1),
        ),
        Feature(
            name="parkinson_volatility_20",
            expression=sqrt(mean(_log_range_squared, 20) / (4 * math.log(2))),
            unit=_PER_SESSION,
            description="Volatility of twenty sessions from their highs and lows.",
            source="Parkinson (1980), The Extreme Value Method for Estimating the Variance",
            bounds=(0, None),
        ),
        Feature(
            name="garman_klass_volatility_20",
            expression=sqrt(mean(_garman_klass, 20)),
            unit=_PER_SESSION,
            description="Volatility of twenty sessions from open, high, low and close.",
            source="Garman and Klass (1980), On the Estimation of Security Price Volatilities",
            bounds=(0, None),
        ),
        Feature(
            name="realized_skewness_20",
            expression=20**0.5
            * total(_squared_return * total_return(1), 20)
            / (_realized_variance * sqrt(_realized_variance)),
            unit="standardised third moment",
            description="Whether the large moves of twenty sessions went up or down.",
            source="Amaya, Christoffersen, Jacobs and Vasquez (2015), Realized Skewness",
            bounds=(-(20**0.5), 20**0.5),
        ),
        Feature(
            name="up_share_20",
            expression=count(close > delay(close, 1), 20) / 20,
            unit="share of sessions",
            description="Share of twenty sessions that closed higher.",
            source="Da, Gurun and Warachka (2014), Frog in the Pan",
            bounds=(0, 1),
        ),
        Feature(
            name="distance_to_minimum_20",
            expression=close / minimum(close, 20) - 1,
            unit=FRACTION,
            description="Distance of the close from its lowest close of twenty sessions.",
            source="Brock, Lakonishok and LeBaron (1992): trading range break",
            bounds=(0, None),
        ),
        Feature(
            name="distance_to_maximum_250",
            expression=close / maximum(close, 250) - 1,
            unit=FRACTION,
            description="Distance of the close from its highest close of 250 sessions.",
            source=_HIGH_52_WEEKS,
            bounds=(-1, 0),
        ),
        Feature(
            name="momentum_250_20",
            expression=delay(close, 20) / delay(close, 250) - 1,
            unit=FRACTION,
            description="12-1 momentum: total return of 250 sessions without the last twenty.",
            source="Jegadeesh and Titman (1993), Returns to Buying Winners and Selling Losers",
            bounds=(-1, None),
        ),
    ),
)
