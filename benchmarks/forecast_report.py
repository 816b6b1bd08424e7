"""What the benchmark of the forecasts prints."""

from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.forecast_recorded import RecordedResult
from benchmarks.forecast_trials import NORMAL_BAND, PROPHET_ALONE, TrialResult
from pipelines.forecasts.evaluation import POOL, PUBLISHED
from pipelines.forecasts.quantiles import FloatArray
from pipelines.forecasts.scores import wilson_interval
from pipelines.forecasts.settings import HORIZONS

NO_MEMBERS = {POOL, PUBLISHED, NORMAL_BAND, PROPHET_ALONE}
ASKED_COVERAGE = (0.88, 0.92)


def print_what_counts() -> None:
    """Say what the figures mean."""
    print(
        """within       share of outcomes within the published 5 to 95 % band, with Wilson's 95 %
             interval; asked: 0.88 to 0.92
<1 %, >99 %  share of outcomes beyond the published 1 and 99 % quantiles
/ …          CRPS of what was published over that of
  best       the best model of the pool in hindsight; asked: below 1.02
  normal     the normal band of the past's mean and deviation; asked: below 1.01 on iid normal
             returns, below 1 elsewhere
  Prophet    Prophet alone, fitted afresh at each origin that it is asked at; asked: below 1"""
    )


def print_simulated(results: Sequence[TrialResult]) -> None:
    """Print coverage and scores of each process and horizon."""
    for name in dict.fromkeys(one.name for one in results):
        of_process = [one for one in results if one.name == name]
        print(f"\n{name}: {len(of_process)} portfolios")
        print(_HEAD)
        hits = np.concatenate([one.hits for one in of_process])
        for at, horizon in enumerate(HORIZONS):
            means = {
                model: float(_scores(of_process, model)[:, at].mean())
                for model in of_process[0].scores
            }
            paired = np.concatenate(
                [
                    one.scores[PUBLISHED][len(one.hits) - len(one.scores[PROPHET_ALONE]) :]
                    for one in of_process
                ]
            )[:, at]
            print(_line(horizon, hits[:, at], means, float(paired.mean())))


def print_recorded(results: Iterable[RecordedResult]) -> None:
    """Print coverage and scores of recorded portfolios, at origins as far apart as the horizon."""
    print("\nrecorded: origins as far apart as the horizon; * where 0.90 lies outside the interval")
    print(f"{'portfolio':<22} {_HEAD}")
    for one in results:
        print(f"{one.name:<22} {_line(one.horizon, one.hits, one.scores, None)}")


_HEAD = (
    f"{'ahead':>5} {'n':>6} {'within':>7} {'95 % interval':>17}  {'<1 %':>6} {'>99 %':>6} "
    f"{'/ best':>7} {'/ normal':>8} {'/ Prophet':>9}  best in hindsight"
)


def _scores(results: Sequence[TrialResult], model: str) -> FloatArray:
    """Return a model's scores over all series; where it had no fit, the random walk's."""
    return np.concatenate(
        [
            np.where(np.isnan(one.scores[model]), one.scores["random_walk"], one.scores[model])
            if len(one.scores[model]) == len(one.hits)
            else one.scores[model]
            for one in results
        ]
    )


def _line(horizon: int, hits: FloatArray, means: dict[str, float], paired: float | None) -> str:
    """Return one line of a table; `paired` is our score where Prophet alone was asked."""
    share = float(np.mean((hits >= 0.05) & (hits <= 0.95)))
    low, high = wilson_interval(share, len(hits))
    members = {model: score for model, score in means.items() if model not in NO_MEMBERS}
    best = min(members, key=lambda model: members[model])
    mark = " " if low <= 0.9 <= high else "*"
    prophet = "-" if paired is None else f"{paired / means[PROPHET_ALONE]:.3f}"
    return (
        f"{horizon:>5} {len(hits):>6,} {share:>7.4f} {low:>8.4f}–{high:.4f}{mark:<3} "
        f"{np.mean(hits < 0.01):>6.4f} {np.mean(hits > 0.99):>6.4f} "
        f"{means[PUBLISHED] / members[best]:>7.4f} {means[PUBLISHED] / means[NORMAL_BAND]:>8.4f} "
        f"{prophet:>9}  {best}"
    )
