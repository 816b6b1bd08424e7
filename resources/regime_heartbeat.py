"""Keeping the newest regimes fresh for the backend, which recomputes one that is a day old."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pipelines.documents.base import PUBLISHER
from pipelines.documents.regime import MarketRegime
from pipelines.documents.values import cut_to_milliseconds
from resources.serving import Serving


@dataclass(frozen=True)
class Heartbeat:
    """How many regimes were stamped anew, and of which session."""

    session: date
    stamped: int


def stamp_newest(serving: Serving, *, market: str, session: date, at: datetime) -> Heartbeat:
    """Stamp our regimes of a session with an instant; it never goes back."""
    stamp = cut_to_milliseconds(at)
    ours: dict[str, Any] = {
        "publisher": PUBLISHER,
        "market": market,
        "session": session.isoformat(),
        "as_of": {"$lt": stamp},
    }
    with serving.connect() as database:
        done = database[MarketRegime.collection].update_many(ours, {"$set": {"as_of": stamp}})
    return Heartbeat(session, done.modified_count)


def settle_older(serving: Serving, *, market: str) -> int:
    """Give regimes of sessions before our newest their own instant back; return how many.

    A heartbeat may have stamped last night's regime after tonight's was begun: the backend, which
    reads the latest, would go on with last night's.
    """
    ours = {"publisher": PUBLISHER, "market": market}
    stamped: dict[str, Any] = {"$expr": {"$ne": ["$as_of", "$seen_from"]}}
    with serving.connect() as database:
        collection = database[MarketRegime.collection]
        newest = collection.find_one(ours, {"session": True}, sort=[("session", -1)])
        if newest is None:
            return 0
        older = {**ours, **stamped, "session": {"$lt": newest["session"]}}
        return int(
            collection.update_many(older, [{"$set": {"as_of": "$seen_from"}}]).modified_count
        )
