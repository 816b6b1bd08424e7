"""Which kernel calls compute some expressions, each of them once.

An operator adds steps to a plan much as it adds columns to the SQL. A step that was added before,
by this feature or another, is found again: all windows over a value share the sums of its shorter
runs, and a variance, a slope and a correlation share them too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipelines.features.kernels.rowwise import repeated

Operand = int | float
"""Number of a column (a leaf, or what a step writes), or a constant (always a float)."""

Kernel = Callable[..., Any]


@dataclass(frozen=True)
class Step:
    """One kernel call.

    Attributes:
        kernel: Takes the columns, the numbers, for a window where symbols begin, and the column
            to write.
        columns: What it reads.
        numbers: Lengths, weights, a constant.
        is_window: Whether it reads other rows than the one it writes.
    """

    kernel: Kernel
    columns: tuple[int, ...]
    numbers: tuple[float, ...] = ()
    is_window: bool = False


@dataclass
class Plan:
    """Steps in the order of computation; column n is what step n writes, or a leaf."""

    steps: list[Step | str] = field(default_factory=list)
    _known: dict[Step | str, int] = field(default_factory=dict)

    def leaf(self, name: str) -> int:
        """Return the column of an input."""
        return self._placed(name)

    def row(self, kernel: Kernel, *operands: Operand) -> int:
        """Add a call that computes each row from itself."""
        return self._placed(Step(kernel, tuple(map(self.column, operands))))

    def window(self, kernel: Kernel, *operands: Operand, numbers: tuple[float, ...]) -> int:
        """Add a call that looks back."""
        columns = tuple(map(self.column, operands))
        return self._placed(Step(kernel, columns, numbers, is_window=True))

    def column(self, operand: Operand) -> int:
        """Return an operand as a column.

        A constant is one too: beside a number in place of a column, a loop over rows does one row
        at a time instead of eight (a quotient: 1.3 ns instead of 0.4).
        """
        if isinstance(operand, int):
            return operand
        return self._placed(Step(repeated, (), (operand,)))

    def _placed(self, step: Step | str) -> int:
        if step not in self._known:
            self._known[step] = len(self.steps)
            self.steps.append(step)
        return self._known[step]
