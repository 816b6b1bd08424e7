"""What people decide of withheld bars, read from the documents in which they write it.

A person sets `resolved_at` and `metadata.resolution` ('release' or 'confirm'), with words of their
own in `metadata.note`, in a document of `quarantined_prices` or in an event about a bar. A decision
that can't be read, or is about a bar that nobody knows, is named and stays where it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import polars as pl

from pipelines.anomalies.tables import VERDICTS
from pipelines.documents.values import cut_to_milliseconds
from pipelines.nights import Night

QUARANTINE, EVENTS = "quarantined_prices", "data_quality_events"
RESOLUTIONS = ("release", "confirm")

DECIDED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # A quarantined bar that is called resolved must say how; an event need not be a decision.
        QUARANTINE: {
            "$or": [{"metadata.resolution": {"$exists": True}}, {"resolved_at": {"$ne": None}}]
        },
        EVENTS: {"data_type": "daily", "metadata.resolution": {"$exists": True}},
    }
)
"""Which documents of each collection hold a decision, as MongoDB filters."""
READ_FIELDS = ("symbol", "date", "revision", "resolved_at", "metadata")

BarKey = tuple[str, date]


@dataclass(frozen=True)
class KnownBar:
    """The newest revision of a bar, and the rules by which that one can't be."""

    revision: int
    impossible: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What a person decided of one revision of a bar, and when."""

    symbol: str
    session: date
    revision: int
    resolved_at: datetime
    resolution: str
    note: str | None
    collection: str

    @property
    def key(self) -> tuple[str, date, int, datetime]:
        """Return what tells it from other verdicts."""
        return self.symbol, self.session, self.revision, self.resolved_at


@dataclass(frozen=True)
class ReadVerdicts:
    """Verdicts that were found, and what could not be read as one."""

    verdicts: tuple[Verdict, ...]
    faults: tuple[str, ...] = ()


class UnreadableVerdictError(ValueError):
    """A document says that something was decided, but not what or of which bar."""


def read_verdicts(documents: Mapping[str, Iterable[Mapping[str, Any]]]) -> ReadVerdicts:
    """Read the verdicts of documents, given by collection, and name what is none."""
    verdicts: list[Verdict] = []
    faults: list[str] = []
    for collection, found in documents.items():
        for document in found:
            try:
                verdicts.append(_verdict(document, collection))
            except UnreadableVerdictError as error:
                faults.append(f"{_name(document, collection)}: {error}")
    return ReadVerdicts(tuple(verdicts), tuple(faults))


def new_verdicts(
    found: ReadVerdicts, landed: pl.DataFrame, bars: Mapping[BarKey, KnownBar]
) -> ReadVerdicts:
    """Return the verdicts to add to those that were landed, and the faults met in all.

    Args:
        found: What people have written.
        landed: Rows of `verdicts`.
        bars: The bars that verdicts are about, as far as there are any.
    """
    known = {tuple(row[:4]): row[4] for row in landed.select(_IDENTITY).iter_rows()}
    fresh: list[Verdict] = []
    faults = list(found.faults)
    for verdict in found.verdicts:
        bar = bars.get((verdict.symbol, verdict.session), KnownBar(0))
        fault = _fault(verdict, bar, known.get(verdict.key))
        if fault is not None:
            faults.append(f"{verdict.collection} {verdict.symbol} {verdict.session}: {fault}")
        elif verdict.key not in known:
            known[verdict.key] = verdict.resolution
            fresh.append(verdict)
    return ReadVerdicts(tuple(fresh), tuple(faults))


def _fault(verdict: Verdict, bar: KnownBar, before: str | None) -> str | None:
    """Return why a verdict can't be obeyed, None where it can; `before` is one of its instant."""
    if not 1 <= verdict.revision <= bar.revision:
        return (
            f"there is no revision {verdict.revision} of this bar, the newest is "
            f"{bar.revision or 'none'}; decide on the document of that one"
        )
    if verdict.resolution == "release" and verdict.revision == bar.revision and bar.impossible:
        return (
            f"it can't be released: {', '.join(bar.impossible)}; the backend can't hold such a "
            "bar, so it waits for another revision by the vendor"
        )
    if before not in {None, verdict.resolution}:
        return (
            f"{before!r} was decided at {verdict.resolved_at.isoformat()}, and now "
            f"{verdict.resolution!r} at the same instant; set resolved_at anew to decide again"
        )
    return None


def verdict_rows(verdicts: Iterable[Verdict], night: Night) -> pl.DataFrame:
    """Return rows of `verdicts` that the night lands."""
    rows = [
        {**vars(verdict), "night_id": night.night_id, "landed_at": night.as_of}
        for verdict in verdicts
    ]
    instant = pl.Datetime("us", "UTC")
    schema = dict.fromkeys(VERDICTS.column_names, pl.String()) | {
        "session": pl.Date(),
        "revision": pl.Int32(),
        "resolved_at": instant,
        "landed_at": instant,
    }
    return pl.DataFrame(rows, schema=schema)


_IDENTITY = ["symbol", "session", "revision", "resolved_at", "resolution"]


def _verdict(document: Mapping[str, Any], collection: str) -> Verdict:
    """Read one document.

    Raises:
        UnreadableVerdictError: with what is wrong and what to write instead.
    """
    metadata = document.get("metadata")
    said = metadata if isinstance(metadata, Mapping) else {}
    resolution, decided = said.get("resolution"), document.get("resolved_at")
    word = resolution.strip().lower() if isinstance(resolution, str) else None
    if word not in RESOLUTIONS:
        message = f"metadata.resolution is {_shown(resolution)}: set it to 'release' or 'confirm'"
        raise UnreadableVerdictError(message)
    if not isinstance(decided, datetime):
        message = f"resolved_at is {_shown(decided)}: set it to the instant of the decision, a date"
        raise UnreadableVerdictError(message)
    day = said.get("bar_date") if collection == EVENTS else document.get("date")
    note = said.get("note")
    return Verdict(
        _required(document.get("symbol"), str, "symbol").upper(),
        _day(day),
        _required(document.get("revision"), int, "revision"),
        cut_to_milliseconds(decided if decided.tzinfo else decided.replace(tzinfo=UTC)),
        word,
        None if note is None else str(note),
        collection,
    )


def _required(value: Any, kind: type, name: str) -> Any:
    """Return a value of its type.

    Raises:
        UnreadableVerdictError: it is of another.
    """
    if not isinstance(value, kind) or isinstance(value, bool):
        message = f"{name} is {_shown(value)}: decide on a document that Nightdesk has published"
        raise UnreadableVerdictError(message)
    return value


def _day(value: Any) -> date:
    """Return the session that a document is about.

    Raises:
        UnreadableVerdictError: the value is neither an instant nor a date as text.
    """
    if isinstance(value, datetime):
        return value.date()
    try:
        return date.fromisoformat(_required(value, str, "the bar's date")[:10])
    except ValueError as error:
        message = f"the bar's date is {_shown(value)}: decide on a document of Nightdesk's"
        raise UnreadableVerdictError(message) from error


def _name(document: Mapping[str, Any], collection: str) -> str:
    """Return what a document is called in a sentence."""
    return f"{collection} {_shown(document.get('symbol'))} ({document.get('_id')})"


def _shown(value: object) -> str:
    """Return a stranger's value as a message may show it: short, with its type."""
    return f"{repr(value)[:40]} ({type(value).__name__})"
