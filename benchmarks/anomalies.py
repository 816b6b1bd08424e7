"""How much of what is wrong the quality stage finds, and how much that is right it takes for wrong.

`make bench-anomalies` puts faults of every kind into clean bars, has them judged as of each bar's
own night, and prints recall, precision, false alarms and delay, of the rules and of four usual
detectors on the same bars; then the clean bars alone, the faults that recordings are known to have,
and speed. Seeds up to 20 were used while the rules were written; the default ones were not.
"""

import argparse
import sys
from time import perf_counter

from benchmarks.anomaly_judges import rules
from benchmarks.anomaly_panels import Sizes, panels
from benchmarks.anomaly_report import (
    print_alerts,
    print_baselines,
    print_clean,
    print_known,
    print_misses,
    print_rates,
    print_what_counts,
)
from benchmarks.anomaly_speed import print_speed
from benchmarks.anomaly_trials import ALL_KINDS, OURS, Judged, JudgedClean, Trial
from benchmarks.known_faults import known_faults

WIDE_MARKETS = ("simulated", "sp500_year")
"""The detectors judge a bar beside many others of its session."""


def main() -> None:
    """Measure what was asked for."""
    asked = _arguments()
    kinds = [ALL_KINDS[name] for name in asked.kinds or ALL_KINDS]
    sizes = Sizes(
        asked.seeds, asked.recorded_seeds, asked.first_seed, asked.symbols, asked.sessions
    )
    started = perf_counter()
    judged, clean = measured(
        Trial(kinds, with_baselines=not asked.no_baselines), sizes, alert_seeds=asked.alert_seeds
    )
    print_what_counts(sizes)
    ours = [row for row in judged if row.judge == OURS]
    print_rates(ours)
    print_baselines(judged)
    print_clean(clean)
    print_alerts(judged, clean)
    if asked.misses:
        print_misses(ours, clean)
    print(f"\ninjected, judged and scored in {perf_counter() - started:.0f} s")
    if not asked.no_known:
        print_known(known_faults(rules))
    if asked.speed_symbols:
        print_speed(history_symbols=asked.speed_symbols, night_symbols=asked.night_symbols)


def measured(
    trial: Trial, sizes: Sizes, *, alert_seeds: int
) -> tuple[list[Judged], list[JudgedClean]]:
    """Judge all panels, clean and faulty, those of the first seeds by the detectors as well."""
    judged: list[Judged] = []
    clean: list[JudgedClean] = []
    for panel in panels(sizes):
        is_early = panel.seed < sizes.first_seed + alert_seeds
        with_alerts = is_early and panel.name in WIDE_MARKETS
        print(f"{panel.name} {panel.seed}: {panel.bars.height:,} bars", file=sys.stderr)
        clean.extend(trial.clean(panel, with_alerts=with_alerts))
        judged.extend(trial.faulty(panel, with_alerts=with_alerts))
    return [row for row in judged if row.detections.faults.height], clean


def _arguments() -> argparse.Namespace:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", type=int, default=4, help="simulated panels; 0 for none")
    parser.add_argument("--recorded-seeds", type=int, default=3, help="draws of faults; 0 for none")
    parser.add_argument("--alert-seeds", type=int, default=1, help="seeds for the detectors")
    parser.add_argument("--first-seed", type=int, default=1001, help="1 to 20 are for development")
    parser.add_argument("--symbols", type=int, default=160, help="of a simulated panel")
    parser.add_argument("--sessions", type=int, default=400, help="of a simulated panel")
    parser.add_argument("--kinds", nargs="*", choices=sorted(ALL_KINDS), help="only these")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--no-known", action="store_true", help="leave out the known faults")
    parser.add_argument("--misses", action="store_true", help="show what was missed, and alarms")
    parser.add_argument("--speed-symbols", type=int, default=1000, help="five years; 0 for none")
    parser.add_argument("--night-symbols", type=int, default=10_000, help="one new session")
    return parser.parse_args()


if __name__ == "__main__":
    main()
