"""Which documents of `market_regimes` belong to a night."""

from collections.abc import Sequence

from pipelines.nights import Night


def regime_scope(nights: Sequence[Night]) -> dict[str, object]:
    """Return the scope of some nights of one market in the collection."""
    return {"session": [night.session for night in nights], "market": nights[-1].market}
