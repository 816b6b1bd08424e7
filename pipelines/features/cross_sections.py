"""The features of `cross_section_features`: a symbol among all symbols of its session.

They depend on which symbols the lake holds: a symbol that is added changes the sessions in which
it has rows, and no earlier ones.
"""

from pipelines.features.expressions import Expression
from pipelines.features.groups import FRACTION, Feature, FeatureGroup
from pipelines.features.language import close, delay, dollar_volume, mean, rank, session_mean
from pipelines.features.terms import total_return, volatility, volume_ratio

_PLACE = "place, 0 the least to 1 the greatest"
_SHARPE = "Sharpe (1964), Capital Asset Prices: the return that is not the market's"
_HAMEED = "Hameed and Mian (2015), Industries and Stock Return Reversals"


def _rank(name: str, value: Expression, *, description: str, source: str) -> Feature:
    """Describe a place among the session's symbols."""
    return Feature(name, rank(value), _PLACE, description, source, bounds=(0, 1))


def _market_relative(sessions: int, *, description: str, source: str) -> Feature:
    """Describe a return less the equal-weight mean of the session's symbols."""
    value = total_return(sessions) - session_mean(total_return(sessions))
    return Feature(f"market_relative_return_{sessions}", value, FRACTION, description, source)


CROSS_SECTIONS = FeatureGroup(
    name="cross_section_features",
    description="Each symbol's place among all symbols of its session, and the market's breadth.",
    features=(
        _market_relative(
            1,
            description="Return of the last session less the mean of all symbols.",
            source=_SHARPE,
        ),
        _market_relative(
            5,
            description="Return of five sessions less the mean of all symbols.",
            source=_HAMEED,
        ),
        _market_relative(
            20,
            description="Return of twenty sessions less the mean of all symbols.",
            source="Moskowitz and Grinblatt (1999), Do Industries Explain Momentum?",
        ),
        _rank(
            "return_rank_1",
            total_return(1),
            description="Place by the return of the last session.",
            source="Jegadeesh (1990), Evidence of Predictable Behavior of Security Returns",
        ),
        _rank(
            "return_rank_5",
            total_return(5),
            description="Place by the return of five sessions.",
            source="Lehmann (1990), Fads, Martingales, and Market Efficiency",
        ),
        _rank(
            "return_rank_20",
            total_return(20),
            description="Place by the return of twenty sessions.",
            source="Jegadeesh and Titman (1993), Returns to Buying Winners and Selling Losers",
        ),
        _rank(
            "volatility_rank_20",
            volatility(20),
            description="Place by the volatility of twenty sessions.",
            source="Ang, Hodrick, Xing and Zhang (2006), The Cross-Section of Volatility",
        ),
        _rank(
            "volume_ratio_rank_20",
            volume_ratio(20),
            description="Place by volume over its twenty-session mean.",
            source="Gervais, Kaniel and Mingelgrin (2001), The High-Volume Return Premium",
        ),
        _rank(
            "illiquidity_rank_20",
            mean(abs(total_return(1)) / dollar_volume, 20),
            description="Place by the price move that a traded dollar makes, over twenty sessions.",
            source="Amihud (2002), Illiquidity and Stock Returns",
        ),
        Feature(
            name="market_breadth",
            expression=session_mean(close > delay(close, 1)),
            unit="share of symbols",
            description="Share of all symbols that closed higher.",
            source="Zaremba, Szyszka, Karathanasopoulos and Mikutowski (2021), Market Breadth",
            bounds=(0, 1),
        ),
    ),
)
