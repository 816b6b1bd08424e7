"""What the benchmark of the forecasts prints."""

from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.forecast_recorded import RecordedResult
from benchmarks.forecast_trials import NORMAL_BAND, PROPHET_ALONE, TrialResult
from pipelines.forecasts.evaluation import POOL, PUBLISHED
from pipelines.forecasts.members.catalogue import YARDSTICK
from pipelines.forecasts.quantiles import FloatArray
from pipelines.forecasts.scores import wilson_interval
from pipelines.forecasts.settings import HORIZONS

NO_MEMBERS = {POOL, PUBLISHED, NORMAL_BAND, PROPHET_ALONE}


def print_what_counts() -> None:
    """Say what the figures mean."""
    print(
        """within       share of outcomes within the published 5 to 95 % band, with Wilson's 95 %
             interval; asked: 0.88 to 0.92
<1 %, >99 %  share of outcomes beyond the published 1 and 99 % quantiles
/ …          CRPS of what was published over that of, ± half of its 95 % interval
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
        scores = {model: _scores(of_process, model) for model in of_process[0].scores}
        paired = np.concatenate([_last_published(one) for one in of_process])
        for at, horizon in enumerate(HORIZONS):
            at_horizon = {model: score[:, at] for model, score in scores.items()}
            print(_line(horizon, hits[:, at], at_horizon, paired[:, at]))


def print_recorded(results: Iterable[RecordedResult]) -> None:
    """Print coverage and scores of recorded portfolios, at origins as far apart as the horizon."""
    print("\nrecorded: origins as far apart as the horizon; * where 0.90 lies outside the interval")
    print(f"{'portfolio':<22} {_HEAD}")
    for one in results:
        print(f"{one.name:<22} {_line(one.horizon, one.hits, one.scores, one.paired)}")


_HEAD = (
    f"{'ahead':>5} {'n':>6} {'within':>7} {'95 % interval':>17}  {'<1 %':>6} {'>99 %':>6} "
    f"{'/ best':>7} {'/ normal':>16} {'/ Prophet':>14}  best in hindsight"
)


def _scores(results: Sequence[TrialResult], model: str) -> FloatArray:
    """Return a model's scores over all series."""
    return np.concatenate([one.scores[model] for one in results])


def _last_published(result: TrialResult) -> FloatArray:
    """Return our scores at the origins that Prophet alone was asked at."""
    return result.scores[PUBLISHED][len(result.hits) - len(result.scores[PROPHET_ALONE]) :]


def _line(horizon: int, hits: FloatArray, scores: dict[str, FloatArray], paired: FloatArray) -> str:
    """Return one line of a table; `paired` are our scores where Prophet alone was asked."""
    share = float(np.mean((hits >= 0.05) & (hits <= 0.95)))
    low, high = wilson_interval(share, len(hits))
    means = {
        model: _mean_score(score, scores[YARDSTICK])
        for model, score in scores.items()
        if model not in NO_MEMBERS
    }
    best = min(means, key=lambda model: means[model])
    mark = " " if low <= 0.9 <= high else "*"
    published = scores[PUBLISHED]
    return (
        f"{horizon:>5} {len(hits):>6,} {share:>7.4f} {low:>8.4f}–{high:.4f}{mark:<3} "
        f"{np.mean(hits < 0.01):>6.4f} {np.mean(hits > 0.99):>6.4f} "
        f"{published.mean() / means[best]:>7.4f} {_ratio(published, scores[NORMAL_BAND], 4):>16} "
        f"{_ratio(paired, scores[PROPHET_ALONE], 2):>14}  {best}"
    )


def _mean_score(score: FloatArray, instead: FloatArray) -> float:
    """Return a model's mean score; where it had no fit, the random walk's counts in its place.

    Of the other origins alone the mean would be that of easier ones.
    """
    return float(np.mean(np.where(np.isnan(score), instead, score)))


def _ratio(ours: FloatArray, theirs: FloatArray, digits: int) -> str:
    """Return the ratio of two mean scores at the same independent origins, with its 95 % interval.

    By the delta method: the ratio moves as the mean of what ours is more than its share of theirs.
    """
    ratio = ours.mean() / theirs.mean()
    half = 1.96 * (ours - ratio * theirs).std() / np.sqrt(len(ours)) / theirs.mean()
    return f"{ratio:.{digits}f} ± {half:.{digits}f}"
