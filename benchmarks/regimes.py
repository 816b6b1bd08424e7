"""How right the regimes are, beside the best that anyone could know, and what they cost.

`make bench-regimes` prints
- known states: simulated markets, walked through year by year as the desk does. Beside the desk
  stands the filter that knows all parameters, under the same hysteresis. What is asked: within 2
  points of its accuracy, churn within 20 %.
- steady markets: a bull market and a flat, volatile one.
- the S&P 500 from 1999 to 2018, each session by a fit of its time.
- symbols: 10,000 of them, one new session and twenty years; and the cost of each model.

The rule that names states and the selection of models were settled by looks at the recorded index
and at seeds 1 to 60 of the simulated markets; the default seeds come after those.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.regime_costs import print_model_costs, print_symbol_costs
from benchmarks.regime_markets import (
    APART,
    SIMULATED,
    KnownMarket,
    StateKind,
    simulated_market,
    switching_market,
    walked,
)
from benchmarks.regime_recorded import print_recorded
from benchmarks.regime_truth import Comparison, compare
from pipelines.regimes.names import Regime
from pipelines.regimes.settings import RegimeSettings

JUDGED_FROM = 2520
"""Ten years: before, nobody could tell the states' moments."""
FOREVER = 1e9
BULL = StateKind(Regime.BULLISH, 0.20, 0.15, FOREVER)
FLAT = StateKind(Regime.VOLATILE, 0.0, 0.40, FOREVER)


def main() -> None:
    """Measure what was asked for."""
    asked = _arguments()
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    if asked.seeds:
        print(f"known states   {asked.sessions} sessions each, judged from the {JUDGED_FROM}th on")
        _print_known("three states apart", APART, seeds, asked.sessions)
        _print_known("the simulated market's four", SIMULATED, seeds, asked.sessions)
        print(f"\nsteady markets   {asked.sessions} sessions each, judged from the first fit on")
        _print_steady("+20 % a year at 15 %", BULL, seeds, asked.sessions)
        _print_steady("flat at 40 %", FLAT, seeds, asked.sessions)
        print("  the backend's own rule calls the first bearish on 62 % of days")
    print_recorded(picture=Path(asked.picture) if asked.picture else None)
    if asked.symbols:
        print_model_costs()
        print_symbol_costs(asked.symbols)


def _print_known(words: str, kinds: tuple[StateKind, ...], seeds: range, sessions: int) -> None:
    """Print the desk beside the filter that knows, over markets of several seeds."""
    make: Callable[..., KnownMarket] = (
        simulated_market
        if kinds is SIMULATED
        else lambda sessions, *, seed: switching_market(kinds, sessions, seed=seed)
    )
    found = [
        compare(make(sessions, seed=seed), RegimeSettings(), judged_from=JUDGED_FROM)
        for seed in seeds
    ]
    desk, exact, raw = (
        _mean(found, name) for name in ("desk", "exact", "exact_without_hysteresis")
    )
    states, by_rule = _mean(found, "desk_by_states"), _mean(found, "exact_by_rule")
    print(f"  {words}, {len(found)} seeds")
    print("                                      named right   changes a year")
    print(f"    desk                                  {desk[0]:7.1%}   {desk[1]:6.1f}")
    print(f"    filter that knows                     {exact[0]:7.1%}   {exact[1]:6.1f}")
    print(f"    the same without hysteresis           {raw[0]:7.1%}   {raw[1]:6.1f}")
    print(f"    the same, naming states by the rule   {by_rule[0]:7.1%}   {by_rule[1]:6.1f}")
    print(f"    desk, were its states named by truth  {states[0]:7.1%}   {states[1]:6.1f}")
    print(
        f"    behind {100 * (exact[0] - desk[0]):.1f} points (asked: ≤ 2), churn "
        f"{desk[1] / exact[1] - 1:+.0%} (asked: within 20 %)"
    )


def _mean(found: list[Comparison], name: str) -> tuple[float, float]:
    """Return accuracy and changes a year of one side, over all markets."""
    rates = [getattr(one, name) for one in found]
    return (
        float(np.mean([rate.accuracy for rate in rates])),
        float(np.mean([rate.switches for rate in rates])),
    )


def _print_steady(words: str, kind: StateKind, seeds: range, sessions: int) -> None:
    """Print how often a market of one state is called by its name."""
    shares = []
    for seed in seeds:
        _, history = walked(switching_market((kind,), sessions, seed=seed).series, RegimeSettings())
        shares.append(history["regime"].to_list().count(kind.name.value) / history.height)
    print(
        f"  {words:24} {kind.name.value:9} on {np.mean(shares):.1%} of sessions (asked: ≥ 90 %), "
        f"least of a seed {min(shares):.1%}"
    )


def _arguments() -> argparse.Namespace:
    """Read the sizes; 0 seeds or symbols leave that part out."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", type=int, default=12, help="simulated markets of each kind")
    parser.add_argument("--first-seed", type=int, default=101)
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument("--symbols", type=int, default=10_000, help="0 for no speed")
    parser.add_argument("--picture", default="", help="where to write the ribbon as PNG")
    return parser.parse_args()


if __name__ == "__main__":
    main()
