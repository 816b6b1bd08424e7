"""What each feature did to one opinion, as numbers and in plain words."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from pipelines.documents.base import DocumentPart
from pipelines.documents.values import Number, Probability

TOP_SIGNALS = 3


class FeatureContribution(DocumentPart):
    """What one feature did to the model's opinion."""

    feature: str = Field(description="Name in the feature catalogue.")
    value: Number = Field(description="The feature's value tonight, in its own unit.")
    weight: Probability = Field(description="Share of all contributions, by size.")
    impact: Number = Field(description="SHAP contribution, in log-odds.")
    direction: Literal["up", "down"] | None = Field(
        default=None, description="Which way it moved the opinion; null if it did not."
    )


def feature_contributions(
    impacts: Mapping[str, float], *, values: Mapping[str, float | None]
) -> tuple[FeatureContribution, ...]:
    """Describe impacts (log-odds by feature name) with tonight's values, the largest first.

    A feature without a value tonight is left out: the backend knows no null there.
    """
    total = sum(abs(impact) for impact in impacts.values())
    contributions = [
        FeatureContribution(
            feature=feature,
            value=value,
            weight=abs(impact) / total if total else 0.0,
            impact=impact,
            direction=("up" if impact > 0 else "down") if impact else None,
        )
        for feature, impact in impacts.items()
        if (value := values[feature]) is not None
    ]
    return tuple(sorted(contributions, key=lambda part: (-abs(part.impact), part.feature)))


def top_signals(
    contributions: Sequence[FeatureContribution], *, limit: int = TOP_SIGNALS
) -> tuple[str, ...]:
    """Say in plain words what moved the opinion; `contributions` come largest first."""
    return tuple(_plain_words(part) for part in contributions[:limit] if part.direction)


def _plain_words(part: FeatureContribution) -> str:
    """Say what one feature did, with its value and the size of its push."""
    outcome = "higher" if part.direction == "up" else "lower"
    return (
        f"{part.feature} at {part.value:.4g} speaks for a {outcome} close "
        f"({part.impact:+.3f} log-odds)"
    )
