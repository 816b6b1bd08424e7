"""Baselines, and how the model did. Keys: (name); (benchmark, model, market, session)."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import DocumentPart, Index, PublishedDocument
from pipelines.documents.measured import MeasuredValue
from pipelines.documents.values import Count, Instant, MapKey


class BenchmarkCase(DocumentPart):
    """A scenario that the model meets a baseline in."""

    scenario: str = Field(description="Its name in `evaluation_scenarios`.")
    start: date | None = Field(description="First day; null is open.")
    end: date | None = Field(description="Last day; null is open.")


class Benchmark(PublishedDocument):
    """A baseline: what anyone could do without a model."""

    collection: ClassVar[str] = "benchmarks"
    natural_key: ClassVar[tuple[str, ...]] = ("name",)

    name: Annotated[str, Field(min_length=3)] = Field(description="Its name.")
    description: str = Field(description="Its rule.")
    test_cases: Annotated[tuple[BenchmarkCase, ...], Field(strict=False)] = Field(
        description="The scenarios."
    )


class BenchmarkFigure(DocumentPart):
    """One figure of model and baseline."""

    model: MeasuredValue | None = Field(description="The model's; null where it is undefined.")
    baseline: MeasuredValue | None = Field(description="The baseline's, likewise.")
    delta: MeasuredValue | None = Field(
        description="The model's less the baseline's, on the same resampled sessions."
    )


def result_key(scenario: str) -> str:
    """Return the key of a scenario in `results`: percent signs stand for what no key may have."""
    for unfit in ("%", ".", "$", "\0"):
        scenario = scenario.replace(unfit, f"%{ord(unfit):02X}")
    return scenario


class BenchmarkResult(DocumentPart):
    """Model and baseline in one scenario."""

    scenario: str = Field(default="", description="Its name; empty of older documents.")
    asked_by: Literal["plan", "user"] = Field(
        default="plan", description="Whose scenario it is: the desk's plan's, or a user's."
    )
    rows: Count = Field(description="Signals that both judged.")
    sessions: Count = Field(description="Sessions that they are of.")
    figures: dict[MapKey, BenchmarkFigure] = Field(
        description="auc, accuracy, net_return (a year, after costs), precision, recall and f1 of "
        "called rises; empty if not measured."
    )


class BenchmarkRun(PublishedDocument):
    """The model against a baseline, in every scenario."""

    collection: ClassVar[str] = "benchmark_runs"
    natural_key: ClassVar[tuple[str, ...]] = ("benchmark_name", "model_id", "market", "session")
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_benchmark_runs_own_key",
            (("benchmark_name", 1), ("model_id", 1), ("market", 1), ("session", -1)),
            unique=True,
            is_of_ours_alone=True,
        ),
    )

    benchmark_name: str = Field(description="The baseline, in `benchmarks`.")
    model_id: str = Field(description="Family of models.")
    model_version: str | None = Field(
        description="Newest version that scored in any scenario of the plan."
    )
    results: dict[MapKey, BenchmarkResult] = Field(
        description="By scenario, users' that could be measured among them; in the key %2E is a "
        "dot, %24 a dollar sign, %25 a percent sign."
    )
    passed: bool = Field(
        description="Whether the model's AUC and return are above the baseline's with their whole "
        "95 % intervals, in the scenario of the plan with the most signals."
    )
    started_at: Instant = Field(description="The instant of the night that it is seen from.")
    completed_at: Instant = Field(description="The same: documents carry no wall clock.")
    market: str = Field(description="Where its data comes from.")
    session: date = Field(description="Labels that had ended before it are known.")
    night_id: str = Field(description="The night that it is seen from.")
    judged_by: str | None = Field(description="The scenario that `passed` is of; null if none.")
