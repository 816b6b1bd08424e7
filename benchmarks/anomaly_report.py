"""What the benchmark of the quality stage prints."""

from collections.abc import Iterable, Sequence
from math import isnan
from statistics import median

import polars as pl

from benchmarks.anomaly_panels import Sizes
from benchmarks.anomaly_trials import OURS, WITH_ALERTS, Judged, JudgedClean
from benchmarks.known_faults import KnownFault
from pipelines.anomalies.fault_injection.kinds import FaultKind
from pipelines.anomalies.fault_scoring import (
    HIGH,
    MEDIUM,
    SESSIONS_TO_FIND,
    DetectionRates,
    exact_interval,
    rates,
)

ASKED_PER_TEN_THOUSAND = 1.0
EXAMPLES = 6


def print_what_counts(sizes: Sizes) -> None:
    """Say what the figures mean."""
    days = SESSIONS_TO_FIND
    last = sizes.first_seed + max(sizes.simulated_seeds, sizes.recorded_seeds) - 1
    print(
        f"""seeds {sizes.first_seed} to {last}; half of the symbols of a panel bear one fault each

found        flagged on a wrong or missing session, at most {days} after the first wrong one; hard
             kinds at HIGH or above, soft ones at MEDIUM or above. A gap may also be told of by the
             bar that comes next, a wrong adjusted close by the bar after.
[ ]          exact 95 % interval.
kept out     of the wrong bars of those {days} sessions, those at HIGH or above: no model sees them.
precision    of the bars flagged at the level that the kind needs, the share that is wrong.
false alarms right bars flagged, per 10,000, as of their own night: at HIGH or above in series that
             bear a fault elsewhere (beside) and in series without any (untouched), and at MEDIUM or
             above in all.
delay        sessions from the first wrong one to the first flag: median, largest.
-            nothing is asked of this kind; it is measured all the same."""
    )


def print_rates(judged: Sequence[Judged]) -> None:
    """Print the rates of the rules, by market and in all."""
    for market in dict.fromkeys(row.panel.name for row in judged):
        _print_table(f"rules, faults in {market}", [r for r in judged if r.panel.name == market])
    _print_table("rules, faults in all markets", judged)


def print_baselines(judged: Sequence[Judged]) -> None:
    """Print what others find in the same bars, beside the rules."""
    others = [row for row in judged if row.judge != WITH_ALERTS]
    if any(row.judge != OURS for row in others):
        _print_side_by_side("the same faults in all markets", others)


def print_alerts(judged: Sequence[Judged], clean: Sequence[JudgedClean]) -> None:
    """Print what the detectors' alerts add to the rules, where they were asked."""
    asked = {row.panel for row in judged if row.judge == WITH_ALERTS}
    rows = [r for r in judged if r.panel in asked and r.judge in (OURS, WITH_ALERTS)]
    if not rows:
        return
    words = ", ".join(f"{panel.name} {panel.seed}" for panel in asked)
    _print_side_by_side(f"with the detectors' alerts within the budget ({words})", rows)
    print("  clean bars alone, at MEDIUM or above, per 10,000")
    for whole in (row for row in clean if row.panel in asked):
        flagged = whole.alarms.filter(pl.col("level") >= MEDIUM).height
        rate = 1e4 * flagged / whole.panel.bars.height
        print(f"  {whole.panel.name:12}{whole.judge:16}{flagged:>5} = {rate:.2f}")


def _print_side_by_side(title: str, judged: Sequence[Judged]) -> None:
    """Print a line a kind and a column a judge; kinds that only the rules judge are left out."""
    names = list(dict.fromkeys(row.judge for row in judged))
    print(f"\n{title}: recall / precision / false alarms per 10,000 / delay")
    print(f"{'':28}" + "".join(f"{name:>28}" for name in names))
    for kind in dict.fromkeys(row.detections.kind for row in judged if row.judge != OURS):
        cells = []
        for name in names:
            rows = [r for r in judged if r.judge == name and r.detections.kind is kind]
            sums = rates(row.detections for row in rows)
            alarms = sums.per_ten_thousand(sums.false_alarms)
            cells.append(
                f"{sums.recall:8.1%}{_share(sums.precision):>8}{alarms:7.1f} {_delay(sums):>4}"
            )
        print(f"{kind.name:28}" + "".join(f"{cell:>28}" for cell in cells))


def print_clean(clean: Sequence[JudgedClean]) -> None:
    """Print the false alarms of the rules in bars without any fault."""
    print("\nrules, clean bars alone: false alarms per 10,000, with the exact 95 % interval")
    ours = [row for row in clean if row.judge == OURS]
    for name in dict.fromkeys(row.panel.name for row in ours):
        rows = [row for row in ours if row.panel.name == name]
        # The recordings are the same whatever the seed of the faults.
        rows = rows if name == "simulated" else rows[:1]
        cells = "".join(
            f"{words}+ {_false_alarms(rows, level):34}"
            for words, level in (("HIGH", HIGH), ("MEDIUM", MEDIUM))
        )
        bars = sum(row.panel.bars.height for row in rows)
        print(f"  {name:12}{bars:>9,} bars   {cells}(asked: HIGH+ ≤ {ASKED_PER_TEN_THOUSAND:g})")


def _false_alarms(rows: Sequence[JudgedClean], level: int) -> str:
    """Return number, rate and interval of the bars flagged at a level."""
    bars = sum(row.panel.bars.height for row in rows)
    flagged = sum(row.alarms.filter(pl.col("level") >= level).height for row in rows)
    low, high = (1e4 * end for end in exact_interval(flagged, bars))
    return f"{flagged:4} = {1e4 * flagged / bars:6.2f} [{low:.2f}, {high:.2f}]"


def print_misses(judged: Sequence[Judged], clean: Sequence[JudgedClean]) -> None:
    """Print examples of what the rules missed and of false alarms, to be looked into."""
    print("\nmissed")
    for row in judged:
        for fault in row.detections.faults.filter(~pl.col("is_found")).head(EXAMPLES).rows():
            print(f"  {row.panel.name}#{row.panel.seed}", *fault[:7])
    print("\nfalse alarms at MEDIUM or above in symbols with a fault")
    for row in judged:
        alarms = row.detections.false_alarms.filter(pl.col("level") >= MEDIUM)
        faults = row.detections.faults.select("symbol", "kind", "variant", begins="session")
        beside = alarms.join(faults, on="symbol").sort("level", "symbol", descending=[True, False])
        for alarm in beside.head(EXAMPLES).rows():
            print(f"  {row.panel.name}#{row.panel.seed}", *alarm)
    print("\nfalse alarms in clean bars")
    for whole in (row for row in clean if row.judge == OURS):
        for alarm in whole.alarms.filter(pl.col("level") >= MEDIUM).sort("level").rows():
            print(f"  {whole.panel.name}#{whole.panel.seed}", *alarm[:3])


def print_known(faults: Iterable[KnownFault]) -> None:
    """Print the known faults of the recordings, found or not."""
    print("\nknown faults of the recordings")
    for fault in faults:
        verdict = "ok" if fault.is_met else f"asked: {fault.asked:,}"
        print(f"  {fault.what:72}{fault.count:>6,} of {fault.of:>6,}   {verdict}")


def _print_table(title: str, judged: Sequence[Judged]) -> None:
    """Print a line a kind."""
    print(f"\n{title}")
    print(
        f"{'':28}{'faults':>7} {'recall':>7} {'':17}{'asked':>6} {'kept out':>9} {'precision':>10}"
        f"{'HIGH+ beside':>14}{'untouched':>10}{'MEDIUM+':>9}   delay"
    )
    for kind in dict.fromkeys(row.detections.kind for row in judged):
        print(_line(kind, rates(r.detections for r in judged if r.detections.kind is kind)))


def _line(kind: FaultKind, sums: DetectionRates) -> str:
    """Return a kind's line."""
    asked = kind.asked_recall
    low, high = exact_interval(sums.found, sums.faults)
    interval = f"[{low:.1%}, {high:.1%}]"
    verdict = "-" if asked is None else f"{asked:.0%}{' ' if sums.recall >= asked else '!'}"
    return (
        f"{kind.name:28}{sums.faults:>7,} {sums.recall:>7.1%} {interval:17}{verdict:>6}"
        f"{_share(sums.share_kept_out):>10} {_share(sums.precision):>10}"
        f"{sums.high_beside_faults:>14.2f}{sums.high_in_untouched:>10.2f}"
        f"{sums.per_ten_thousand(sums.false_medium):>9.2f}   {_delay(sums)}"
    )


def _share(share: float) -> str:
    """Return a share in percent; of nothing, nothing."""
    return "n/a" if isnan(share) else f"{share:.1%}"


def _delay(sums: DetectionRates) -> str:
    """Return median and largest delay."""
    if not sums.delays:
        return "none"
    return f"{median(sums.delays):g}, {max(sums.delays)}"
