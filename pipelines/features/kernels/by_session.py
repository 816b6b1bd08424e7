"""What compares the symbols of a session: some sessions at a time, on several cores.

The parts that compare nothing are computed by symbol before, and put in the order of sessions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from pipelines.features.expressions import Call, Constant, Expression
from pipelines.features.kernels import sessions
from pipelines.features.kernels.arrays import FloatArray, IntArray
from pipelines.features.kernels.program import Program, compile_program

SessionKernel = Callable[[FloatArray, IntArray, FloatArray], None]

SESSION_KERNELS: Mapping[str, SessionKernel] = {
    "rank": sessions.rank,
    "session_mean": sessions.session_mean,
}


@dataclass(frozen=True, eq=False)
class SessionOrder:
    """Rows by session, and by symbol within one.

    Attributes:
        rows: The row that stands at each place.
        places: The place of each row.
        starts: Where each session begins, and the number of all rows at the end.
    """

    rows: IntArray
    places: IntArray
    starts: IntArray

    @classmethod
    def of(cls, days: IntArray) -> "SessionOrder":
        """Return the order of rows by symbol, by the days that they have."""
        # NumPy sorts numbers of 16 bits without comparing them; days of 179 years have no more.
        since = days - (days.min() if len(days) else 0)
        is_short = since.max(initial=0) < 2**16
        rows = np.argsort(since.astype(np.uint16) if is_short else since, kind="stable")
        places = np.empty_like(rows)
        places[rows] = np.arange(len(rows))
        changes = np.flatnonzero(np.diff(days[rows])) + 1
        return cls(rows, places, np.concatenate([[0], changes, [len(days)]]))


@dataclass(frozen=True)
class SessionStep:
    """What one operator makes of columns that are known.

    Attributes:
        operands: Numbers of the columns it reads.
        operator: The kernel that compares the symbols of a session, or the program of an operator
            that computes each row from itself.
    """

    operands: tuple[int, ...]
    operator: SessionKernel | Program

    def run(self, columns: Sequence[FloatArray], starts: IntArray) -> FloatArray:
        """Return the column that follows from some columns of whole sessions."""
        result = np.empty(int(starts[-1]))
        given = [columns[number] for number in self.operands]
        operator = self.operator
        if isinstance(operator, Program):
            operator.run(
                {_input(n): values for n, values in enumerate(given)},
                np.array([0, len(result)]),
                np.empty((operator.columns, len(result))),
                lambda _, values: np.copyto(result, values),
            )
        else:
            operator(given[0], starts, result)
        return result


@dataclass(frozen=True)
class SessionProgram:
    """Steps that compute trees which compare symbols.

    Attributes:
        parts: The largest subtrees that compare none, the first columns.
        steps: Each makes the next column.
        results: Column of each tree, by its name.
    """

    parts: tuple[Expression, ...]
    steps: tuple[SessionStep, ...]
    results: Mapping[str, int]

    def run(self, parts: Sequence[FloatArray], starts: IntArray) -> dict[str, FloatArray]:
        """Return the values of every tree on the rows of whole sessions.

        Args:
            parts: Values of `parts`, by session.
            starts: Where each session begins, and the number of all rows at the end.
        """
        columns = list(parts)
        for step in self.steps:
            columns.append(step.run(columns, starts))
        return {name: columns[number] for name, number in self.results.items()}


@lru_cache(maxsize=64)
def session_program(trees: tuple[tuple[str, Expression], ...]) -> SessionProgram:
    """Return the program of some trees: a table's are the same in each of its batches."""
    parts = tuple(_plain_parts(tree for _, tree in trees))
    numbers = {part: number for number, part in enumerate(parts)}
    steps = list[SessionStep]()

    def column(tree: Expression) -> int:
        if tree not in numbers:
            step = _step(tree, column)
            numbers[tree] = len(parts) + len(steps)
            steps.append(step)
        return numbers[tree]

    results = {name: column(tree) for name, tree in trees}
    return SessionProgram(parts, tuple(steps), results)


def _step(tree: Expression, column: Callable[[Expression], int]) -> SessionStep:
    """Return the step of a tree's operator, after those of its arguments."""
    if not isinstance(tree, Call):
        message = f"{tree.text} is no operator's result: it has no values of its own here"
        raise TypeError(message)
    arguments = [one for one in tree.arguments if one.inputs]
    operands = tuple(column(one) for one in arguments)
    if tree.operator in SESSION_KERNELS:
        return SessionStep(operands, SESSION_KERNELS[tree.operator])
    given = {_input(n): one for n, one in enumerate(arguments)}
    return SessionStep(operands, compile_program({"result": tree}, given=given))


def _input(number: int) -> str:
    return f"given_{number}"


def _plain_parts(trees: Iterable[Expression]) -> list[Expression]:
    """Return the largest subtrees that compare no symbols, each once."""
    found: dict[Expression, None] = {}

    def visit(tree: Expression) -> None:
        if not tree.is_session_wide:
            if not isinstance(tree, Constant):
                found[tree] = None
            return
        for operand in tree.operands:
            visit(operand)

    for tree in trees:
        visit(tree)
    return list(found)


def session_blocks(starts: IntArray, *, rows: int) -> Sequence[tuple[int, int]]:
    """Cut sessions into runs of about so many rows, as pairs of session numbers."""
    numbers = np.unique(np.searchsorted(starts, np.arange(0, int(starts[-1]), rows)))
    cuts = [*(int(number) for number in numbers), len(starts) - 1]
    return [(begin, end) for begin, end in pairwise(cuts) if begin < end]
