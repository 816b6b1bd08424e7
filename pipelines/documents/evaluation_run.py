"""What a replayed scenario shows of a model. Key: (scenario, model, market, session)."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import DocumentPart, Index, PublishedDocument
from pipelines.documents.measured import MeasuredValue
from pipelines.documents.values import Count, Instant, MapKey, Number, Probability, Symbol

Curve = dict[MapKey, tuple[Number, ...]]


class MetricComparison(DocumentPart):
    """A figure of the model beside the baselines'."""

    metric_name: str = Field(description="The figure.")
    candidate: Number = Field(description="The model's.")
    low: Number = Field(description="Lower end of its 95 % interval.")
    high: Number = Field(description="Upper end of its 95 % interval.")
    baseline_average: Number | None = Field(description="Mean of the baselines' that have it.")
    delta: Number | None = Field(description="The model's less that mean, on the same sessions.")
    delta_low: Number | None = Field(description="Lower end of the 95 % interval of delta.")
    delta_high: Number | None = Field(description="Upper end of the 95 % interval of delta.")


class CalibrationBin(DocumentPart):
    """Rows of similar probability."""

    probability: Probability = Field(description="Mean probability that was said.")
    share_up: Probability = Field(description="Share that rose.")
    low: Probability = Field(description="Lower end of its 95 % interval, by sessions.")
    high: Probability = Field(description="Upper end of its 95 % interval, by sessions.")
    rows: Count = Field(description="Rows.")


class DetailedMetrics(DocumentPart):
    """Calls and probabilities of the model in a scenario."""

    confusion_matrix: Annotated[tuple[tuple[Count, ...], ...], Field(strict=False)] = Field(
        description="Rows by what came, columns by what was called, in order of class_labels."
    )
    class_labels: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        description="down and up; up is called where the probability is above the base rate."
    )
    roc_curve: Curve | None = Field(description="fpr and tpr; null where all outcomes agree.")
    precision_recall_curve: Curve | None = Field(
        description="precision and recall of a rise; null where all outcomes agree."
    )
    calibration_curve: Annotated[tuple[CalibrationBin, ...], Field(strict=False)] = Field(
        description="Bins of equal count, by probability."
    )
    accuracy: Number | None = Field(
        description="Share of right calls; its interval stands in metrics, as of the next four."
    )
    precision: Number | None = Field(description="Share of called rises that came.")
    recall: Number | None = Field(description="Share of rises that were called.")
    f1_score: Number | None = Field(description="Harmonic mean of precision and recall.")
    auc_roc: Number | None = Field(description="Area under the ROC curve; 0.5 is no skill.")


class EvaluationSummary(DocumentPart):
    """What was measured, and how it stands to the limits."""

    metrics: Annotated[tuple[MetricComparison, ...], Field(strict=False)] = Field(
        description="Every figure with its interval."
    )
    compliance: Literal["passed", "warning", "failed"] = Field(
        description="passed: skill, and every interval is beyond its limit; failed: a figure is "
        "not beyond its limit; warning: anything between, and what could not be measured."
    )
    notes: str = Field(description="The verdict in words.")
    detailed_metrics: DetailedMetrics | None = Field(description="Curves; null if not measured.")


class FeatureImportance(DocumentPart):
    """What a feature had to do with the opinions of a scenario."""

    feature_name: str = Field(description="The feature.")
    importance: Probability = Field(description="Share of all absolute SHAP values.")
    low: Probability = Field(description="Lower end of its 95 % interval, by sessions.")
    high: Probability = Field(description="Upper end of its 95 % interval, by sessions.")
    impact_direction: str | None = Field(
        description="up where larger values raise the probability, down where they lower it."
    )


class ImportanceStability(DocumentPart):
    """Whether another sample, or another model, would order the features alike."""

    rows: Count = Field(description="Rows explained.")
    halves: MeasuredValue | None = Field(
        description="Rank correlation of importances in even and in odd sessions."
    )
    models: MeasuredValue | None = Field(
        description="Mean of it over successive models, each on its own sessions; null with one."
    )


class ThresholdCheck(DocumentPart):
    """A limit, and what was found."""

    limit: Number = Field(description="The limit.")
    higher_is_better: bool = Field(description="Whether the figure has to be above it.")
    value: MeasuredValue | None = Field(description="The figure; null if not measured.")
    compliance: Literal["passed", "warning", "failed"] = Field(
        description="passed if the whole interval is beyond the limit, warning if the figure is."
    )


class FeatureChange(DocumentPart):
    """A feature's move within what training has seen; percentiles are of its training rows."""

    feature: str = Field(description="The feature.")
    value: Number = Field(description="Its value.")
    changed_to: Number = Field(description="The value that it is moved to.")
    percentile: Probability = Field(description="Where its value lies in training.")
    changed_percentile: Probability = Field(description="Where it is moved to.")


class Counterfactual(DocumentPart):
    """The least feasible change that would have flipped a signal."""

    symbol: Symbol = Field(description="The symbol.")
    session: date = Field(description="The session that the signal follows.")
    model_version: Count = Field(description="The version that gave it.")
    recommendation: str = Field(description="What it said, whether it abstained or not.")
    probability: Probability = Field(description="Its probability.")
    changed_probability: Probability | None = Field(
        description="The probability after the changes; null where three features are not enough."
    )
    changes: Annotated[tuple[FeatureChange, ...], Field(strict=False)] = Field(
        description="One is the least on a grid of 21 quantiles, two or three are an upper bound."
    )


class Selection(DocumentPart):
    """What the published recipe is worth, given every trial in the ledger."""

    trials: Count = Field(description="Trials with returns.")
    independent_trials: Number = Field(description="How many independent ones they are worth.")
    deflated_sharpe: Probability | None = Field(
        description="Chance that it beats the luckiest of worthless trials."
    )
    overfitting: Probability | None = Field(
        description="How often the trial that is best in one half is at or below median in the "
        "other; null with one trial."
    )


class EvaluationRun(PublishedDocument):
    """A scenario, replayed with models of its time and judged with 95 % intervals by session."""

    collection: ClassVar[str] = "evaluation_runs"
    natural_key: ClassVar[tuple[str, ...]] = (
        *("scenario_name", "candidate_model_name", "market", "session"),
    )
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_evaluation_runs_own_key",
            (
                *(("scenario_name", 1), ("candidate_model_name", 1)),
                *(("market", 1), ("session", -1)),
            ),
            unique=True,
            is_of_ours_alone=True,
        ),
    )

    scenario_name: str = Field(description="The scenario, in `evaluation_scenarios`.")
    asked_by: Literal["plan", "user"] = Field(
        default="plan", description="Whose scenario it is: the desk's plan's, or a user's."
    )
    candidate_backtest_id: str = Field(
        description="The evaluation: market and session. It is a replay of signals, no backtest."
    )
    candidate_model_name: str = Field(description="Family of models.")
    candidate_model_version: str | None = Field(
        description="Newest version that scored in it; null if none did."
    )
    status: Literal["completed", "failed"] = Field(
        description="failed: a user's scenario that can't be replayed; summary.notes says why."
    )
    started_at: Instant = Field(description="The instant of the night that it is seen from.")
    completed_at: Instant = Field(description="The same: documents carry no wall clock.")
    summary: EvaluationSummary = Field(description="Figures and verdict.")
    explainability: Annotated[tuple[FeatureImportance, ...], Field(strict=False)] = Field(
        description="Features, the most important first."
    )
    compliance_checks: dict[MapKey, ThresholdCheck] = Field(description="Limits by figure.")
    market: str = Field(description="Where its data comes from.")
    session: date = Field(description="Labels that had ended before it are known.")
    night_id: str = Field(description="The night that it is seen from.")
    verdict: Literal["skill", "no_skill_shown", "not_measured"] = Field(
        description="skill: the probabilities know something at 1 %, and lose less than the base "
        "rate; not_measured: under 20 sessions, or no model of that time."
    )
    model_versions: Annotated[tuple[int, ...], Field(strict=False)] = Field(
        description="Every version that scored in it, each in its own time."
    )
    rows: Count = Field(description="Signals judged.")
    sessions: Count = Field(description="Sessions that they are of.")
    rows_left_out: Count = Field(
        description="Labels not judged: no model, a feature or a year of past missing."
    )
    sessions_without_model: Count = Field(description="Sessions before any model of their time.")
    abstained_rows: Count = Field(
        description="Of the judged, those on which the model would have abstained."
    )
    first_session: date | None = Field(description="First session judged.")
    last_session: date | None = Field(description="Last session judged.")
    importance_stability: ImportanceStability | None = Field(
        description="How far `explainability` can be read; null if not measured."
    )
    counterfactuals: Annotated[tuple[Counterfactual, ...], Field(strict=False)] = Field(
        description="Of the highest, the middle and the lowest signal."
    )
    selection: Selection | None = Field(
        description="Multiple testing: of all trials, not of this scenario; null without a ledger."
    )
