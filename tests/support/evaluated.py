"""A small evaluation with a known truth, made once a run."""

from collections.abc import Callable
from datetime import date
from functools import cache

import numpy as np
import polars as pl

from pipelines.evaluation.evaluation import ScenarioResult, evaluate
from pipelines.evaluation.plan import EvaluationPlan, Scenario, Threshold
from pipelines.signals.model import SignalTraining, TrainedSignal
from tests.support.trained_signals import small_panel, small_training

SCENARIO = Scenario(
    name="second_block",
    description="The second test block.",
    start=date(2015, 12, 7),
    end=date(2016, 1, 29),
)
PLAN = EvaluationPlan(
    scenarios=(
        Scenario(name="everything", description="All that a model of its time can score."),
        SCENARIO,
        Scenario(
            name="before_any_model",
            description="The first months, without a model.",
            end=date(2015, 3, 1),
        ),
    ),
    thresholds=(
        Threshold(metric="auc", limit=0.5),
        Threshold(metric="net_return_over_coin", limit=0.0),
    ),
)
SECTORS = ("Energy", "Technology", None)


def models_of(training: SignalTraining) -> Callable[[date], tuple[int, TrainedSignal] | None]:
    """Return a look-up of the walk-forward models, as the registry's."""

    def model_for(session: date) -> tuple[int, TrainedSignal] | None:
        able = [
            (number, model)
            for number, model in enumerate(training.models, start=1)
            if model.trained_through < session
        ]
        return able[-1] if able else None

    return model_for


def context_of(panel: pl.DataFrame) -> pl.DataFrame:
    """Return what baselines and groups need: noise, and symbols of steady size."""
    rng = np.random.default_rng(5)
    number = panel["symbol"].rank("dense")
    return panel.select(
        "symbol",
        "session",
        momentum=pl.Series(rng.standard_normal(panel.height)),
        past_week=pl.Series(rng.standard_normal(panel.height)),
        dollar_volume=number.cast(pl.Float64) * 1e6,
        illiquidity=1e-9 / number.cast(pl.Float64),
        sector=pl.Series([SECTORS[one % 3] for one in number]),
    )


@cache
def small_evaluation() -> list[ScenarioResult]:
    """Return the evaluation of the small training on its own panel."""
    panel = small_panel()
    return evaluate(PLAN, panel, context_of(panel), models_of(small_training()))
