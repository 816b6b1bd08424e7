"""Features of many symbols: batches of symbols on both cores, then what compares symbols.

Rows come by symbol and session, with as many earlier rows of each symbol as the look-back asks for.
"""

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from pipelines.features.expressions import Expression
from pipelines.features.kernels.arrays import FloatArray, IntArray
from pipelines.features.kernels.by_session import (
    SessionOrder,
    SessionProgram,
    session_blocks,
    session_program,
)
from pipelines.features.kernels.program import Program, compile_program
from pipelines.features.kernels.results import keep, keep_chosen

BATCH_ROWS = 40_000
"""Rows of a batch: its columns fit into a core's own cache (50 million rows: 20 s of processor time
in batches of 10,000 to 40,000 rows, 32 s in batches of 200,000), and two threads wait less for the
interpreter between kernels than with fewer (Alpha158: 0.27 s, in batches of 20,000 rows 0.31 s)."""


@dataclass(frozen=True, eq=False)
class FeaturePanel:
    """Rows by symbol and session.

    Attributes:
        starts: First row of each symbol, and the number of all rows at the end.
        days: Number of each row's day (since 1970-01-01), rising within a symbol.
        leaves: The input columns, NaN for null.
        first_day: Number of the day that `leaves_of_days` begin with.
        leaves_of_days: The inputs that a date tells, one value for each day on end.
        wanted: Rows whose session-wide values are asked for; they hold whole sessions.
        places: Where the values of each wanted row are put; None for their order.
    """

    starts: IntArray
    days: IntArray
    leaves: Mapping[str, FloatArray]
    wanted: IntArray
    first_day: int = 0
    leaves_of_days: Mapping[str, FloatArray] = field(default_factory=dict)
    places: IntArray | None = None

    def inputs(self, names: Iterable[str], begin: int, end: int) -> dict[str, FloatArray]:
        """Return some inputs of the rows from one up to another."""
        days = self.days[begin:end] - self.first_day
        return {
            name: self.leaves_of_days[name][days]
            if name in self.leaves_of_days
            else self.leaves[name][begin:end]
            for name in names
        }


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
        program = session_program(tuple(wide.items()))
        kept |= _by_sessions(program, panel, threads=threads, dtype=dtype)
    return {name: kept[name] for name in expressions}


@lru_cache(maxsize=256)
def _program(expressions: tuple[tuple[str, Expression], ...]) -> Program:
    """Return the program of some expressions: a table's are the same in each of its batches."""
    return compile_program(dict(expressions))


def _by_batches(
    program: Program, panel: FeaturePanel, *, threads: int, dtype: type[np.floating]
) -> dict[str, FloatArray]:
    """Run a program on batches of whole symbols, and keep the wanted rows."""
    kept = _nothing_kept(program.results, len(panel.wanted), dtype)
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


def _by_sessions(
    program: SessionProgram, panel: FeaturePanel, *, threads: int, dtype: type[np.floating]
) -> dict[str, FloatArray]:
    """Run a program that compares symbols on the wanted rows, and keep what it makes of them."""
    order = SessionOrder.of(panel.days[panel.wanted])
    names = {part: f"part_{number}" for number, part in enumerate(program.parts)}
    parts = _by_batches(
        _program(tuple((name, part) for part, name in names.items())),
        replace(panel, places=order.places),
        threads=threads,
        dtype=np.float64,
    )
    kept = _nothing_kept(program.results, len(order.rows), dtype)
    places = order.rows if panel.places is None else panel.places[order.rows]

    def work(block: tuple[int, int]) -> None:
        starts = order.starts[block[0] : block[1] + 1]
        rows = slice(starts[0], starts[-1])
        made = program.run([parts[name][rows] for name in names.values()], starts - starts[0])
        every = np.arange(starts[-1] - starts[0])
        for name, values in made.items():
            keep_chosen(values, every, places[rows], kept[name])

    with ThreadPoolExecutor(max_workers=threads) as pool:
        list(pool.map(work, session_blocks(order.starts, rows=BATCH_ROWS)))
    return kept


def _nothing_kept(
    names: Collection[str], rows: int, dtype: type[np.floating]
) -> dict[str, FloatArray]:
    """Return room for the values of some expressions."""
    return dict(zip(names, np.empty((len(names), rows), dtype), strict=True))


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

    inputs = panel.inputs(program.leaves, begin, end)
    starts = panel.starts[symbols[0] : symbols[1] + 1] - begin
    program.run(inputs, starts, workspace, hand_over)


def _batches(starts: IntArray) -> list[tuple[int, int]]:
    """Cut symbols into runs of about BATCH_ROWS rows, as pairs of symbol numbers."""
    cuts = [0]
    for symbol in range(1, len(starts)):
        if starts[symbol] - starts[cuts[-1]] >= BATCH_ROWS or symbol == len(starts) - 1:
            cuts.append(symbol)
    return list(pairwise(cuts))
