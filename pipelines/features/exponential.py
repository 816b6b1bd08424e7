"""Exponentially weighted means over a window that ends, as SQL.

The textbook's recursion never forgets where its series began, so that the same session would have
one value in a full history and another in a part of it. Here the weights decay^0, decay^1 … end
where those left out would be less than a ten-thousandth of all, at the latest after 400 rows, and
are scaled to add up to one. A short history is null, like that of any other window.

The sum is built by doubling: with E_k the sum over k rows, E_2k(t) = E_k(t) + decay^k E_k(t - k).
That is exact, needs one window for each power of two, and gives the same bits wherever the reading
began. Weights end at a power of two, because each power is a window to compute.
"""

from pipelines.features.staging import StagedQuery
from pipelines.features.windows import added, blocks, lagged

LEFT_OUT = 1e-4
"""Largest share of the endless series' weight that may lie beyond the window."""

MOST_ROWS = 400


def span_decay(rows: int) -> float:
    """Return the decay of an exponential mean of this span, 1 - 2 / (n + 1)."""
    return (rows - 1) / (rows + 1)


def wilder_decay(rows: int) -> float:
    """Return the decay of Wilder's smoothing, 1 - 1 / n."""
    return (rows - 1) / rows


def weighted_rows(decay: float) -> int:
    """Return how many rows have a weight: a power of two, or MOST_ROWS where it would be more."""
    rows = 1
    while decay**rows > LEFT_OUT:
        rows *= 2
    return min(rows, MOST_ROWS)


def exponential_mean(query: StagedQuery, value: str, decay: float) -> str:
    """Return the column with the weighted mean of `value` over the last `weighted_rows`."""
    rows = weighted_rows(decay)
    sums = _doubled_sums(query, value, decay, rows)
    # The sum of the weights, a geometric series.
    weight = (1 - decay**rows) / (1 - decay)
    pieces = [
        query.value(
            f"{{0}} * {decay**block.offset / weight!r}::DOUBLE",
            lagged(query, sums[block.size], block.offset),
        )
        for block in blocks(rows)
    ]
    return added(query, pieces)


def _doubled_sums(query: StagedQuery, value: str, decay: float, rows: int) -> dict[int, str]:
    """Return the columns with the weighted sums of 1, 2, 4 … rows, by their number."""
    sums, size = {1: value}, 1
    while size * 2 <= rows:
        earlier = f"{decay**size!r}::DOUBLE * lag({{0}}, {size}) OVER history"
        sums[size * 2] = query.window(f"{{0}} + {earlier}", sums[size])
        size *= 2
    return sums
