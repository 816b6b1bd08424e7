"""The figures of a scenario by name: what limits are set for and documents show."""

from collections.abc import Mapping, Sequence

from pipelines.evaluation.contenders import BASELINES, Contender
from pipelines.evaluation.measures import COMPARED, Comparison
from pipelines.validation.metrics import SignalMetrics
from pipelines.validation.session_bootstrap import Estimate

OF_THE_MODEL = (
    *("log_loss", "log_loss_gain", "brier", "brier_skill"),
    *("calibration_slope", "calibration_intercept", "expected_calibration_error"),
    *("ic", "rank_ic"),
)
"""Figures of `SignalMetrics` that only probabilities have."""
LONG_SHORT = ("gross_return", "net_return", "turnover")
"""Figures of the market-neutral portfolio; here with `long_short_` before their names."""
FIGURES = (
    *COMPARED,
    *(f"{metric}_over_{baseline.value}" for metric in COMPARED for baseline in BASELINES),
    *OF_THE_MODEL,
    *(f"long_short_{name}" for name in LONG_SHORT),
)
"""Every name."""


def figures(metrics: SignalMetrics, comparisons: Sequence[Comparison]) -> Mapping[str, Estimate]:
    """Return the figures that are defined."""
    found = metrics.estimates()
    own = {name: found[name] for name in OF_THE_MODEL if name in found}
    long_short = {f"long_short_{name}": found[name] for name in LONG_SHORT if name in found}
    return {**_compared(comparisons), **own, **long_short}


def _compared(comparisons: Sequence[Comparison]) -> dict[str, Estimate]:
    """Return the model's figures and their differences from each baseline's."""
    own = {
        one.metric: one.values[Contender.MODEL]
        for one in comparisons
        if Contender.MODEL in one.values
    }
    over = {
        f"{one.metric}_over_{baseline.value}": value
        for one in comparisons
        for baseline, value in one.differences.items()
    }
    return {**own, **over}
