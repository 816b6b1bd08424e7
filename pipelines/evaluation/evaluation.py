"""An evaluation: every scenario of a plan, replayed and judged on its own rows alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from pipelines.evaluation.contenders import JUDGED_BY_ALL, opinions
from pipelines.evaluation.counterfactuals import Counterfactual, counterfactuals
from pipelines.evaluation.curves import Curves, curves
from pipelines.evaluation.explanations import Explanation, explain, impacts
from pipelines.evaluation.figures import figures
from pipelines.evaluation.groups import GroupResult, measure_groups
from pipelines.evaluation.measures import Comparison, compare
from pipelines.evaluation.plan import EvaluationPlan, Scenario
from pipelines.evaluation.replay import ModelFor, Turn, replay, turns
from pipelines.evaluation.verdicts import FEWEST_SESSIONS, Check, Verdict, checks, verdict, words
from pipelines.validation.long_short import COST_BASIS_POINTS
from pipelines.validation.metrics import SignalMetrics, measure_predictions
from pipelines.validation.session_bootstrap import SessionResamples, resample_sessions

RESAMPLES = 1000
SEED = 20_081_015
KEY = ["symbol", "session"]


@dataclass(frozen=True, eq=False)
class ScenarioResult:
    """What a scenario shows.

    Attributes:
        scenario: What was replayed.
        symbols: Symbols with a label in it.
        rows: Replayed rows that all contenders could judge, with opinions and context.
        left_out: Rows with a label that could not be judged: features or a baseline's past missing.
        without_model: Sessions in which no model of their time existed.
        metrics: All figures of the model; None with fewer than FEWEST_SESSIONS.
        curves: ROC, precision and recall, confusion and calibration; None likewise.
        comparisons: The model beside the baselines; none likewise.
        explanation: What moved its opinions; None likewise.
        counterfactuals: What would have flipped three of its signals; none likewise.
        groups: The model by sector, size and liquidity; none likewise.
        checks: The plan's limits.
        verdict: Whether there is skill.
        versions: The versions that scored, the oldest first.
    """

    scenario: Scenario
    symbols: tuple[str, ...]
    rows: pl.DataFrame
    left_out: int
    without_model: int
    metrics: SignalMetrics | None = None
    curves: Curves | None = None
    comparisons: tuple[Comparison, ...] = ()
    explanation: Explanation | None = None
    counterfactuals: tuple[Counterfactual, ...] = ()
    groups: tuple[GroupResult, ...] = ()
    checks: tuple[Check, ...] = ()
    verdict: Verdict = Verdict.NOT_MEASURED
    versions: tuple[int, ...] = ()

    @property
    def notes(self) -> str:
        """Return the verdict in words."""
        return words(
            self.verdict,
            self.metrics,
            sessions=self.rows["session"].n_unique(),
            without_model=self.without_model,
        )


def evaluate(
    plan: EvaluationPlan,
    panel: pl.DataFrame,
    context: pl.DataFrame,
    model_for: ModelFor,
) -> list[ScenarioResult]:
    """Return what each scenario of a plan shows.

    Args:
        plan: Scenarios and limits.
        panel: Rows as `pipelines.evaluation.replay` has them, of every session that is known.
        context: symbol, session and what baselines and groups need (`contenders.context`).
        model_for: Gives version and model of a session's own time.

    Raises:
        LookAheadError: a model was trained through a session that it is given.
    """
    return [
        evaluate_scenario(one, plan, panel, context=context, model_for=model_for)
        for one in plan.scenarios
    ]


def evaluate_scenario(
    scenario: Scenario,
    plan: EvaluationPlan,
    panel: pl.DataFrame,
    *,
    context: pl.DataFrame,
    model_for: ModelFor,
) -> ScenarioResult:
    """Return what a scenario shows; see `evaluate`."""
    inside = scenario.of(panel)
    judged = inside.join(context, on=KEY, how="inner").drop_nulls(JUDGED_BY_ALL)
    replayed = turns(judged, model_for)
    rows = replay(replayed)
    known = inside["session"].unique().sort()
    found = ScenarioResult(
        scenario,
        tuple(inside["symbol"].unique().sort()),
        rows,
        left_out=inside.height - rows.height,
        without_model=sum(model_for(session) is None for session in known),
        versions=tuple(turn.version for turn in replayed if turn.rows.height),
    )
    is_enough = rows["session"].n_unique() >= FEWEST_SESSIONS
    return _measured(found, plan, replayed, training=panel) if is_enough else found


def _measured(
    found: ScenarioResult,
    plan: EvaluationPlan,
    replayed: Sequence[Turn],
    *,
    training: pl.DataFrame,
) -> ScenarioResult:
    """Return a result with its figures."""
    rows, said = found.rows, opinions(found.rows)
    metrics = measure_predictions(
        rows.with_columns(block="model_version"), rng=_generator(), resamples=RESAMPLES
    )
    drawn = _drawn(rows)
    comparisons = compare(rows, said, drawn, cost_basis_points=COST_BASIS_POINTS)
    explained = impacts(replayed)
    return replace(
        found,
        metrics=metrics,
        comparisons=comparisons,
        curves=curves(rows, drawn),
        explanation=explain(explained, _drawn(explained.keys)),
        counterfactuals=counterfactuals(rows, replayed, training),
        groups=measure_groups(rows, drawn),
        checks=checks(plan.thresholds, figures(metrics, comparisons)),
        verdict=verdict(metrics),
    )


def _drawn(rows: pl.DataFrame) -> SessionResamples:
    """Return the sessions of rows and resamples of these."""
    return resample_sessions(rows["session"].to_numpy(), resamples=RESAMPLES, rng=_generator())


def _generator() -> np.random.Generator:
    """Return a generator of its own for each figure: none depends on how many came before it."""
    return np.random.default_rng(SEED)
