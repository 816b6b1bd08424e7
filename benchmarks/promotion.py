"""How often weekly challenges promote a model without merit, and how soon one with merit.

A champion is challenged every week of a year by the rule that trainings use. Markets are drawn:
symbols of a session share a shock, and log-odds of `strength` deviation are planted that the
champion knew once. In the case `same` both models know them; in `faded` they are gone, in `flipped`
they have changed their sign, and the challenger has learned so while the champion has not. A second
table is of live results: how often they withdraw a model whose signal goes on through the year, and
how soon one whose signal fades or flips after its first quarter.
"""

import argparse
from collections.abc import Sequence
from datetime import date

import numpy as np
from rich.console import Console
from rich.table import Table as Grid
from scipy.special import ndtri

from pipelines.forecasts.scores import diebold_mariano
from pipelines.lifecycle.comparison import DEPENDENT_SESSIONS
from pipelines.lifecycle.evidence import PairedComparison
from pipelines.lifecycle.live_skill import MOST_JUDGED, live_skill, sessions_to_judge
from pipelines.lifecycle.promotion import (
    Incumbent,
    Verdict,
    alpha_to_spend,
    decide,
    sessions_to_hold_back,
)
from pipelines.validation.logistic import FloatArray, expit
from pipelines.validation.metrics import BoolArray

WEEK, WEEKS, QUARTER = 5, 50, 13
COMMON = 0.2
NOISE_OF_LEARNING = 0.03
"""What two models of one recipe differ by in log-odds, as those of two seeds on the sample do."""
CASES = {"same": (1.0, 1.0), "faded": (1.0, 0.0), "flipped": (1.0, -1.0)}
"""What the champion takes the planted part for, and what it is."""


def main() -> None:
    """Print a line for each size of market and each case."""
    arguments = _arguments()
    grid = Grid(
        title=f"{arguments.years} years of weekly challenges, strength {arguments.strength}"
    )
    for name in ("symbols", "case", "promoted within the year", "median weeks until then"):
        grid.add_column(name, justify="right")
    for symbols in arguments.symbols:
        for number, case in enumerate(CASES):
            weeks = [
                _year(symbols, case, strength=arguments.strength, seed=[symbols, number, year])
                for year in range(arguments.years)
            ]
            won = [week for week in weeks if week is not None]
            grid.add_row(
                f"{symbols}",
                case,
                f"{len(won) / len(weeks):.3f}",
                f"{np.median(won):.0f}" if len(won) > len(weeks) / 2 else "–",
            )
    console = Console(width=100)
    console.print(grid)
    console.print(_withdrawals(arguments))


def _withdrawals(asked: argparse.Namespace) -> Grid:
    """Return how live results judge a year of each case."""
    grid = Grid(title=f"{asked.years} years of weekly judgements by live results")
    for name in ("symbols", "case", "withdrawn within the year", "median weeks after the change"):
        grid.add_column(name, justify="right")
    for symbols in asked.symbols:
        for number, case in enumerate(CASES):
            weeks = [
                _withdrawn(symbols, case, strength=asked.strength, seed=[symbols, number, year])
                for year in range(asked.years)
            ]
            gone = [week - QUARTER for week in weeks if week is not None]
            has_median = case != "same" and len(gone) > len(weeks) / 2
            median = f"{np.median(gone):.0f}" if has_median else "–"
            grid.add_row(f"{symbols}", case, f"{len(gone) / len(weeks):.3f}", median)
    return grid


def _withdrawn(symbols: int, case: str, *, strength: float, seed: Sequence[int]) -> int | None:
    """Return the week of a year in which live results withdraw a model; None without one."""
    rng = np.random.default_rng(seed)
    believed, after = CASES[case]
    true = np.where(np.arange(WEEK * WEEKS) < WEEK * QUARTER, believed, after)[:, None]
    planted, is_up = _outcomes(symbols, true, strength=strength, rng=rng)
    session = np.repeat(np.arange(MOST_JUDGED), symbols)
    for week in range(1, WEEKS + 1):
        seen = slice(max(WEEK * week - MOST_JUDGED, 0), WEEK * week)
        odds = believed * planted[seen].ravel()
        skill = live_skill(
            odds,
            is_up[seen].ravel(),
            session[: len(odds)],
            base_rate=0.5,
            newest=sessions_to_judge(symbols),
        )
        if skill and skill.refutes(alpha=alpha_to_spend(WEEK)):
            return week
    return None


def _outcomes(
    symbols: int, true: float | FloatArray, *, strength: float, rng: np.random.Generator
) -> tuple[FloatArray, BoolArray]:
    """Return a year of planted log-odds and outcomes that are so true (sessions × symbols)."""
    shape = WEEK * WEEKS, symbols
    planted = strength * rng.standard_normal(shape)
    shock = COMMON**0.5 * rng.standard_normal((shape[0], 1))
    own = (1 - COMMON) ** 0.5 * rng.standard_normal(shape)
    return planted, ndtri(1 - expit(true * planted)) < shock + own


def _year(symbols: int, case: str, *, strength: float, seed: Sequence[int]) -> int | None:
    """Return the week of a year's first promotion; None without one."""
    rng = np.random.default_rng(seed)
    believed, true = CASES[case]
    old, new = _losses(symbols, believed, true, strength=strength, rng=rng)
    since = 0
    for week in range(1, WEEKS + 1):
        age, since = WEEK * week, since + WEEK
        held_back = sessions_to_hold_back(age)
        if not held_back:
            continue
        seen = slice(age - held_back, age)
        verdict = _challenge(old[seen], new[seen], age=age, since=since)
        since = 0
        if verdict is Verdict.PROMOTED:
            return week
    return None


def _losses(
    symbols: int, believed: float, true: float, *, strength: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return the mean loss of champion and challenger in each session of a year."""
    planted, is_up = _outcomes(symbols, true, strength=strength, rng=rng)
    models = (
        share * planted + NOISE_OF_LEARNING * rng.standard_normal(planted.shape)
        for share in (believed, true)
    )
    old, new = (np.logaddexp(0, np.where(is_up, -odds, odds)).mean(axis=1) for odds in models)
    return old, new


def _challenge(old: FloatArray, new: FloatArray, *, age: int, since: int) -> Verdict:
    """Return the verdict of one challenge whose canaries pass and whose model is calibrated."""
    test = diebold_mariano(old, new, horizon=DEPENDENT_SESSIONS)
    if test is None:
        return Verdict.KEPT
    gain = float((old - new).mean())
    found = PairedComparison(
        sessions=len(old),
        rows=len(old),
        gain=gain,
        p_value=test.p_value / 2 if gain > 0 else 1 - test.p_value / 2,
        seed_error=0.0,
        calibration_slope=None,
    )
    # Refreshing is no evidence: an age of less than half a year keeps it out of the count.
    incumbent = Incumbent(1, min(age, 125), alpha_to_spend(since))
    return decide((), found, incumbent=incumbent, session=date(2026, 1, 2)).verdict


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--years", type=int, default=200, help="drawn for each line")
    parser.add_argument("--symbols", type=int, nargs="+", default=[5, 50, 500])
    parser.add_argument("--strength", type=float, default=0.15, help="deviation in log-odds")
    return parser.parse_args()


if __name__ == "__main__":
    main()
