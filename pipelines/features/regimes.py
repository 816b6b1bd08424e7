"""The features of regimes: what the filter held of the market and of a symbol after a session.

They are read of `regime_states`, which a night tells by a model that was fitted before the session
and filters through it, never later. A session of which no night has told has none, nor has one of
which the night abstained.
"""

from dataclasses import dataclass

from pipelines.features.expressions import Column, Expression
from pipelines.features.groups import Feature, FeatureGroup
from pipelines.features.language import (
    bearish_chance,
    bullish_chance,
    expected_sessions,
    larger,
    log,
    market_bearish_chance,
    market_bullish_chance,
    market_expected_sessions,
    market_regime_log_score,
    market_sessions_in_regime,
    market_sideways_chance,
    market_transition_risk,
    market_volatile_chance,
    regime_log_score,
    sessions_in_regime,
    sideways_chance,
    transition_risk,
    volatile_chance,
    where,
)

_HAMILTON = "Hamilton (1989), A New Approach to the Economic Analysis of Nonstationary Time Series"
_ANG = "Ang and Timmermann (2012), Regime Changes and Financial Markets"
_DURLAND = "Durland and McCurdy (1994), Duration-Dependent Transitions in a Markov Model"
_SHANNON = "Shannon (1948), A Mathematical Theory of Communication"
_GOOD = "Good (1952), Rational Decisions: the logarithmic score"
_PROBABILITY = "probability"
_SESSIONS = "sessions"


@dataclass(frozen=True)
class _Told:
    """What is told of one series after a session."""

    whose: str
    prefix: str
    chances: tuple[Column, Column, Column, Column]
    age: Column
    expected: Column
    risk: Column
    log_score: Column

    @property
    def balance(self) -> Expression:
        """How much likelier a rise is than a fall."""
        return self.chances[0] - self.chances[1]

    def features(self) -> tuple[Feature, ...]:
        """Return the features that are made of it alone."""
        return (*self._chances(), *self._opinion(), *self._course())

    def _chances(self) -> tuple[Feature, ...]:
        """Return the chance of each name."""
        return tuple(
            Feature(
                name=f"{self.prefix}{name}_probability",
                expression=chance,
                unit=_PROBABILITY,
                description=f"Filtered chance that {self.whose} is in a {name} regime.",
                source=_HAMILTON,
                bounds=(0, 1),
            )
            for name, chance in zip(
                ("bullish", "bearish", "sideways", "volatile"), self.chances, strict=True
            )
        )

    def _opinion(self) -> tuple[Feature, ...]:
        """Return which way the chances lean, and how sure they are."""
        return (
            Feature(
                name=f"{self.prefix}regime_balance",
                expression=self.balance,
                unit=_PROBABILITY,
                description=f"Chance of a bullish regime of {self.whose} less a bearish one's.",
                source=_ANG,
                bounds=(-1, 1),
            ),
            Feature(
                name=f"{self.prefix}regime_entropy",
                expression=_entropy(self.chances),
                unit="nats",
                description=f"How unsure the regime of {self.whose} is: 0 sure, 1.386 not at all.",
                source=_SHANNON,
                bounds=(0, 1.3863),
            ),
        )

    def _course(self) -> tuple[Feature, ...]:
        """Return how long the regime has stood and should stand, and how usual the session was."""
        return (
            Feature(
                name=f"{self.prefix}regime_age",
                expression=self.age,
                unit=_SESSIONS,
                description=f"Sessions since the name of the regime of {self.whose} last changed.",
                source=_DURLAND,
                bounds=(1, None),
            ),
            Feature(
                name=f"{self.prefix}regime_expected_sessions",
                expression=self.expected,
                unit=_SESSIONS,
                description=f"Sessions that the regime of {self.whose} should go on.",
                source=_HAMILTON,
                bounds=(0, None),
            ),
            Feature(
                name=f"{self.prefix}transition_risk",
                expression=self.risk,
                unit=_PROBABILITY,
                description=f"Chance that the regime of {self.whose} ends within five sessions.",
                source=_HAMILTON,
                bounds=(0, 1),
            ),
            Feature(
                name=f"{self.prefix}regime_surprise",
                expression=-self.log_score,
                unit="nats",
                description=f"How little the return of {self.whose} was foretold by its regimes.",
                source=_GOOD,
            ),
        )


def _entropy(chances: tuple[Column, ...]) -> Expression:
    """Return the entropy of four chances, where none counts as nothing."""
    first, *others = (where(chance > 0, chance * log(chance), 0) for chance in chances)
    negative = first
    for term in others:
        negative = negative + term
    return larger(-negative, 0)


_SYMBOL = _Told(
    "the symbol",
    "",
    (bullish_chance, bearish_chance, sideways_chance, volatile_chance),
    sessions_in_regime,
    expected_sessions,
    transition_risk,
    regime_log_score,
)
_MARKET = _Told(
    "the market",
    "market_",
    (
        market_bullish_chance,
        market_bearish_chance,
        market_sideways_chance,
        market_volatile_chance,
    ),
    market_sessions_in_regime,
    market_expected_sessions,
    market_transition_risk,
    market_regime_log_score,
)

SYMBOL_REGIMES = FeatureGroup(
    name="symbol_regime_features",
    description="What the filter holds of a symbol's regime after each session that was told.",
    features=_SYMBOL.features(),
)

MARKET_REGIMES = FeatureGroup(
    name="market_regime_features",
    description="What the filter holds of the market's regime, and how a symbol's lies to it.",
    features=(
        *_MARKET.features(),
        Feature(
            name="regime_agreement",
            expression=bullish_chance * market_bullish_chance
            + bearish_chance * market_bearish_chance
            + sideways_chance * market_sideways_chance
            + volatile_chance * market_volatile_chance,
            unit=_PROBABILITY,
            description="Chance that symbol and market are in regimes of one name, were they "
            "independent.",
            source=_ANG,
            bounds=(0, 1),
        ),
        Feature(
            name="regime_balance_to_market",
            expression=_SYMBOL.balance - _MARKET.balance,
            unit=_PROBABILITY,
            description="Balance of the symbol's regimes less the market's.",
            source=_ANG,
            bounds=(-2, 2),
        ),
    ),
)

REGIME_GROUPS = (SYMBOL_REGIMES, MARKET_REGIMES)
