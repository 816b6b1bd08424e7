"""What a promotion rests on: the word of the canaries, and a comparison with the champion."""

from dataclasses import dataclass
from enum import StrEnum

from pipelines.validation.session_bootstrap import Estimate


class CanaryName(StrEnum):
    """The controls."""

    SHUFFLED = "shuffled_labels_score_like_chance"
    LEAK = "planted_leak_is_caught"
    HONEST = "no_feature_knows_too_much"
    NOISE = "noise_feature_has_no_importance"
    REPEAT = "same_night_scores_alike_to_the_bit"
    SHUFFLED_RETURNS = "shuffled_returns_have_no_regimes"
    WALK = "walk_scores_like_the_truth"
    HONEST_POOL = "no_forecast_knows_too_much"


@dataclass(frozen=True)
class Canary:
    """What one control said: the figure, in words, and whether it is as it must be."""

    name: CanaryName
    passed: bool
    note: str


@dataclass(frozen=True)
class PairedComparison:
    """How much less a challenger lost than the champion.

    Attributes:
        sessions: Sessions compared, none of which either had seen.
        rows: Predictions that both made.
        gain: Mean over sessions of the champion's log loss less the challenger's, in nats.
        p_value: Chance of so large a gain if there is none, one-sided (Diebold & Mariano 1995).
        seed_error: Standard error of the gain from the challenger's seeds alone.
        calibration_slope: The challenger's; None where it is not measurable.
        knowledge_p: Chance of outcomes that speak so much for the challenger if it knows nothing;
            None where it says the same of all rows, or was not asked.
    """

    sessions: int
    rows: int
    gain: float
    p_value: float
    seed_error: float
    calibration_slope: Estimate | None
    knowledge_p: float | None = None
