"""PyOD's Isolation Forest as plain arrays: fitted by the library, kept and applied without it.

A forest that judged a night must judge it again for years. A pickle would need the same library
versions, and whoever loads one runs the code in it; arrays do neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

TREES = 100
ROWS_A_TREE = 256
"""Both as in the paper (Liu, Ting and Zhou 2008) and in PyOD."""
ROWS_AT_ONCE = 4096
"""So many rows stay in the processor's cache while all trees see them."""
EULER = 0.5772156649015329
CONTAMINATION = 0.01
"""PyOD asks for it; it moves a threshold that is not used here."""


@dataclass(frozen=True, eq=False)
class IsolationForest:
    """Trees filled up to one depth, so that a row walks every one in as many steps.

    Attributes:
        columns: Column that a branch asks for: trees × (2^depth − 1).
        thresholds: Values above go right; infinite below a leaf, where all rows go left.
        lengths: Path length at each end: trees × 2^depth.
        usual_length: Path length of an ordinary row, by the number of rows a tree was grown on.
    """

    columns: NDArray[np.int8]
    thresholds: NDArray[np.float64]
    lengths: NDArray[np.float64]
    usual_length: float

    @classmethod
    def fitted(cls, rows: Matrix, *, seed: int) -> Self:
        """Grow a forest by PyOD."""
        from pyod.models.iforest import IForest  # type: ignore[import-untyped]

        library = IForest(
            n_estimators=TREES,
            max_samples=min(ROWS_A_TREE, len(rows)),
            contamination=CONTAMINATION,
            n_jobs=1,
            random_state=seed,
        ).fit(rows)
        trees = [grown.tree_ for grown in library.detector_.estimators_]
        depth = max(1, *(tree.max_depth for tree in trees))
        filled = [_filled(tree, depth) for tree in trees]
        columns, thresholds, lengths = (np.stack(parts) for parts in zip(*filled, strict=True))
        usual = _usual_length(np.array([library.detector_.max_samples_], dtype=np.float64))
        return cls(columns, thresholds, lengths, float(usual[0]))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return a forest out of what `arrays` gave."""
        return cls(
            arrays["forest_columns"],
            arrays["forest_thresholds"],
            arrays["forest_lengths"],
            float(arrays["forest_usual_length"]),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that the forest is."""
        return {
            "forest_columns": self.columns,
            "forest_thresholds": self.thresholds,
            "forest_lengths": self.lengths,
            "forest_usual_length": np.array(self.usual_length),
        }

    def scores(self, rows: Matrix) -> NDArray[np.float64]:
        """Return how alone each row is, between 0 and 1; about a half is usual.

        A row's score depends on the row and the forest, not on the rows beside it.
        """
        blocks = [
            self._path_lengths(rows[start : start + ROWS_AT_ONCE])
            for start in range(0, len(rows), ROWS_AT_ONCE)
        ]
        total = np.concatenate([np.empty(0), *blocks])
        return np.asarray(2.0 ** (-total / (len(self.columns) * self.usual_length)))

    def _path_lengths(self, rows: Matrix) -> NDArray[np.float64]:
        """Return the sum of each row's path lengths over all trees, in the order of the trees."""
        flat = rows.astype(np.float64).ravel()
        starts = np.arange(len(rows)) * rows.shape[1]
        depth = self.lengths.shape[1].bit_length() - 1
        total = np.zeros(len(rows))
        for columns, thresholds, lengths in zip(
            self.columns.astype(np.intp), self.thresholds, self.lengths, strict=True
        ):
            place = np.zeros(len(rows), dtype=np.intp)
            for _ in range(depth):
                is_right = flat[starts + columns[place]] > thresholds[place]
                place = 2 * place + 1 + is_right
            total += lengths[place - len(thresholds)]
        return total


def _filled(
    tree: Any, depth: int
) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.float64]]:
    """Return a tree of the library as columns, thresholds and path lengths of a full one."""
    branches = 2**depth - 1
    columns = np.zeros(branches, dtype=np.int8)
    thresholds = np.full(branches, np.inf)
    lengths = np.zeros(branches + 1)
    left, right = tree.children_left, tree.children_right
    beyond = _usual_length(tree.n_node_samples.astype(np.float64))
    waiting = [(0, 0, 0, 0)]
    while waiting:
        node, place, level, leaf_level = waiting.pop()
        is_leaf = left[node] < 0
        if level == depth:
            lengths[place - branches] = leaf_level + beyond[node]
            continue
        if not is_leaf:
            columns[place], thresholds[place] = tree.feature[node], tree.threshold[node]
        lower, upper = (node, node) if is_leaf else (left[node], right[node])
        below = leaf_level if is_leaf else level + 1
        waiting.append((lower, 2 * place + 1, level + 1, below))
        waiting.append((upper, 2 * place + 2, level + 1, below))
    return columns, thresholds, lengths


def _usual_length(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean path length in a tree of so many rows (equation 1 of the paper)."""
    many = np.maximum(rows, 3.0)
    length = 2.0 * (np.log(many - 1.0) + EULER) - 2.0 * (many - 1.0) / many
    return np.where(rows <= 1, 0.0, np.where(rows == 2, 1.0, length))
