"""What a person may set about the training of signals."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from pipelines.validation.long_short import COST_BASIS_POINTS
from pipelines.validation.metrics import RESAMPLES
from pipelines.validation.splits import SplitSettings

# Up to here a leaf holds its full share of the rows; beyond, leaves grow with the square root, so
# that a hundred times the rows draw ten times finer.
ROWS_OF_FULL_SHARE = 10_000
SMALLEST_LEAF = 20
# A symbol may be scored with so many bars: what a free key starts with. Features that look further
# back are dispensable.
SESSIONS_OF_YOUNGEST = 100


class Family(StrEnum):
    """A way of boosting; `average` is the mean margin of both others."""

    LIGHTGBM = "lightgbm"
    CATBOOST = "catboost"
    AVERAGE = "average"

    @property
    def boosters(self) -> tuple["Family", ...]:
        """Return the families whose boosters make up this one."""
        if self is Family.AVERAGE:
            return Family.LIGHTGBM, Family.CATBOOST
        return (self,)


@dataclass(frozen=True)
class SignalSettings:
    """Settings of one training; the defaults suit the sign of a daily return.

    Such a target is nearly all noise (an AUC of 0.53 is good), so trees are small, leaves large
    and steps short, and the stop slice ends the boosting, though not before `fewest_rounds`: half a
    year can speak against a true signal from the first tree on (one simulated market, cut at two
    dates, stopped after 1 tree and after 318). `seeds` boosters of each family are
    averaged. `threads` boosters are made at a time, each on one thread, so that their number
    changes no byte. `cost_basis_points` is paid on each dollar that the long-short trades.
    """

    splits: SplitSettings = field(default_factory=SplitSettings)
    family: Family = Family.AVERAGE
    seeds: int = 5
    leaves: int = 7
    smallest_leaf_share: float = 0.02
    learning_rate: float = 0.05
    rounds: int = 300
    fewest_rounds: int = 30
    patience: int = 30
    l2: float = 10.0
    feature_share: float = 0.7
    row_share: float = 0.7
    bins: int = 63
    threads: int = 2
    seed: int = 20_240_229
    resamples: int = RESAMPLES
    cost_basis_points: float = COST_BASIS_POINTS

    def __post_init__(self) -> None:
        """Refuse an ensemble without members."""
        if self.seeds < 1 or self.threads < 1:
            message = f"seeds and threads must be 1 or more, got {self.seeds} and {self.threads}"
            raise ValueError(message)

    @property
    def trials(self) -> tuple[Family, ...]:
        """Return the families whose out-of-sample returns are kept, the published one last."""
        return (*(part for part in self.family.boosters if part is not self.family), self.family)

    @property
    def booster_seeds(self) -> tuple[int, ...]:
        """Return the seed of each booster of a family."""
        return tuple(self.seed + number for number in range(self.seeds))

    def smallest_leaf(self, fit_rows: int) -> int:
        """Return the fewest rows of a leaf for a fit slice of `fit_rows` rows."""
        effective = min(fit_rows, (fit_rows * ROWS_OF_FULL_SHARE) ** 0.5)
        return max(SMALLEST_LEAF, int(self.smallest_leaf_share * effective))

    def kept_rounds(self, best: int) -> int:
        """Return how many rounds are made, when `best` was best on the stop slice."""
        return min(max(best, self.fewest_rounds), self.rounds)

    def to_document(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return {**asdict(self), "family": self.family.value}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Return the settings that `to_document` wrote."""
        splits, family = SplitSettings(**document["splits"]), Family(document["family"])
        return cls(**{**document, "splits": splits, "family": family})
