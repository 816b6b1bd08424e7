"""The symbols that the desk answers for."""

from collections.abc import Iterable, Mapping
from datetime import date


class UniverseError(ValueError):
    """A universe that can't be used; the message names the line and the rule."""


def read_universe(text: str, *, source: str) -> list[str]:
    """Return the symbols of a universe file, sorted.

    A line holds one symbol; what follows a `#` is a comment.

    Raises:
        UniverseError: a line is no symbol, or there is none at all.
    """
    symbols = set()
    for number, line in enumerate(text.splitlines(), start=1):
        symbol = line.partition("#")[0].strip().upper()
        if not symbol:
            continue
        if not symbol.replace(".", "").replace("-", "").isalnum():
            message = (
                f"{source}, line {number}: {symbol!r} is no symbol; write one symbol a line, "
                "of letters, digits, dots and hyphens, such as BRK-B"
            )
            raise UniverseError(message)
        symbols.add(symbol)
    if not symbols:
        message = f"{source} names no symbol: write at least one, one a line"
        raise UniverseError(message)
    return sorted(symbols)


def listed_on(
    session: date, universe: Iterable[str], first_sessions: Mapping[str, date]
) -> list[str]:
    """Return the symbols that may trade on a session: all but those first seen later."""
    return [symbol for symbol in universe if first_sessions.get(symbol, session) <= session]
