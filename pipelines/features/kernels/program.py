"""Expressions as a list of kernel calls over a few reused columns.

A column is given to another step after its last use, and a result is handed over as soon as it is
made, so that a batch of symbols stays in the processor's cache.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.features.expressions import Call, Column, Constant, Expression
from pipelines.features.kernels.arrays import FloatArray, IntArray
from pipelines.features.kernels.operations import OPERATIONS
from pipelines.features.kernels.plan import Operand, Plan, Step


@dataclass(frozen=True)
class PlacedStep:
    """A step, the columns it reads and writes, and the results that are ready after it."""

    step: Step
    read: tuple[int, ...]
    written: int
    results: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """Steps that compute some expressions, none of which compares symbols.

    Attributes:
        leaves: Column number of each input.
        leaf_results: Input that each expression is, for those that are no more than that.
        steps: In the order of computation.
        columns: How many columns there are at once.
    """

    leaves: Mapping[str, int]
    leaf_results: Mapping[str, str]
    steps: tuple[PlacedStep, ...]
    columns: int

    @property
    def results(self) -> list[str]:
        """Return the names of the expressions."""
        made = [name for placed in self.steps for name in placed.results]
        return [*self.leaf_results, *made]

    def run(
        self,
        inputs: Mapping[str, FloatArray],
        starts: IntArray,
        workspace: FloatArray,
        hand_over: Callable[[str, FloatArray], None],
    ) -> None:
        """Compute every expression on a batch of symbols' rows.

        Args:
            inputs: The leaves' columns.
            starts: First row of each symbol, and the number of all rows at the end.
            workspace: `columns` rows of the length of the batch or more; overwritten.
            hand_over: Takes the name of each expression and its values, which it must not keep.
        """
        length = int(starts[-1])
        columns = [column[:length] for column in workspace]
        for name, number in self.leaves.items():
            columns[number] = inputs[name]
        for result, leaf in self.leaf_results.items():
            hand_over(result, inputs[leaf])
        # NaN stands for null, and what is not finite becomes it: neither is a mistake.
        with np.errstate(all="ignore"):
            for placed in self.steps:
                step, out = placed.step, columns[placed.written]
                values = (columns[number] for number in placed.read)
                where = (starts,) if step.is_window else ()
                step.kernel(*values, *step.numbers, *where, out)
                for name in placed.results:
                    hand_over(name, out)


def compile_program(
    expressions: Mapping[str, Expression], *, given: Mapping[str, Expression] | None = None
) -> Program:
    """Return the program of some expressions.

    Args:
        expressions: By name.
        given: Subtrees whose values are inputs of the program, by the name of the input.

    Raises:
        ValueError: an expression compares symbols, which a batch of symbols cannot.
    """
    plan = Plan()
    known: dict[Expression, Operand] = {
        tree: plan.leaf(name) for name, tree in (given or {}).items()
    }
    made = {name: plan.column(_planned(plan, tree, known)) for name, tree in expressions.items()}
    return _placed(plan, made)


def _planned(plan: Plan, tree: Expression, known: dict[Expression, Operand]) -> Operand:
    """Return the column or the constant that a tree is, adding the steps that are not there."""
    if tree not in known:
        match tree:
            case Column(name):
                known[tree] = plan.leaf(name)
            case Constant(value):
                known[tree] = float(value)
            case Call(operator, arguments, rows):
                if tree.entry.is_session_wide:
                    message = (
                        f"{tree.text} compares symbols: compute it by sessions, not by symbols"
                    )
                    raise ValueError(message)
                operands = [_planned(plan, argument, known) for argument in arguments]
                known[tree] = OPERATIONS[operator](plan, operands, rows)
    return known[tree]


def _placed(plan: Plan, made: Mapping[str, int]) -> Program:
    """Give the plan's steps columns, each of them free for another after its last use."""
    results = {number: [n for n, m in made.items() if m == number] for number in made.values()}
    leaves = {step: number for number, step in enumerate(plan.steps) if isinstance(step, str)}
    places = {number: place for place, number in enumerate(leaves.values())}
    last_use = _last_uses(plan.steps)
    free: list[int] = []
    columns, steps = len(leaves), list[PlacedStep]()
    for number, step in enumerate(plan.steps):
        if isinstance(step, str):
            continue
        # Taken before the operands are given back: a kernel never writes what it reads.
        places[number] = free.pop() if free else columns
        columns = max(columns, places[number] + 1)
        read = tuple(places[column] for column in step.columns)
        steps.append(PlacedStep(step, read, places[number], tuple(results.get(number, ()))))
        free += [
            places[column]
            for column in sorted({number, *step.columns})
            if last_use.get(column, number) == number and not isinstance(plan.steps[column], str)
        ]
    return Program(
        leaves={name: places[number] for name, number in leaves.items()},
        leaf_results={n: s for s, m in leaves.items() for n in results.get(m, ())},
        steps=tuple(steps),
        columns=columns,
    )


def _last_uses(steps: Sequence[Step | str]) -> dict[int, int]:
    """Return the number of the last step that reads each column."""
    return {
        column: number
        for number, step in enumerate(steps)
        if isinstance(step, Step)
        for column in step.columns
    }
