"""The features of `standardized_features`: how far a symbol lies from the mean of its session.

Ranks say where a symbol stands, these say by how much, in standard deviations of all symbols.
"""

from pipelines.features.expressions import Expression
from pipelines.features.groups import Feature, FeatureGroup
from pipelines.features.language import (
    close,
    delay,
    dollar_volume,
    high,
    log,
    low,
    maximum,
    mean,
    minimum,
    zscore,
)
from pipelines.features.terms import total_return, volatility, volume_ratio

_DEVIATIONS = "standard deviations of the session"
_JEGADEESH = "Jegadeesh and Titman (1993), Returns to Buying Winners and Selling Losers"
_ANG = "Ang, Hodrick, Xing and Zhang (2006), The Cross-Section of Volatility"


def _standardized(name: str, value: Expression, description: str, source: str) -> Feature:
    return Feature(f"{name}_zscore", zscore(value), _DEVIATIONS, description, source)


STANDARDIZED = FeatureGroup(
    name="standardized_features",
    description="Each symbol's distance from the mean of its session, in standard deviations.",
    features=(
        _standardized(
            "return_1",
            total_return(1),
            "Return of the last session, against all symbols.",
            "Jegadeesh (1990), Evidence of Predictable Behavior of Security Returns",
        ),
        _standardized(
            "return_5",
            total_return(5),
            "Return of five sessions, against all symbols.",
            "Lehmann (1990), Fads, Martingales, and Market Efficiency",
        ),
        _standardized(
            "return_20",
            total_return(20),
            "Return of twenty sessions, against all symbols.",
            _JEGADEESH,
        ),
        _standardized(
            "return_60",
            total_return(60),
            "Return of sixty sessions, against all symbols.",
            _JEGADEESH,
        ),
        _standardized(
            "momentum_250_20",
            delay(close, 20) / delay(close, 250) - 1,
            "Return from 250 to 20 sessions ago, against all symbols.",
            _JEGADEESH,
        ),
        _standardized(
            "distance_to_maximum_250",
            close / maximum(close, 250) - 1,
            "Distance from the highest close of a year, against all symbols.",
            "George and Hwang (2004), The 52-Week High and Momentum Investing",
        ),
        _standardized(
            "volatility_20",
            volatility(20),
            "Volatility of twenty sessions, against all symbols.",
            _ANG,
        ),
        _standardized(
            "volatility_60",
            volatility(60),
            "Volatility of sixty sessions, against all symbols.",
            _ANG,
        ),
        _standardized(
            "greatest_return_20",
            maximum(total_return(1), 20),
            "Highest daily return of twenty sessions, against all symbols.",
            "Bali, Cakici and Whitelaw (2011), Maxing Out",
        ),
        _standardized(
            "least_return_20",
            minimum(total_return(1), 20),
            "Lowest daily return of twenty sessions, against all symbols.",
            "Bali, Cakici and Whitelaw (2011), Maxing Out",
        ),
        _standardized(
            "range_20",
            mean(high / low - 1, 20),
            "Mean daily range of twenty sessions, against all symbols.",
            "Parkinson (1980), The Extreme Value Method for Estimating the Variance",
        ),
        _standardized(
            "volume_ratio_20",
            volume_ratio(20),
            "Volume over its twenty-session mean, against all symbols.",
            "Gervais, Kaniel and Mingelgrin (2001), The High-Volume Return Premium",
        ),
        _standardized(
            "dollar_volume_20",
            log(mean(dollar_volume, 20)),
            "Log of the mean traded value of twenty sessions, against all symbols.",
            "Brennan, Chordia and Subrahmanyam (1998), Alternative Factor Specifications",
        ),
        _standardized(
            "illiquidity_20",
            log(mean(abs(total_return(1)) / dollar_volume, 20)),
            "Log of the mean move per traded value, against all symbols.",
            "Amihud (2002), Illiquidity and Stock Returns",
        ),
    ),
)
