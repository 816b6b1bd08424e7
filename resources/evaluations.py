"""Evaluations: what the lake and the registry hold is replayed, kept and published."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
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
from pipelines.evaluation.plan import EvaluationPlan, Scenario, default_plan, read_plan
from pipelines.evaluation.replay import ModelFor
from pipelines.evaluation.requests import (
    BadRequestError,
    Judge,
    KnownMarket,
    Requests,
    UserScenario,
    run_answers,
    scenario_answers,
)
from pipelines.evaluation.tables import EVALUATION_REQUESTS, EVALUATIONS
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import features_version
from pipelines.lifecycle.versions import MODEL_NAME
from pipelines.nights import Night
from pipelines.signals.selection import SelectionEvidence
from resources.evaluation_requests import Evaluation, publish_answers, request_rows
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.model_registry import ModelRegistry
from resources.publishing_report import PublishingReport
from resources.serving import Serving
from resources.signal_files import CorruptVersionError
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
        self, plan: EvaluationPlan, requests: Requests, *, complain: Callable[[str], None]
    ) -> Evaluation:
        """Replay a plan and what users ask for, and keep what it shows in the lake.

        Args:
            plan: What is asked.
            requests: What users ask for beside it.
            complain: Is told of a version whose file is broken; the one before it scores instead.
        """
        from pipelines.evaluation.documents import evaluation_documents
        from pipelines.evaluation.entries import entries

        asked = requests.left_to(plan)
        panel = read_training_set(self.lake, SIGNAL_GROUPS, night=self.night).rows
        beside = context(self.lake.read(PRICES_QUERY, {"session": self.night.session}))
        judge = self._judge(asked, panel, beside, complain=complain)
        market = KnownMarket.of(self.night.market, panel, beside)
        made = Evaluation(
            tuple(judge(one, None) for one in asked.scenarios),
            tuple(scenario_answers(requests, market, judge)),
            tuple(run_answers(requests, asked, market, judge)),
        )
        chosen = self._selection()
        # A list: a commit that meets another's is tried again, and reads it anew.
        documents = list(
            evaluation_documents(
                asked, made.results, self.night, selection=chosen, of_users=made.of_scenarios
            )
        )
        answers = request_rows(made, self.night, selection=chosen)
        self.lake.commit(
            lambda writer: _keep(writer, entries(documents, self.night), answers, self.night),
            night=self.night,
            message="write an evaluation",
        )
        return made

    def _judge(
        self,
        plan: EvaluationPlan,
        panel: pl.DataFrame,
        beside: pl.DataFrame,
        *,
        complain: Callable[[str], None],
    ) -> Judge:
        """Return what replays a scenario; one that is asked for twice is replayed once."""
        from pipelines.evaluation.evaluation import evaluate_scenario

        of_their_time = self.registry.model_by_session(
            self.night.market, features_version=features_version(SIGNAL_GROUPS), complain=complain
        )

        @cache
        def judge(scenario: Scenario, version: int | None) -> ScenarioResult:
            limits = scenario.asked_with(plan) if isinstance(scenario, UserScenario) else plan
            model_for = of_their_time if version is None else self._one_version(version)
            return evaluate_scenario(scenario, limits, panel, context=beside, model_for=model_for)

        return judge

    def _one_version(self, number: int) -> ModelFor:
        """Return the look-up of a version that a user asks for.

        Raises:
            BadRequestError: there is none that knows today's features, or its file is broken.
        """
        from pipelines.evaluation.replay import always

        today = features_version(SIGNAL_GROUPS)
        able = [
            one.number
            for one in self.registry.versions(self.night.market)
            if one.features_version == today
        ]
        if number not in able:
            message = (
                f"no version {number} of model {MODEL_NAME!r} can score {self.night.market}: "
                f"choose one of {', '.join(map(str, able)) or 'none'}"
            )
            raise BadRequestError(message)
        try:
            return always(number, self.registry.version(number))
        except CorruptVersionError as error:
            raise BadRequestError(str(error)) from error

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


def _keep(writer: LakeWriter, documents: pl.DataFrame, answers: pl.DataFrame, night: Night) -> None:
    """Make the lake hold an evaluation; what an earlier run of it answered stays."""
    writer.replace(EVALUATIONS, documents, sessions=[night.session])
    writer.merge(EVALUATION_REQUESTS, answers)


def publish_evaluation(lake: Lake, serving: Serving, *, night: Night) -> list[PublishingReport]:
    """Make the collections exactly what the lake holds of a night's evaluation."""
    held = lake.of_sessions(EVALUATIONS, [night.session])
    of_night = {"market": night.market, "session": night.session}
    publish_answers(lake, serving, night=night)
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
