"""How honest the portfolio forecasts are, on returns whose truth is known and on recorded ones.

`make bench-forecasts` forecasts simulated portfolios every session, as nights do, and judges
origins 21 sessions apart, whose outcomes don't overlap at any horizon; then the recorded
portfolios, and what each model costs. Models are fitted half as often as at night, which is no
advantage. Each result is kept: a run that was stopped goes on, and more series only add.
"""

import argparse
from time import perf_counter

from benchmarks.forecast_costs import print_costs, print_night
from benchmarks.forecast_processes import PROCESSES
from benchmarks.forecast_recorded import recorded_results
from benchmarks.forecast_report import print_recorded, print_simulated, print_what_counts
from benchmarks.forecast_results import results_of
from benchmarks.forecast_trials import Trial


def main() -> None:
    """Measure what was asked for."""
    asked = _arguments()
    started = perf_counter()
    trials = [
        Trial(process, seed, asked.burn_in, asked.origins, asked.prophet, asked.refit)
        for seed in range(asked.first_seed, asked.first_seed + asked.series)
        for process in PROCESSES  # so that a run that was stopped knows as much of each
    ]
    results = list(results_of(trials, asked.workers))
    print_what_counts()
    print_simulated(results)
    print(f"\nsimulated, forecast and judged in {perf_counter() - started:.0f} s")
    if not asked.no_recorded:
        print_recorded(recorded_results())
    print_costs()
    if asked.portfolios:
        print_night(asked.portfolios)


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=50, help="simulated portfolios a process")
    parser.add_argument("--origins", type=int, default=100, help="origins of each that count")
    parser.add_argument("--burn-in", type=int, default=504, help="sessions before these")
    parser.add_argument("--prophet", type=int, default=2, help="of these, Prophet alone's")
    parser.add_argument("--refit", type=int, default=252, help="sessions between two fits")
    parser.add_argument("--first-seed", type=int, default=1000, help="seed of the first series")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--no-recorded", action="store_true", help="leave recorded ones out")
    parser.add_argument("--portfolios", type=int, default=20, help="of one night; 0: leave out")
    return parser.parse_args()


if __name__ == "__main__":
    main()
