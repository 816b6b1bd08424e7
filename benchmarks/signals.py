"""How honest the signals are where there is nothing, and how good where there is something.

`make bench-signals` measures both on simulated markets, whose truth is known:

- noise: markets without a planted part. The 95 % interval of the out-of-sample AUC should cover 0.5
  in about 38 of 40, and next to no recommendation should be other than hold.
- planted: the model's AUC over 0.5 as a share of the oracle's, which knows the true probabilities.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np
import polars as pl

from benchmarks.simulated_panel import FEATURES, SimulatedPanel, simulated_panel
from pipelines.markets.simulation.settings import STRENGTH, SimulationSettings
from pipelines.markets.simulation.truth import expected_auc, oracle_auc
from pipelines.signals.model import SignalTraining
from pipelines.signals.scoring import Recommendation, score_signals
from pipelines.signals.settings import SignalSettings
from pipelines.signals.training import train_signals
from pipelines.validation.metrics import SignalMetrics

SCORED_EVERY = 5
"""Every so many test sessions are scored as a night would, to count what it recommends."""
PLANTED_RESAMPLES = 60
"""A bootstrap of a million rows takes a second a draw; the planted part is far from its edges."""


def main() -> None:
    """Measure noise and planted markets of the sizes that were asked for."""
    asked = _arguments()
    if asked.seeds:
        print_noise(
            SimulationSettings(asked.noise_symbols, asked.noise_sessions, strength=0.0),
            seeds=range(1, asked.seeds + 1),
        )
    if asked.symbols:
        print_planted(
            SimulationSettings(
                asked.symbols, asked.sessions, seed=asked.seed, strength=asked.strength
            )
        )


def print_noise(market: SimulationSettings, *, seeds: Sequence[int]) -> None:
    """Print how often a model of noise claims something, over markets of several seeds."""
    print(f"noise      {len(seeds)} seeds, {market.symbols} symbols × {market.sessions} sessions")
    covering, opinions, scored = 0, 0, 0
    aucs = []
    for seed in seeds:
        rows = simulated_panel(replace(market, seed=seed)).rows
        training = train(rows, SignalSettings())
        auc = measured(training).auc
        if auc is None:
            continue
        covering += auc.lower <= 0.5 <= auc.upper
        aucs.append(auc.value)
        recommended = recommendations(training, rows)
        scored += len(recommended)
        opinions += int((recommended != Recommendation.HOLD.value).sum())
    print(f"  AUC interval covers 0.5     {covering} of {len(seeds)} (asked: 35 to 40 of 40)")
    print(f"  AUC, median and deviation   {np.median(aucs):.4f}, {np.std(aucs):.4f}")
    print(f"  not hold                    {opinions / scored:.2%} of {scored:,} (asked: ≤ 1 %)")


def print_planted(market: SimulationSettings) -> None:
    """Print how near the model comes to what anyone could know of a planted market."""
    print(f"planted    {market.symbols} symbols × {market.sessions} sessions, seed {market.seed}")
    started = perf_counter()
    panel = simulated_panel(market)
    made = perf_counter()
    print(f"  panel                       {panel.rows.height:,} rows, {len(FEATURES)} features")
    training = train(panel.rows, SignalSettings(resamples=PLANTED_RESAMPLES))
    metrics = measured(training)
    best = oracle_auc(panel.chances, training.predictions)
    for name in ("auc", "calibration_slope", "brier_skill"):
        print(f"  {name.replace('_', ' '):28}{_shown(metrics, name)}")
    if metrics.auc is not None:
        share = (metrics.auc.value - 0.5) / (best - 0.5)
        print(f"  oracle AUC                  {best:.4f} (asked: 0.53 to 0.54)")
        print(f"  share of oracle AUC - 0.5   {share:.1%} (asked: at least 90 %)")
    print(
        f"  the same without luck       {_expected_share(panel, training):.1%} (see expected_auc)"
    )
    print(f"  trees of the models         {[model.trees for model in training.models]}")
    print(
        f"  time                        {made - started:.0f} s to make the panel, "
        f"{perf_counter() - made:.0f} s to train and measure"
    )


def _expected_share(panel: SimulatedPanel, training: SignalTraining) -> float:
    """Return the share of the oracle's AUC - 0.5, over all outcomes that could have been."""
    tested = training.predictions
    known = panel.chances.join(tested, on=["symbol", "session"], how="semi")
    best = expected_auc(panel.chances, known)
    return (expected_auc(panel.chances, tested) - 0.5) / (best - 0.5)


def train(rows: pl.DataFrame, settings: SignalSettings) -> SignalTraining:
    """Train as the night does, without a word."""
    return train_signals(rows, features=FEATURES, settings=settings, progress=lambda _: None)


def measured(training: SignalTraining) -> SignalMetrics:
    """Return the out-of-sample metrics.

    Raises:
        ValueError: there were no test rows.
    """
    if training.metrics is None:
        message = "the walk-forward left no test rows: ask for more sessions"
        raise ValueError(message)
    return training.metrics


def recommendations(training: SignalTraining, rows: pl.DataFrame) -> pl.Series:
    """Return what nights would have recommended in the test sessions, each by a model of then."""
    tested = training.predictions.select("session", "block").unique(maintain_order=True)
    by_session = rows.partition_by("session", as_dict=True)
    answers = []
    for session, block in tested.gather_every(SCORED_EVERY).rows():
        tonight = by_session[(session,)].select("symbol", "session", *FEATURES)
        scores = score_signals(
            training.folds[block], tonight, tonight["symbol"].to_list(), session=session
        )
        answers.append(scores["recommendation"])
    return pl.concat(answers)


def _shown(metrics: SignalMetrics, name: str) -> str:
    """Return a figure with its interval."""
    figure = metrics.estimates().get(name)
    if figure is None:
        return "undefined"
    return f"{figure.value:.4f} [{figure.lower:.4f}, {figure.upper:.4f}]"


def _arguments() -> argparse.Namespace:
    """Read the sizes; a number of 0 seeds or symbols leaves that half out."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", type=int, default=40, help="noise markets; 0 for none")
    parser.add_argument("--noise-symbols", type=int, default=30)
    parser.add_argument("--noise-sessions", type=int, default=1300)
    parser.add_argument("--symbols", type=int, default=500, help="planted symbols; 0 for none")
    parser.add_argument("--sessions", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=1, help="of the planted market")
    parser.add_argument("--strength", type=float, default=STRENGTH)
    return parser.parse_args()


if __name__ == "__main__":
    main()
