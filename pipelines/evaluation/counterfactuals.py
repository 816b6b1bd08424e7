"""The least feasible change of a few features that flips a recommendation.

Feasible is what training has seen: a feature moves along the quantiles of its training rows. A
move costs its shift in training percentiles (Ustun, Spangher & Liu, Actionable recourse in linear
classification, 2019), so that features of any unit compare. Among single features the least on that
grid is found by trying all; where none is enough, the feature that moves the probability most is
kept and the search goes on, up to MOST_CHANGES, and then every kept move is shortened as far as the
flip allows. So one change is exact on the grid, two or three are an upper bound.

Features are moved one at a time, also those that a market only moves together: this tells what the
model hangs on, not what could have happened.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.evaluation.replay import Turn
from pipelines.signals.model import TrainedSignal, finite_features
from pipelines.signals.scoring import BUY_MARGIN
from pipelines.validation.logistic import FloatArray

MOST_CHANGES = 3
STEPS = 21
"""Quantiles of a feature that are tried, its extremes among them."""
SHARES = np.linspace(0, 1, STEPS)


@dataclass(frozen=True)
class Change:
    """A feature's move; percentiles are of its training rows, 0 to 1."""

    feature: str
    value: float
    changed_to: float
    percentile: float
    changed_percentile: float

    @property
    def cost(self) -> float:
        """Return the shift in percentiles."""
        return abs(self.changed_percentile - self.percentile)


@dataclass(frozen=True)
class Counterfactual:
    """What would have flipped a recommendation.

    Attributes:
        symbol: The symbol.
        session: The session.
        model_version: The version that gave it.
        recommendation: What it said.
        probability: By which probability.
        changed_probability: After the changes; None where none is enough.
        changes: The least that flips it, none where MOST_CHANGES are not enough.
    """

    symbol: str
    session: date
    model_version: int
    recommendation: str
    probability: float
    changed_probability: float | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, eq=False)
class _Search:
    """One row's features, where each may move, and the model that answers."""

    model: TrainedSignal
    values: FloatArray
    grid: FloatArray
    percentiles: FloatArray

    def probability(self, rows: FloatArray) -> FloatArray:
        """Return the calibrated probability of rows of features."""
        frame = pl.DataFrame(rows, schema=list(self.model.features), orient="row")
        return self.model.calibration.probability(self.model.margins(frame))

    def side(self, probability: FloatArray) -> NDArray[np.int_]:
        """Return 1 for a buy, -1 for a sell, 0 for a hold."""
        distance = probability - self.model.base_rate
        return np.where(distance >= BUY_MARGIN, 1, np.where(distance <= -BUY_MARGIN, -1, 0))


def counterfactuals(
    rows: pl.DataFrame, replayed: Sequence[Turn], training: pl.DataFrame
) -> tuple[Counterfactual, ...]:
    """Return what would have flipped the highest, the middle and the lowest signal.

    Args:
        rows: Replayed rows with their opinions.
        replayed: The turns that gave them.
        training: Rows that models were trained on, and later ones, which are not looked at.
    """
    turns = {turn.version: turn for turn in replayed}
    ranked = rows.sort(pl.col("probability") - pl.col("base_rate"), "session", "symbol")
    picked = ranked[sorted({0, ranked.height // 2, ranked.height - 1}, reverse=True)]
    return tuple(
        _counterfactual(one, turns[one["model_version"]], training)
        for one in picked.iter_rows(named=True)
    )


def _counterfactual(row: dict[str, object], turn: Turn, training: pl.DataFrame) -> Counterfactual:
    """Return what would have flipped one signal."""
    is_it = (pl.col("symbol") == row["symbol"]) & (pl.col("session") == row["session"])
    search = _search(turn, turn.rows.filter(is_it), training)
    own = search.probability(search.values[None, :])
    flipped = list(_flips(search, int(search.side(own)[0])))
    found = min(flipped, key=lambda one: _cost(search, one), default=None)
    changed = None if found is None else float(search.probability(found[None, :])[0])
    return Counterfactual(
        symbol=str(row["symbol"]),
        session=turn.rows.filter(is_it)["session"].item(),
        model_version=turn.version,
        recommendation=str(row["recommendation"]),
        probability=float(own[0]),
        changed_probability=changed,
        changes=() if found is None else tuple(_changes(search, found)),
    )


def _search(turn: Turn, row: pl.DataFrame, training: pl.DataFrame) -> _Search:
    """Return where the features of a row may move: quantiles of what the model had seen."""
    features = finite_features(turn.model.features)
    seen = training.filter(pl.col("label_end") <= turn.model.trained_through).select(features)
    grid = np.nanquantile(seen.to_numpy().astype(np.float64), SHARES, axis=0).T
    values = row.select(features).to_numpy()[0].astype(np.float64)
    places = [np.interp(value, steps, SHARES) for value, steps in zip(values, grid, strict=True)]
    return _Search(turn.model, values, grid, np.array(places))


def _flips(search: _Search, side: int) -> Iterator[FloatArray]:
    """Yield features that flip a side: a buy or sell to anything else, a hold either way."""
    for sign in (-side,) if side else (1, -1):
        found = _greedy(search, side, sign)
        if found is not None:
            yield _shortened(search, found, side)


def _greedy(search: _Search, side: int, sign: int) -> FloatArray | None:
    """Return features moved one after the other until the side flips; None where it does not."""
    moved = search.values.copy()
    for _ in range(MOST_CHANGES):
        moves = _moves(search, moved)
        if not len(moves):
            return None
        probability = search.probability(moves)
        flips = np.flatnonzero(search.side(probability) != side)
        if len(flips):
            return np.asarray(moves[min(flips, key=lambda one: _cost(search, moves[one]))])
        moved = moves[np.argmax(sign * probability)]
    return None


def _moves(search: _Search, moved: FloatArray) -> FloatArray:
    """Return every move of one feature that is known and has not moved yet (moves × features)."""
    still = np.isfinite(search.values) & (moved == search.values)
    places = np.flatnonzero(still)
    moves = np.tile(moved, (len(places) * STEPS, 1))
    for number, place in enumerate(places):
        moves[number * STEPS : (number + 1) * STEPS, place] = search.grid[place]
    return moves


def _shortened(search: _Search, found: FloatArray, side: int) -> FloatArray:
    """Return a flip with each of its moves as short as the flip allows."""
    for place in _moved(search, found):
        tries = np.tile(found, (STEPS + 1, 1))
        tries[:, place] = np.append(search.grid[place], search.values[place])
        flips = np.flatnonzero(search.side(search.probability(tries)) != side)
        found = tries[min(flips, key=lambda one: _cost(search, tries[one]))]
    return found


def _moved(search: _Search, found: FloatArray) -> NDArray[np.int_]:
    """Return the features that differ."""
    return np.flatnonzero(np.isfinite(search.values) & (found != search.values))


def _percentile(search: _Search, place: int, value: float) -> float:
    """Return where a value lies among the training rows, 0 to 1."""
    return float(np.interp(value, search.grid[place], SHARES))


def _cost(search: _Search, found: FloatArray) -> float:
    """Return the sum of all shifts in percentiles."""
    return sum(one.cost for one in _changes(search, found))


def _changes(search: _Search, found: FloatArray) -> Iterator[Change]:
    """Yield the moves of features, in the order of the model's."""
    for place in _moved(search, found):
        yield Change(
            search.model.features[place],
            value=float(search.values[place]),
            changed_to=float(found[place]),
            percentile=float(search.percentiles[place]),
            changed_percentile=_percentile(search, place, found[place]),
        )
