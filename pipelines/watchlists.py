"""The backend's watchlists: which symbols people look at.

What stands in the backend's documents is somebody else's: a document that is no watchlist, or a
word that is no symbol, is named and skipped.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

COLLECTION = "watchlists"
"""The backend's collection; we only read it."""

SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.-]{0,31}")
"""What may be asked of a vendor as a symbol."""


@dataclass(frozen=True)
class WatchedSymbols:
    """The union of all watchlists, in alphabetical order, and what could not be read."""

    symbols: tuple[str, ...]
    faults: tuple[str, ...] = ()


def watched_symbols(documents: Iterable[Mapping[str, object]]) -> WatchedSymbols:
    """Return the union of the symbols of watchlists, in upper case, and the faults met."""
    symbols: set[str] = set()
    faults: list[str] = []
    for document in documents:
        name = f"watchlist {document.get('name')!r} ({document.get('_id')})"
        listed = document.get("symbols")
        if not isinstance(listed, list):
            faults.append(f"{name} is skipped: its symbols are no list but {_shown(listed)}")
            continue
        for entry in listed:
            symbol = entry.strip().upper() if isinstance(entry, str) else ""
            if SYMBOL.fullmatch(symbol):
                symbols.add(symbol)
            else:
                faults.append(f"{name}: {_shown(entry)} is no symbol and is skipped")
    return WatchedSymbols(tuple(sorted(symbols)), tuple(faults))


def watchlist_rows(
    symbols: Sequence[str], first_seen: Mapping[str, datetime], *, as_of: datetime
) -> pl.DataFrame:
    """Return rows of `watchlists`.

    Args:
        symbols: The union of all watchlists.
        first_seen: When each symbol that is known already was first seen.
        as_of: The night's instant, at which they are landed.
    """
    instant = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        [(symbol, first_seen.get(symbol, as_of), as_of) for symbol in symbols],
        schema={"symbol": pl.String, "first_seen": instant, "landed_at": instant},
        orient="row",
    )


def _shown(value: object) -> str:
    """Return a stranger's value as a message may show it: short, with its type."""
    return f"{repr(value)[:40]} ({type(value).__name__})"
