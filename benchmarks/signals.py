"""How honest the signals are where there is nothing, and how good where there is something.

`make bench-signals` measures both on simulated markets, whose truth is known:

- noise: markets without a planted part. The 95 % interval of the out-of-sample AUC should cover 0.5
  in about 38 of 40, and next to no recommendation should be other than hold.
- planted: the model's AUC over 0.5 as a share of the oracle's, which knows the true probabilities,
  in what happened and expected over all outcomes that could have been (`signal_planted`).
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from benchmarks.signal_planted import print_planted
from benchmarks.signal_training import measured, train
from benchmarks.simulated_panel import FEATURES, simulated_panel
from pipelines.markets.simulation.settings import STRENGTH, SimulationSettings
from pipelines.signals.model import SignalTraining
from pipelines.signals.scoring import Recommendation, score_signals
from pipelines.signals.settings import SignalSettings

SCORED_EVERY = 5
"""Every so many test sessions are scored as a night would, to count what it recommends."""
HELD_OUT_SEEDS = [11, 12, 13]
"""Planted markets on which no setting was chosen; those of ADR 12 and later were on 1 to 6."""


def main() -> None:
    """Measure noise and planted markets of the sizes that were asked for."""
    asked = _arguments()
    if asked.seeds:
        print_noise(
            SimulationSettings(asked.noise_symbols, asked.noise_sessions, strength=0.0),
            seeds=range(1, asked.seeds + 1),
        )
    if asked.symbols:
        market = SimulationSettings(asked.symbols, asked.sessions, strength=asked.strength)
        print_planted(market, seeds=asked.seed)


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


def _arguments() -> argparse.Namespace:
    """Read the sizes; a number of 0 seeds or symbols leaves that half out."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", type=int, default=40, help="noise markets; 0 for none")
    parser.add_argument("--noise-symbols", type=int, default=30)
    parser.add_argument("--noise-sessions", type=int, default=1300)
    parser.add_argument("--symbols", type=int, default=500, help="planted symbols; 0 for none")
    parser.add_argument("--sessions", type=int, default=2500)
    parser.add_argument(
        "--seed", type=int, nargs="+", default=HELD_OUT_SEEDS, help="planted markets"
    )
    parser.add_argument("--strength", type=float, default=STRENGTH)
    return parser.parse_args()


if __name__ == "__main__":
    main()
