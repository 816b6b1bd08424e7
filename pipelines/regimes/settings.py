"""What may be chosen about regimes: candidate models, windows, and how a label changes."""

import hashlib
from dataclasses import asdict, dataclass
from enum import StrEnum

MARKET_RETURN = "market_return"
"""Always the first column: models are scored by the density they give it."""
RETURN_ONLY = (MARKET_RETURN,)
RETURN_AND_RANGE = (MARKET_RETURN, "log_range")
RETURNS_AND_RANGE = (MARKET_RETURN, "companion_return", "log_range")
"""Where something moves beside the market: another index, or the universe."""
RETURN_AND_IMPLIED = (MARKET_RETURN, "log_implied_volatility")
"""Where an index of implied volatility is known."""
SMOOTHED = (MARKET_RETURN, "log_range", "log_volatility", "trend")
SMOOTHED_BOTH = (*SMOOTHED, "companion_volatility", "companion_trend")

CODE_REVISION = "2"
"""Another one when the same settings and data give another fit."""


class Family(StrEnum):
    """How the states of a model are found."""

    HIDDEN_MARKOV = "hidden_markov"
    MIXTURE = "gaussian_mixture"
    KMEANS = "pca_kmeans"


@dataclass(frozen=True)
class Candidate:
    """One model that may be chosen: how its states are found, how many, and in which columns."""

    family: Family
    states: int
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """The candidate in words, such as hidden_markov_3 (market_return)."""
        return f"{self.family.value}_{self.states} ({', '.join(self.columns)})"


BASELINE = Candidate(Family.HIDDEN_MARKOV, 1, RETURN_ONLY)
"""One state: the market is always the same. It stands in for a candidate without a usable fit."""

CANDIDATES = (
    BASELINE,
    *(Candidate(Family.HIDDEN_MARKOV, states, RETURN_ONLY) for states in (2, 3, 4)),
    *(Candidate(Family.HIDDEN_MARKOV, states, RETURN_AND_RANGE) for states in (2, 3, 4)),
    Candidate(Family.HIDDEN_MARKOV, 3, RETURNS_AND_RANGE),
    *(Candidate(Family.HIDDEN_MARKOV, states, RETURN_AND_IMPLIED) for states in (2, 3)),
    *(Candidate(Family.MIXTURE, states, SMOOTHED) for states in (2, 3, 4)),
    *(Candidate(Family.KMEANS, states, SMOOTHED) for states in (2, 3, 4)),
    *(Candidate(Family.KMEANS, states, SMOOTHED_BOTH) for states in (3, 4)),
)


@dataclass(frozen=True)
class RegimeSettings:
    """How regimes are fitted and told.

    Attributes:
        candidates: Models to choose from.
        fewest_sessions: History without which nothing is fitted.
        most_sessions: Sessions that a fit looks back on at most.
        warm_up_sessions: Sessions before a fit's first that its filter starts with.
        stickiness: Pseudo-sessions of staying that each state of a hidden Markov model starts from;
            without them, states that last a day fit the day's sign.
        shortest_stay_sessions: A hidden state that lasts shorter on average is a kind of day, no
            regime.
        seed: Of random starts of mixtures and k-means.
        margin: By how much another regime must be likelier than the one that stands.
        dwell_sessions: Sessions that a regime stands at least.
    """

    candidates: tuple[Candidate, ...] = CANDIDATES
    fewest_sessions: int = 252
    most_sessions: int = 2520
    warm_up_sessions: int = 252
    stickiness: float = 100.0
    shortest_stay_sessions: float = 10.0
    seed: int = 1
    margin: float = 0.4
    dwell_sessions: int = 5

    @property
    def recipe(self) -> str:
        """Hash of all that decides a fit beside the data; fits of another one are not used."""
        return hashlib.sha256(f"{CODE_REVISION}{asdict(self)!r}".encode()).hexdigest()[:16]
