"""Ten years of weekly retraining on a market whose planted signal fades, flips and returns.

Every policy chooses among the same real fits (`benchmarks.lifecycle_fits`) of the desk's recipe:
never retrained; always the newest of all history, or of the window that forgets; promotion alone;
that and live results that withdraw and restore; the rules of a night, with the window that forgets
besides, which may end a silence. A label is known when the session after it has closed,
and nobody is judged or trained by one before. Fits are kept in a folder: a run that was stopped, or
a later one of more seeds, makes only those that are missing.
"""

import argparse
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import process_time

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

from benchmarks.lifecycle_fits import Study, keep, weekly_fits
from benchmarks.lifecycle_policies import always, by_the_rules, never, promotion_alone
from benchmarks.lifecycle_scores import Answer, PolicyScore, score

SOON = 4
Scores = Mapping[str, PolicyScore]


def main() -> None:
    """Print what each policy earned, and how soon it answered."""
    asked = _arguments()
    studies = [Study(asked.symbols, asked.weeks, asked.strength, seed) for seed in asked.seeds]
    with ProcessPoolExecutor(asked.processes) as pool:
        found = list(pool.map(_study, studies, [asked.folder] * len(studies)))
    scores = [one for one, _ in found]
    console = Console(width=110)
    console.print(_earnings(scores))
    console.print(_answers(scores))
    console.print(f"{sum(seconds for _, seconds in found):.0f} s of processor time")


def _study(study: Study, folder: Path) -> tuple[Scores, float]:
    """Return the score of each policy on one market, and the processor time that took."""
    started = process_time()
    market = study.market()
    fits = weekly_fits(study, market, folder=folder)
    policies = {
        "never": never(fits),
        "always, all history": always(fits.all_history),
        "always, window": always(fits.always_recent()),
        "promotion alone": promotion_alone(fits, market),
        "rules, no window": by_the_rules(fits, market, forgets=False),
        "the night's rules": by_the_rules(fits, market, forgets=True),
    }
    keep(study.file(folder, "window"), fits.window.models)
    scores = {name: score(one, market, weeks=study.weeks) for name, one in policies.items()}
    return scores, process_time() - started


def _earnings(scores: list[Scores]) -> Grid:
    """Return means and standard errors over the markets."""
    grid = Grid(title=f"{len(scores)} markets: a year net and gross of costs, log loss, decisions")
    names = ("policy", "net a year", "gross", "gain in 1e-4 nats", "moves", "ahead of always in")
    for name in names:
        grid.add_column(name, justify="right")
    for policy in scores[0]:
        of = [one[policy] for one in scores]
        ahead = [one[policy].net_return > one["always, all history"].net_return for one in scores]
        grid.add_row(
            policy,
            _mean([one.net_return for one in of]),
            _mean([one.gross_return for one in of]),
            _mean([one.gain * 1e4 for one in of], digits=2),
            f"{np.mean([len(one.events) - 1 for one in of]):.0f}" if of[0].events else "–",
            f"{sum(ahead)}",
        )
    return grid


def _mean(values: list[float], *, digits: int = 3) -> str:
    """Return a mean with its standard error."""
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5 if len(values) > 1 else np.nan
    return f"{np.mean(values):.{digits}f} ± {error:.{digits}f}"


def _answers(scores: list[Scores]) -> Grid:
    """Return how soon each kind of change was answered, over the changes of all markets."""
    grid = Grid(title=f"weeks after a change, median, and share within {SOON}")
    kinds = {
        "a fade: stopped": ("fade", "weeks_to_stop"),
        "a flip: stopped": ("flip", "weeks_to_stop"),
        "a flip: right again": ("flip", "weeks_to_know"),
        "a return: right again": ("return", "weeks_to_know"),
    }
    for name in ("policy", *kinds, "markets with all"):
        grid.add_column(name, justify="right")
    for policy in scores[0]:
        answers = [answer for one in scores for answer in one[policy].answers]
        whole = sum(all(_is_soon(a) for a in one[policy].answers) for one in scores)
        cells = (_answered(answers, *asked) for asked in kinds.values())
        grid.add_row(policy, *cells, f"{whole} of {len(scores)}")
    return grid


def _is_soon(answer: Answer) -> bool:
    """Return whether a change was answered in time: stopped if it made wrong, and right again."""
    asked = {
        "fade": [answer.weeks_to_stop],
        "flip": [answer.weeks_to_stop, answer.weeks_to_know],
        "return": [answer.weeks_to_know],
    }
    return all(week is not None and week <= SOON for week in asked[answer.kind])


def _answered(answers: list[Answer], kind: str, name: str) -> str:
    """Return the median of the weeks, and how many were soon; never counts as later than all."""
    weeks = [getattr(one, name) for one in answers if one.kind == kind]
    late = [np.inf if week is None else week for week in weeks]
    median = float(np.median(late))
    shown = f"{median:.0f}" if np.isfinite(median) else "–"
    return f"{shown}; {sum(week <= SOON for week in late)} of {len(late)}"


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1, 11)))
    parser.add_argument("--weeks", type=int, default=520)
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--strength", type=float, default=0.125, help="deviation in log-odds")
    parser.add_argument("--processes", type=int, default=2, help="seeds at a time")
    parser.add_argument("--folder", type=Path, default=Path(".nightdesk/benchmarks/lifecycle"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
