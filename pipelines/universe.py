"""The symbols that the desk answers for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
import yaml

YAML_ENDINGS = (".yaml", ".yml")
_FILE_KEYS = {"symbols", "listings"}
_FILTER_KEYS = {"exchanges", "asset_types", "active_on"}


class UniverseError(ValueError):
    """A universe that can't be used; the message names the line and the rule."""


@dataclass(frozen=True)
class ListingFilter:
    """Which of the vendor's listings belong to a universe. An empty set takes all.

    Attributes:
        exchanges: Exchanges in the vendor's words, such as NYSE.
        asset_types: `Stock`, `ETF`.
        active_on: A day on which the symbol was listed; None takes what is active now.
    """

    exchanges: frozenset[str] = frozenset()
    asset_types: frozenset[str] = frozenset()
    active_on: date | None = None

    def symbols(self, listings: pl.DataFrame) -> list[str]:
        """Return the symbols of the listings that pass, in alphabetical order."""
        passing = [self._is_active()]
        if self.exchanges:
            passing.append(pl.col("exchange").is_in(sorted(self.exchanges)))
        if self.asset_types:
            passing.append(pl.col("asset_type").is_in(sorted(self.asset_types)))
        return listings.filter(*passing)["symbol"].unique().sort().to_list()

    def _is_active(self) -> pl.Expr:
        """Return whether a listing was active on the day."""
        if self.active_on is None:
            return pl.col("status") == "Active"
        has_begun = pl.col("ipo_date").is_null() | (pl.col("ipo_date") <= self.active_on)
        # Where the vendor knows no last day, what is delisted now is taken to have been so then.
        lasts = (pl.col("status") == "Active") | (pl.col("delisting_date") > self.active_on)
        return has_begun & lasts.fill_null(value=False)


@dataclass(frozen=True)
class Universe:
    """Symbols by name, and all that the vendor lists in some way."""

    named: tuple[str, ...]
    listed: ListingFilter | None = None

    def __iter__(self) -> Iterator[str]:
        """Return the symbols that are named."""
        return iter(self.named)

    def members(self, listings: pl.DataFrame | None) -> list[str]:
        """Return every symbol, in alphabetical order.

        Args:
            listings: Rows of the table `listings`; needed where the universe asks for them.
        """
        if self.listed is None or listings is None:
            return sorted(set(self.named))
        return sorted({*self.named, *self.listed.symbols(listings)})


def read_universe(text: str, *, source: str) -> Universe:
    """Return what a universe file asks for; its format is told by its name.

    A text file holds one symbol a line, what follows a `#` being a comment; a YAML file holds
    `symbols` and, for whole exchanges, `listings` with `exchanges`, `asset_types` and `active_on`.

    Raises:
        UniverseError: a symbol, key or day is none, or nothing is asked for at all.
    """
    universe = (
        _read_yaml(text, source)
        if source.lower().endswith(YAML_ENDINGS)
        else _read_lines(text, source)
    )
    if not universe.named and universe.listed is None:
        message = f"{source} names no symbol: write at least one, one a line"
        raise UniverseError(message)
    return universe


def listed_on(
    session: date, universe: Iterable[str], first_sessions: Mapping[str, date]
) -> list[str]:
    """Return the symbols that may trade on a session: all but those first seen later."""
    return [symbol for symbol in universe if first_sessions.get(symbol, session) <= session]


def _read_lines(text: str, source: str) -> Universe:
    """Read a text file."""
    symbols = {
        _symbol(line.partition("#")[0].strip(), f"{source}, line {number}")
        for number, line in enumerate(text.splitlines(), start=1)
        if line.partition("#")[0].strip()
    }
    return Universe(tuple(sorted(symbols)))


def _read_yaml(text: str, source: str) -> Universe:
    """Read a YAML file. Every scalar stays text: YAML takes the tickers ON and NO for booleans."""
    try:
        content = yaml.load(text, Loader=yaml.BaseLoader) or {}  # noqa: S506 - builds texts only
    except yaml.YAMLError as error:
        message = f"{source} is no YAML: {error}"
        raise UniverseError(message) from error
    _require_keys(content, _FILE_KEYS, source)
    symbols = {
        _symbol(name.strip(), f"{source}, symbols") for name in _texts(content, "symbols", source)
    }
    if "listings" not in content:
        return Universe(tuple(sorted(symbols)))
    where = f"{source}, listings"
    wanted = content["listings"] or {}
    _require_keys(wanted, _FILTER_KEYS, where)
    return Universe(
        tuple(sorted(symbols)),
        ListingFilter(
            frozenset(_texts(wanted, "exchanges", where)),
            frozenset(_texts(wanted, "asset_types", where)),
            _day(wanted.get("active_on"), where),
        ),
    )


def _symbol(text: str, where: str) -> str:
    """Return a symbol in upper case."""
    symbol = text.upper()
    if not symbol.replace(".", "").replace("-", "").isalnum():
        message = (
            f"{where}: {symbol!r} is no symbol; write one symbol a line, of letters, digits, dots "
            "and hyphens, such as BRK-B"
        )
        raise UniverseError(message)
    return symbol


def _require_keys(content: Any, known: set[str], where: str) -> None:
    """Refuse what is no mapping, or has a key that nobody reads."""
    if not isinstance(content, dict):
        message = f"{where}: {content!r} is no mapping; its keys are {', '.join(sorted(known))}"
        raise UniverseError(message)
    for key in content:
        if key not in known:
            message = f"{where}: {key!r} is no key; the keys are {', '.join(sorted(known))}"
            raise UniverseError(message)


def _texts(content: dict[str, Any], key: str, where: str) -> list[str]:
    """Return a list of texts, empty where the key is not there."""
    found = content.get(key) or []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        message = f"{where}: {key} is {found!r}; write a list, as in {key}: [A, B]"
        raise UniverseError(message)
    return found


def _day(text: Any, where: str) -> date | None:
    """Return a day, None where none is given."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        message = f"{where}: active_on is {text!r}; write a day as in 2013-03-01"
        raise UniverseError(message) from error
