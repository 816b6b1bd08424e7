"""The features of `technical_features`: trend, reversal, volatility, range and volume."""

from pipelines.features.groups import FRACTION, RATIO, Feature, FeatureGroup
from pipelines.features.language import (
    close,
    delay,
    high,
    larger,
    low,
    maximum,
    mean,
    open,  # noqa: A004 - the market's word; this module opens no file
    smaller,
    std,
    wilder,
)
from pipelines.features.terms import total_return, volatility, volume_ratio

_LO_MACKINLAY = "Lo and MacKinlay (1988), Stock Market Prices Do Not Follow Random Walks"

_gain = larger(close - delay(close, 1), 0)
_true_range = larger(high, delay(close, 1)) - smaller(low, delay(close, 1))

TECHNICAL = FeatureGroup(
    name="technical_features",
    description="Trend, reversal, volatility, range and volume of each symbol, from daily bars.",
    features=(
        Feature(
            name="return_1",
            expression=total_return(1),
            unit=FRACTION,
            description="Total return of the last session.",
            source="Jegadeesh (1990), Evidence of Predictable Behavior of Security Returns",
            bounds=(-1, None),
        ),
        Feature(
            name="return_5",
            expression=total_return(5),
            unit=FRACTION,
            description="Total return of the last five sessions.",
            source="Lehmann (1990), Fads, Martingales, and Market Efficiency",
            bounds=(-1, None),
        ),
        Feature(
            name="return_20",
            expression=total_return(20),
            unit=FRACTION,
            description="Total return of the last twenty sessions.",
            source="Jegadeesh and Titman (1993), Returns to Buying Winners and Selling Losers",
            bounds=(-1, None),
        ),
        Feature(
            name="distance_to_mean_5",
            expression=close / mean(close, 5) - 1,
            unit=FRACTION,
            description="Distance of the close from its five-session mean.",
            source=_LO_MACKINLAY,
            bounds=(-1, 4),
        ),
        Feature(
            name="distance_to_mean_50",
            expression=close / mean(close, 50) - 1,
            unit=FRACTION,
            description="Distance of the close from its fifty-session mean.",
            source="Brock, Lakonishok and LeBaron (1992), Simple Technical Trading Rules",
            bounds=(-1, 49),
        ),
        Feature(
            name="mean_spread_12_26",
            expression=(mean(close, 12) - mean(close, 26)) / close,
            unit=FRACTION,
            description="Twelve-session mean less the 26-session mean, as a share of the close.",
            source="Appel (1979), MACD, with simple in place of exponential means",
        ),
        Feature(
            name="bollinger_position_20",
            expression=(close - mean(close, 20)) / (2 * std(close, 20)),
            unit="half-widths of the band",
            description="Place of the close in its Bollinger band: 1 at the upper edge, -1 lower.",
            source="Bollinger (1992), Using Bollinger Bands",
            # A value lies at most (n - 1) / sqrt(n) sample deviations from the mean of its n.
            bounds=(-19 / 20**0.5 / 2, 19 / 20**0.5 / 2),
        ),
        Feature(
            name="relative_strength_14",
            expression=100 * wilder(_gain, 14) / wilder(abs(close - delay(close, 1)), 14),
            unit="index points",
            description="Share of upward moves in all moves, smoothed over fourteen sessions.",
            source="Wilder (1978), New Concepts in Technical Trading Systems: RSI",
            bounds=(0, 100),
        ),
        Feature(
            name="distance_to_maximum_60",
            expression=close / maximum(close, 60) - 1,
            unit=FRACTION,
            description="Distance of the close from its highest close of sixty sessions.",
            source="George and Hwang (2004), The 52-Week High and Momentum Investing",
            bounds=(-1, 0),
        ),
        Feature(
            name="volatility_20",
            expression=volatility(20),
            unit="fraction per session",
            description="Standard deviation of twenty daily returns.",
            source="Ang, Hodrick, Xing and Zhang (2006), The Cross-Section of Volatility",
            bounds=(0, None),
        ),
        Feature(
            name="volatility_ratio_5_20",
            expression=volatility(5) / volatility(20),
            unit=RATIO,
            description="Volatility of five sessions over that of twenty: is the market waking up?",
            source="Engle (1982), Autoregressive Conditional Heteroscedasticity",
            # The squared deviations of the last 5 are part of those of all 20: s5² x 4 ≤ s20² x 19.
            bounds=(0, (19 / 4) ** 0.5),
        ),
        Feature(
            name="true_range_14",
            expression=wilder(_true_range, 14) / close,
            unit=FRACTION,
            description="True range smoothed over fourteen sessions, as a share of the close.",
            source="Wilder (1978), New Concepts in Technical Trading Systems: average true range",
            bounds=(0, None),
        ),
        Feature(
            name="overnight_gap",
            expression=open / delay(close, 1) - 1,
            unit=FRACTION,
            description="Total return from the previous close to the open.",
            source="Lou, Polk and Skouras (2019), A Tug of War: Overnight Versus Intraday Returns",
            bounds=(-1, None),
        ),
        Feature(
            name="close_location",
            expression=(2 * close - high - low) / (high - low),
            unit="half-widths of the range",
            description="Place of the close in the day's range: 1 at the high, -1 at the low.",
            source="Chaikin (1982), the close location value of accumulation/distribution",
            bounds=(-1, 1),
        ),
        Feature(
            name="volume_ratio_20",
            expression=volume_ratio(20),
            unit=RATIO,
            description="Volume over its twenty-session mean.",
            source="Gervais, Kaniel and Mingelgrin (2001), The High-Volume Return Premium",
            bounds=(0, 20),
        ),
    ),
)
