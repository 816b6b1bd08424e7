"""The features of `liquidity_features`: what trading costs, and how much is traded.

The vendor's bars hold no quotes and no shares outstanding: spreads are estimated from prices, and
turnover is volume beside the symbol's own.
"""

from pipelines.features.groups import RATIO, Feature, FeatureGroup
from pipelines.features.language import (
    close,
    count,
    covariance,
    delay,
    dollar_volume,
    exp,
    high,
    larger,
    log,
    low,
    mean,
    slope,
    smaller,
    sqrt,
    std,
    volume,
)
from pipelines.features.terms import total_return

_AMIHUD = "Amihud (2002), Illiquidity and Stock Returns"
_price_impact = abs(total_return(1)) / dollar_volume

# Corwin and Schultz: the range of two days holds the variance of two days and one spread, that of
# each day the variance of one and the same spread.
_BETA_WEIGHT = 3 - 2 * 2**0.5
_two_ranges = log(high / low) * log(high / low) + log(delay(high, 1) / delay(low, 1)) * log(
    delay(high, 1) / delay(low, 1)
)
_joint_range = log(larger(high, delay(high, 1)) / smaller(low, delay(low, 1)))
_alpha = (2**0.5 - 1) * sqrt(_two_ranges) / _BETA_WEIGHT - _joint_range / _BETA_WEIGHT**0.5
_daily_spread = larger(2 * (exp(_alpha) - 1) / (1 + exp(_alpha)), 0)

# Abdi and Ranaldo: the close lies half a spread off the middle, on either side; the product with
# the next day's middle leaves its square. Shifted by a day, so that no later price is read.
_middle = (log(high) + log(low)) / 2
_before = delay(log(close), 1)
_squared_half_spread = (_before - delay(_middle, 1)) * (_before - _middle)

_log_change = log(close / delay(close, 1))

LIQUIDITY = FeatureGroup(
    name="liquidity_features",
    description="Cost of trading, estimated from prices and volume, and how much is traded.",
    features=(
        Feature(
            name="illiquidity_20",
            expression=log(mean(_price_impact, 20)),
            unit="log of 1 / currency",
            description="Log of the mean move per traded unit of currency, twenty sessions.",
            source=_AMIHUD,
        ),
        Feature(
            name="illiquidity_ratio_5_60",
            expression=mean(_price_impact, 5) / mean(_price_impact, 60),
            unit=RATIO,
            description="Move per traded value of five sessions over that of sixty.",
            source=_AMIHUD,
            bounds=(0, 12),
        ),
        Feature(
            name="dollar_volume_20",
            expression=log(mean(dollar_volume, 20)),
            unit="log of currency",
            description="Log of the mean traded value of twenty sessions.",
            source="Brennan, Chordia and Subrahmanyam (1998), Alternative Factor Specifications",
        ),
        Feature(
            name="dollar_volume_variation_20",
            expression=std(dollar_volume, 20) / mean(dollar_volume, 20),
            unit=RATIO,
            description="Deviation of the traded value over its mean, twenty sessions.",
            source="Chordia, Subrahmanyam and Anshuman (2001), Trading Activity and Returns",
            # One session with all the volume has the greatest deviation: sqrt(n).
            bounds=(0, 20**0.5),
        ),
        Feature(
            name="turnover_5_250",
            expression=mean(volume, 5) / mean(volume, 250),
            unit=RATIO,
            description="Mean volume of five sessions over that of a year.",
            source="Lee and Swaminathan (2000), Price Momentum and Trading Volume",
            bounds=(0, 50),
        ),
        Feature(
            name="turnover_60_250",
            expression=mean(volume, 60) / mean(volume, 250),
            unit=RATIO,
            description="Mean volume of a quarter over that of a year.",
            source="Lee and Swaminathan (2000), Price Momentum and Trading Volume",
            bounds=(0, 250 / 60),
        ),
        Feature(
            name="volume_trend_20",
            expression=slope(volume, 20) / mean(volume, 20),
            unit="fraction per session",
            description="Slope of the volume of twenty sessions over its mean.",
            source="Blume, Easley and O'Hara (1994), Market Statistics and Technical Analysis",
        ),
        Feature(
            name="unchanged_share_60",
            expression=count(abs(close - delay(close, 1)) <= 0, 60) / 60,
            unit="share of sessions",
            description="Share of sixty sessions whose close did not move.",
            source="Lesmond, Ogden and Trzcinka (1999), A New Estimate of Transaction Costs",
            bounds=(0, 1),
        ),
        Feature(
            name="spread_high_low_20",
            expression=mean(_daily_spread, 20),
            unit="fraction of the price",
            description="Bid-ask spread estimated from daily ranges, mean of twenty sessions.",
            source="Corwin and Schultz (2012), A Simple Way to Estimate Bid-Ask Spreads",
            bounds=(0, 2),
        ),
        Feature(
            name="spread_close_high_low_20",
            expression=2 * sqrt(larger(mean(_squared_half_spread, 20), 0)),
            unit="fraction of the price",
            description="Bid-ask spread estimated from closes and middles of twenty sessions.",
            source="Abdi and Ranaldo (2017), A Simple Estimation of Bid-Ask Spreads",
            bounds=(0, None),
        ),
        Feature(
            name="spread_covariance_20",
            expression=2 * sqrt(larger(-covariance(_log_change, delay(_log_change, 1), 20), 0)),
            unit="fraction of the price",
            description="Bid-ask spread that the reversal of successive returns implies.",
            source="Roll (1984), A Simple Implicit Measure of the Effective Bid-Ask Spread",
            bounds=(0, None),
        ),
    ),
)
