"""Scenarios that models are replayed in. Key: (name)."""

from typing import Annotated, ClassVar

from pydantic import Field

from pipelines.documents.base import DocumentPart, PublishedDocument
from pipelines.documents.values import Number, SessionInstant, Symbol


class ScenarioMetric(DocumentPart):
    """A limit that a person has set."""

    name: str = Field(description="The figure, by its name in `evaluation_runs`.")
    threshold: Number = Field(description="The limit.")
    higher_is_better: bool = Field(description="Whether the figure has to be above it.")


class ScenarioEvent(DocumentPart):
    """What happened in a scenario."""

    label: str = Field(description="In words.")
    start: SessionInstant = Field(description="First day.")
    end: SessionInstant = Field(description="Last day.")


class EvaluationScenario(PublishedDocument):
    """A stretch of sessions that models are replayed in, with what has to hold there."""

    collection: ClassVar[str] = "evaluation_scenarios"
    natural_key: ClassVar[tuple[str, ...]] = ("name",)

    name: Annotated[str, Field(min_length=3)] = Field(description="Its name.")
    description: str = Field(description="What it is, for a reader.")
    symbols: Annotated[tuple[Symbol, ...], Field(strict=False)] = Field(
        description="Symbols with a label in it."
    )
    start_date: SessionInstant | None = Field(description="First day; null is open.")
    end_date: SessionInstant | None = Field(description="Last day; null is open.")
    baseline_backtest_ids: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        description="Always empty: the baselines are rules, in `benchmarks`."
    )
    benchmark_metrics: Annotated[tuple[ScenarioMetric, ...], Field(strict=False)] = Field(
        description="The limits."
    )
    stress_events: Annotated[tuple[ScenarioEvent, ...], Field(strict=False)] = Field(
        description="What happened in it."
    )
    market: str = Field(description="Where its data comes from.")
