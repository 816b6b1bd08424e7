"""Markets with a planted part: how near the model comes to the best that anyone could do.

The oracle states the true chances. Its AUC over 0.5 is what can be known; the model's share of it
is reported twice. What happened is luck even in a million rows, since symbols rise and fall
together: the oracle's AUC in a sample has it as well, so the share of what happened divides two
lucky numbers and has an interval, from sessions drawn for both at once. The expected share counts
each row as risen by its true chance and has no luck of outcomes but in training.
"""

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
import polars as pl

from benchmarks.signal_training import measured, train
from benchmarks.simulated_panel import simulated_panel
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.markets.simulation.truth import (
    expected_auc,
    expected_brier_skill,
    expected_slope,
    oracle_auc,
)
from pipelines.signals.model import SignalTraining
from pipelines.signals.settings import SignalSettings
from pipelines.validation.session_bootstrap import (
    Estimate,
    area_under_curve,
    estimate,
    resample_sessions,
)

RESAMPLES = 200
"""A bootstrap of a million rows takes a tenth of a second a draw."""
TARGET_SHARE = 0.9
TARGET_SLOPE = 0.9, 1.1
HEADINGS = (
    "seed",
    "oracle AUC",
    "expected",
    "model AUC",
    "expected",
    "share of AUC - 0.5",
    "expected",
    "slope",
    "expected",
    "Brier skill",
    "expected",
    "s",
)
_WIDTHS = (6, 10, 9, 9, 9, 22, 9, 6, 9, 12, 9, 6)


@dataclass(frozen=True)
class PlantedResult:
    """What came of one market: figures that happened, beside those expected over all outcomes."""

    seed: int
    oracle: float
    oracle_expected: float
    reached: float
    reached_expected: float
    share: Estimate
    slope: float
    slope_expected: float
    brier_skill: float
    brier_skill_expected: float
    seconds: float

    @property
    def share_expected(self) -> float:
        """Return the model's share of what can be known, over all outcomes."""
        return (self.reached_expected - 0.5) / (self.oracle_expected - 0.5)

    def cells(self) -> tuple[str, ...]:
        """Return the result as a row of the table."""
        share = self.share
        return (
            str(self.seed),
            f"{self.oracle:.4f}",
            f"{self.oracle_expected:.4f}",
            f"{self.reached:.4f}",
            f"{self.reached_expected:.4f}",
            f"{share.value:.1%} [{share.lower:.0%}, {share.upper:.0%}]",
            f"{self.share_expected:.1%}",
            f"{self.slope:.2f}",
            f"{self.slope_expected:.2f}",
            f"{self.brier_skill:.4f}",
            f"{self.brier_skill_expected:.4f}",
            f"{self.seconds:.0f}",
        )


def print_planted(market: SimulationSettings, *, seeds: list[int]) -> None:
    """Print a row for each seed, then their medians and what was asked for."""
    print(f"planted    {market.symbols} symbols × {market.sessions} sessions, seeds {seeds}")
    print(_line(HEADINGS))
    results = []
    for seed in seeds:
        results.append(planted_result(replace(market, seed=seed)))
        print(_line(results[-1].cells()), flush=True)
    low, high = TARGET_SLOPE
    asked = (f"≥ {TARGET_SHARE:.0%}", "", f"{low}-{high}", "", "> 0")
    print(_line(("median", *_medians(results), "")))
    print(_line(("asked", "0.53-0.54", "", "", "", *asked, "", "")))


def planted_result(market: SimulationSettings) -> PlantedResult:
    """Train on a market and measure the model against its truth."""
    started = perf_counter()
    panel = simulated_panel(market)
    training = train(panel.rows, SignalSettings(resamples=RESAMPLES))
    metrics, tested, truth = measured(training), training.predictions, panel.chances
    known = truth.join(tested, on=["symbol", "session"], how="semi")
    return PlantedResult(
        seed=market.seed,
        oracle=oracle_auc(truth, tested),
        oracle_expected=expected_auc(truth, known),
        reached=metrics.auc.value if metrics.auc else 0.5,
        reached_expected=expected_auc(truth, tested),
        share=share_of_oracle(training, truth),
        slope=metrics.calibration_slope.value if metrics.calibration_slope else 0.0,
        slope_expected=expected_slope(truth, tested),
        brier_skill=metrics.brier_skill.value if metrics.brier_skill else 0.0,
        brier_skill_expected=expected_brier_skill(truth, tested),
        seconds=perf_counter() - started,
    )


def share_of_oracle(training: SignalTraining, truth: pl.DataFrame) -> Estimate:
    """Return the model's AUC over 0.5 as a share of the oracle's, on the same drawn sessions.

    Raises:
        ValueError: the oracle's AUC is no better than 0.5, so there is nothing to have a share of.
    """
    chances = truth.select("symbol", "session", chance="probability")
    rows = training.predictions.join(chances, on=["symbol", "session"]).sort("session", "symbol")
    drawn = resample_sessions(
        rows["session"].to_numpy(), resamples=RESAMPLES, rng=np.random.default_rng(0)
    )
    is_up = rows["is_up"].to_numpy()
    reached, best = (
        area_under_curve(rows[name].to_numpy(), is_up, drawn) - 0.5
        for name in ("probability", "chance")
    )
    share = estimate(np.where(best > 0, reached / best, np.nan))
    if share is None:
        message = "the oracle's AUC is not above 0.5: raise the strength of the planted part"
        raise ValueError(message)
    return share


def _medians(results: list[PlantedResult]) -> list[str]:
    """Return the median of each column but the seed and the time."""
    columns = {
        "oracle": "{:.4f}",
        "oracle_expected": "{:.4f}",
        "reached": "{:.4f}",
        "reached_expected": "{:.4f}",
        "share": "{:.1%}",
        "share_expected": "{:.1%}",
        "slope": "{:.2f}",
        "slope_expected": "{:.2f}",
        "brier_skill": "{:.4f}",
        "brier_skill_expected": "{:.4f}",
    }
    values = {name: [getattr(result, name) for result in results] for name in columns}
    values["share"] = [share.value for share in values["share"]]
    return [form.format(np.median(values[name])) for name, form in columns.items()]


def _line(cells: tuple[str, ...]) -> str:
    return "  " + " ".join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
