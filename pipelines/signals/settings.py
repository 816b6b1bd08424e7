"""What a person may set about the training of signals."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from pipelines.validation.metrics import RESAMPLES
from pipelines.validation.splits import SplitSettings


@dataclass(frozen=True)
class SignalSettings:
    """Settings of one training; the defaults suit the sign of a daily return.

    Such a target is nearly all noise (an AUC of 0.53 is good), so trees are small, leaves large
    (`smallest_leaf_share` of the fit rows) and steps short, and the stop slice ends the boosting.
    """

    splits: SplitSettings = field(default_factory=SplitSettings)
    leaves: int = 7
    smallest_leaf_share: float = 0.02
    learning_rate: float = 0.03
    rounds: int = 300
    patience: int = 50
    l2: float = 10.0
    feature_share: float = 0.7
    row_share: float = 0.7
    bins: int = 63
    threads: int = 2
    seed: int = 20_240_229
    resamples: int = RESAMPLES

    def boosting(self, *, fit_rows: int) -> dict[str, Any]:
        """Return LightGBM's parameters for a fit slice of `fit_rows` rows.

        The same rows give the same bytes: deterministic, row-wise, seeded, threads fixed.
        """
        return {
            "objective": "binary",
            "metric": "binary_logloss",
            "num_leaves": self.leaves,
            "min_data_in_leaf": max(20, int(self.smallest_leaf_share * fit_rows)),
            "learning_rate": self.learning_rate,
            "lambda_l2": self.l2,
            "feature_fraction": self.feature_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1,
            "max_bin": self.bins,
            "num_threads": self.threads,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }

    def to_document(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Return the settings that `to_document` wrote."""
        return cls(**{**document, "splits": SplitSettings(**document["splits"])})
