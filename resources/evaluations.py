"""Evaluations: what the lake and the registry hold is replayed, kept and published."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from pipelines.documents.base import PublishedDocument
from pipelines.documents.benchmark import Benchmark, BenchmarkRun
from pipelines.documents.evaluation_run import EvaluationRun
from pipelines.documents.evaluation_scenario import EvaluationScenario
from pipelines.documents.fairness_report import FairnessReport
from pipelines.evaluation.contenders import PRICES_QUERY, context
from pipelines.evaluation.evaluation import ScenarioResult
from pipelines.evaluation.plan import EvaluationPlan, default_plan, read_plan
from pipelines.evaluation.tables import EVALUATIONS
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import features_version
from pipelines.nights import Night
from pipelines.signals.selection import SelectionEvidence
from resources.lake import Lake
from resources.model_registry import ModelRegistry
from resources.publishing_report import PublishingReport
from resources.serving import Serving
from resources.training_sets import read_training_set

LASTING: Sequence[type[PublishedDocument]] = (EvaluationRun, BenchmarkRun, FairnessReport)
"""Documents that later evaluations leave as they are."""
OF_THE_PLAN: Sequence[type[PublishedDocument]] = (EvaluationScenario, Benchmark)
"""Documents of what is asked: the newest plan's."""
PUBLISHED_TRIAL = """
    SELECT trial_id FROM trials WHERE is_published AND session <= $session
    ORDER BY session DESC, trial_id LIMIT 1"""
TRIALS_THEN = """
    SELECT trial_returns.* FROM trial_returns JOIN trials USING (trial_id)
    WHERE trials.session <= $session"""


class EvaluationPlans(dg.ConfigurableResource[Any]):
    """The plan of evaluations: scenarios and limits."""

    file: str = Field(default="", description="YAML file of the plan; empty: the desk's own.")

    def plan(self) -> EvaluationPlan:
        """Return the plan.

        Raises:
            PlanError: the file is no plan.
        """
        if not self.file:
            return default_plan()
        return read_plan(Path(self.file).read_text(encoding="utf-8"), source=self.file)


@dataclass(frozen=True)
class Evaluator:
    """Evaluates the signal models of a market as a night sees them."""

    lake: Lake
    registry: ModelRegistry
    night: Night

    def evaluate(
        self, plan: EvaluationPlan, *, complain: Callable[[str], None]
    ) -> list[ScenarioResult]:
        """Replay a plan and keep what it shows in the lake.

        Args:
            plan: What is asked.
            complain: Is told of a version whose file is broken; the one before it scores instead.
        """
        from pipelines.evaluation.documents import evaluation_documents
        from pipelines.evaluation.entries import entries
        from pipelines.evaluation.evaluation import evaluate

        results = evaluate(
            plan,
            read_training_set(self.lake, SIGNAL_GROUPS, night=self.night).rows,
            context(self.lake.read(PRICES_QUERY, {"session": self.night.session})),
            self.registry.model_by_session(
                self.night.market,
                features_version=features_version(SIGNAL_GROUPS),
                complain=complain,
            ),
        )
        documents = evaluation_documents(plan, results, self.night, selection=self._selection())
        rows = entries(documents, self.night)
        self.lake.replace_sessions(EVALUATIONS, rows, nights=[self.night])
        return results

    def _selection(self) -> SelectionEvidence | None:
        """Judge the published trial against all that had been tried by the night."""
        from pipelines.signals.selection import selection_evidence

        asked = {"session": self.night.session}
        published = self.lake.read(PUBLISHED_TRIAL, asked)
        if published.is_empty():
            return None
        return selection_evidence(
            self.lake.read(TRIALS_THEN, asked), published=str(published["trial_id"].item())
        )


def publish_evaluation(lake: Lake, serving: Serving, *, night: Night) -> list[PublishingReport]:
    """Make the collections exactly what the lake holds of a night's evaluation."""
    held = lake.of_sessions(EVALUATIONS, [night.session])
    of_night = {"market": night.market, "session": night.session}
    lasting = [_reconciled(serving, one, held, scope=of_night, night=night) for one in LASTING]
    return lasting + [_reconciled(serving, one, held, scope={}, night=night) for one in OF_THE_PLAN]


def _reconciled(
    serving: Serving,
    model: type[PublishedDocument],
    held: pl.DataFrame,
    *,
    scope: Mapping[str, object],
    night: Night,
) -> PublishingReport:
    """Make our documents of a model in a scope exactly those that are held."""
    from pipelines.evaluation.entries import documents_of

    serving.ensure_indexes([model])
    return serving.reconcile(model, documents_of(held, model), scope=scope, as_of=night.as_of)
