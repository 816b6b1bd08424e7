"""Features of many symbols: batches of symbols on both cores, then what compares symbols.

Rows come by symbol and session, with as many earlier rows of each symbol as the look-back asks for.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from pipelines.features.expressions import Call, Constant, Expression
from pipelines.features.kernels import sessions
from pipelines.features.kernels.arrays import FloatArray, IntArray
from pipelines.features.kernels.program import Program, compile_program
from pipelines.features.kernels.results import keep, keep_chosen

BATCH_ROWS = 20_000
"""Rows of a batch: its columns fit into a core's own cache (50 million rows: 20 s of processor time
in batches of 10,000 to 40,000 rows, 32 s in batches of 200,000)."""

SESSION_KERNELS = {"rank": sessions.rank, "session_mean": sessions.session_mean}


@dataclass(frozen=True, eq=False)
class FeaturePanel:
    """Rows by symbol and session.

    Attributes:
        starts: First row of each symbol, and the number of all rows at the end.
        days: Number of each row's day (since 1970-01-01), rising within a symbol.
        leaves: The input columns, NaN for null.
        wanted: Rows whose session-wide values are asked for; they hold whole sessions.
        places: Where the values of each wanted row are put; None for their order.
    """

    starts: IntArray
    days: IntArray
    leaves: Mapping[str, FloatArray]
    wanted: IntArray
    places: IntArray | None = None


def compute_features(
    expressions: Mapping[str, Expression],
    panel: FeaturePanel,
    *,
    threads: int = 2,
    dtype: type[np.floating] = np.float64,
) -> dict[str, FloatArray]:
    """Return the values of every expression on the wanted rows, in their places, NaN for null.

    Args:
        expressions: The features, by name.
        panel: The rows.
        threads: Batches of symbols that are computed at a time; no value depends on it.
        dtype: What values are kept as; what it can't hold is NaN.
    """
    wide = {name: tree for name, tree in expressions.items() if tree.is_session_wide}
    plain = {name: tree for name, tree in expressions.items() if name not in wide}
    kept = _by_batches(_program(tuple(plain.items())), panel, threads=threads, dtype=dtype)
    if wide:
        parts = {f"part_{n}": tree for n, tree in enumerate(_plain_parts(wide.values()))}
        program = _program(tuple(parts.items()))
        in_order = replace(panel, places=None)
        exact = _by_batches(program, in_order, threads=threads, dtype=np.float64)
        known = {tree: exact[name] for name, tree in parts.items()}
        values = _SessionWide(known, panel.days[panel.wanted])
        kept |= {
            name: _as_kept(values.of(tree), dtype, panel.places) for name, tree in wide.items()
        }
    return {name: kept[name] for name in expressions}


@lru_cache(maxsize=256)
def _program(expressions: tuple[tuple[str, Expression], ...]) -> Program:
    """Return the program of some expressions: a table's are the same in each of its batches."""
    return compile_program(dict(expressions))


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


def _by_batches(
    program: Program, panel: FeaturePanel, *, threads: int, dtype: type[np.floating]
) -> dict[str, FloatArray]:
    """Run a program on batches of whole symbols, and keep the wanted rows."""
    kept = dict(
        zip(
            program.results,
            np.empty((len(program.results), len(panel.wanted)), dtype),
            strict=True,
        )
    )
    batches = _batches(panel.starts)
    remaining = iter(batches)

    def work(_: int) -> None:
        longest = max(int(panel.starts[end] - panel.starts[begin]) for begin, end in batches)
        workspace = np.empty((program.columns, longest))
        for begin, end in remaining:
            _run_batch(program, panel, (begin, end), workspace, kept)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        list(pool.map(work, range(min(threads, len(batches)))))
    return kept


def _run_batch(
    program: Program,
    panel: FeaturePanel,
    symbols: tuple[int, int],
    workspace: FloatArray,
    kept: Mapping[str, FloatArray],
) -> None:
    """Run a program on some symbols' rows, and keep the wanted ones."""
    begin, end = (int(panel.starts[symbol]) for symbol in symbols)
    low, high = np.searchsorted(panel.wanted, (begin, end))
    rows = panel.wanted[low:high] - begin
    places = np.arange(low, high) if panel.places is None else panel.places[low:high]
    is_whole = len(rows) == end - begin and panel.places is None

    def hand_over(name: str, values: FloatArray) -> None:
        if is_whole:
            keep(values, kept[name][low:high])
        else:
            keep_chosen(values, rows, places, kept[name])

    inputs = {name: panel.leaves[name][begin:end] for name in program.leaves}
    starts = panel.starts[symbols[0] : symbols[1] + 1] - begin
    program.run(inputs, starts, workspace, hand_over)


def _batches(starts: IntArray) -> list[tuple[int, int]]:
    """Cut symbols into runs of about BATCH_ROWS rows, as pairs of symbol numbers."""
    cuts = [0]
    for symbol in range(1, len(starts)):
        if starts[symbol] - starts[cuts[-1]] >= BATCH_ROWS or symbol == len(starts) - 1:
            cuts.append(symbol)
    return list(pairwise(cuts))


def _as_kept(values: FloatArray, dtype: type[np.floating], places: IntArray | None) -> FloatArray:
    kept = np.empty(len(values), dtype)
    if places is None:
        keep(values, kept)
    else:
        keep_chosen(values, np.arange(len(values)), places, kept)
    return kept


class _SessionWide:
    """FloatArray of trees over plain parts that are known, on the wanted rows."""

    def __init__(self, known: dict[Expression, FloatArray], days: IntArray) -> None:
        self._known = known
        self._order = np.argsort(days, kind="stable")
        changes = np.flatnonzero(np.diff(days[self._order])) + 1
        self._starts = np.concatenate([[0], changes, [len(days)]])

    def of(self, tree: Expression) -> FloatArray:
        """Return the values of a tree, computing it where it is not known yet."""
        if tree not in self._known:
            self._known[tree] = self._computed(tree)
        return self._known[tree]

    def _computed(self, tree: Expression) -> FloatArray:
        if not isinstance(tree, Call):
            message = f"{tree.text} is no operator's result: it has no values of its own here"
            raise TypeError(message)
        result = np.empty(len(self._order))
        if tree.operator in SESSION_KERNELS:
            values = self.of(tree.arguments[0])
            SESSION_KERNELS[tree.operator](values, self._order, self._starts, result)
            return result
        given = {f"given_{n}": a for n, a in enumerate(tree.arguments) if a.inputs}
        program = compile_program({"result": tree}, given=given)
        workspace = np.empty((program.columns, len(result)))
        program.run(
            {name: self.of(argument) for name, argument in given.items()},
            np.array([0, len(result)]),
            workspace,
            lambda _, values: np.copyto(result, values),
        )
        return result
