"""Results by groups of symbols. Key: (model, scenario, market, session)."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from pipelines.documents.base import Index, PublishedDocument
from pipelines.documents.values import MapKey, Number, Probability


class FairnessReport(PublishedDocument):
    """Whether a model serves some sectors, sizes or liquidities worse than the others."""

    collection: ClassVar[str] = "fairness_reports"
    natural_key: ClassVar[tuple[str, ...]] = ("model_id", "scenario_name", "market", "session")
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_fairness_reports_own_key",
            (("model_id", 1), ("scenario_name", 1), ("market", 1), ("session", -1)),
            unique=True,
            is_of_ours_alone=True,
        ),
    )

    model_id: str = Field(description="Family of models.")
    protected_attributes: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        description="sector, size (third by dollar volume) and liquidity (third by Amihud)."
    )
    group_metrics: dict[MapKey, dict[MapKey, Number]] = Field(
        description="By `attribute=value`: rows, symbols, and with 100 rows share_up, called_up, "
        "accuracy, auc and gap (accuracy less that of all others), each with _low and _high: 95 % "
        "by sessions, of the gap for all groups at once."
    )
    overall_fairness_score: Probability = Field(description="1 less the largest gap either way.")
    passed: bool = Field(
        description="Whether no group is worse than the others by largest_gap or more, with its "
        "whole interval below zero. It does not say that all are equal: see recommendations."
    )
    recommendations: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        description="Groups that are worse, and those of which too little is known to say."
    )
    scenario_name: str = Field(description="The scenario, in `evaluation_scenarios`.")
    model_version: str = Field(description="Newest version that scored in it.")
    market: str = Field(description="Where its data comes from.")
    session: date = Field(description="Labels that had ended before it are known.")
    night_id: str = Field(description="The night that it is seen from.")
    largest_gap: Number = Field(description="The gap that a person tolerates.")
