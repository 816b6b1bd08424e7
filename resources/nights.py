"""The nights of the lake: opened once each, with an `as_of` that never changes."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import dagster as dg
import polars as pl

from pipelines.calendar import EARLIEST_SESSION, ExchangeCalendar
from pipelines.nights import Night, Origin, open_night
from pipelines.tables import EXCHANGE_SESSIONS, NIGHTS
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.market import Market


class UnopenedNightError(LookupError):
    """A step asked for a night that no earlier step has opened."""

    def __init__(self, session: date, market: str) -> None:
        """Name the night and the way out."""
        super().__init__(
            f"the night of {session} ({market}) is not open: run vendor_responses for it first, as "
            "the job nightly does"
        )


class Nights(dg.ConfigurableResource[Any]):
    """Opens the night of a session, or finds the one that was opened before."""

    lake: dg.ResourceDependency[Lake]
    market: dg.ResourceDependency[Market]

    def open(self, sessions: Sequence[date]) -> list[Night]:
        """Return the nights of sessions, in order, fixing `as_of` of those that are new.

        All new ones are seen from the instant of the newest session: one run has one clock.
        """
        wanted = sorted(set(sessions))
        known = {night.session for night in self._stored(wanted)}
        missing = [session for session in wanted if session not in known]
        if missing:
            as_of = self.market.now(wanted[-1], latest_as_of=self._latest_as_of())
            opened = [
                open_night(self.market.name, session, calendar=self.market.calendar, as_of=as_of)
                for session in missing
            ]
            self._store(opened)
        return self.find(wanted)

    def find(self, sessions: Sequence[date]) -> list[Night]:
        """Return nights that were opened before, in order.

        Raises:
            UnopenedNightError: one of them was not.
        """
        found = {night.session: night for night in self._stored(sessions)}
        for session in sessions:
            if session not in found:
                raise UnopenedNightError(session, self.market.name)
        return [found[session] for session in sorted(sessions)]

    def fix_snapshots(self, nights: Sequence[Night]) -> dict[Night, int]:
        """Return the lake version that each night publishes, fixing it the first time."""

        def work(writer: LakeWriter) -> dict[Night, int]:
            return {night: _fix_snapshot(writer, night) for night in nights}

        return self.lake.commit(work, night=nights[-1], message="fix lake snapshot")

    def note_published(self, nights: Sequence[Night]) -> None:
        """Note that the manifests of nights are written: they are published to the end."""

        def work(writer: LakeWriter) -> None:
            writer.connection.execute(
                "UPDATE nights SET is_published = true WHERE is_published IS NULL "
                "AND market = $market AND list_contains($sessions, session)",
                {"market": self.market.name, "sessions": [night.session for night in nights]},
            )

        self.lake.commit(work, night=nights[-1], message="note published nights")

    def newest_published(self) -> date | None:
        """Return the newest session whose night was published to the end; None before the first."""
        newest: date | None = self.lake.read(
            "SELECT max(session) FROM nights WHERE is_published AND market = $market",
            {"market": self.market.name},
        ).item()
        return newest

    def _stored(self, sessions: Sequence[date]) -> list[Night]:
        """Return the nights of sessions that the lake knows."""
        rows = self.lake.read(
            "SELECT market, session, as_of, origin FROM nights "
            "WHERE market = $market AND list_contains($sessions, session)",
            {"market": self.market.name, "sessions": list(sessions)},
        )
        return [
            Night(row["market"], row["session"], row["as_of"], Origin(row["origin"]))
            for row in rows.iter_rows(named=True)
        ]

    def _latest_as_of(self) -> datetime | None:
        """Return the newest instant that any night was seen from."""
        latest: datetime | None = self.lake.read("SELECT max(as_of) AS latest FROM nights").item()
        return latest

    def _store(self, nights: Sequence[Night]) -> None:
        """Write new nights, and the calendar's sessions through the newest that they can see.

        In a backfill that is later than the nights: the vendor shows bars up to it. A night that
        another process has opened in between stays as that one fixed it.
        """
        rows = _night_rows(nights)
        newest = self.market.calendar.last_completed(nights[-1].as_of)
        sessions = _session_rows(self.market.calendar, through=newest)

        def work(writer: LakeWriter) -> None:
            known = writer.read("SELECT market, session FROM nights")
            writer.append(NIGHTS, rows.join(known, on=NIGHTS.key, how="anti"))
            writer.merge(EXCHANGE_SESSIONS, sessions)

        self.lake.commit(work, night=nights[-1], message="open night")


def _night_rows(nights: Sequence[Night]) -> pl.DataFrame:
    """Return nights as rows of their table, nothing published yet."""
    schema = pl.Schema(
        {
            "market": pl.String(),
            "session": pl.Date(),
            "night_id": pl.String(),
            "as_of": pl.Datetime("us", "UTC"),
            "origin": pl.String(),
            "lake_snapshot": pl.Int64(),
            "is_published": pl.Boolean(),
        }
    )
    rows = [
        (night.market, night.session, night.night_id, night.as_of, night.origin.value, None, None)
        for night in nights
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _session_rows(calendar: ExchangeCalendar, *, through: date) -> pl.DataFrame:
    """Return the exchange's sessions and closes through a session."""
    schema = pl.Schema({"session": pl.Date(), "closes_at": pl.Datetime("us", "UTC")})
    return pl.DataFrame(calendar.closes(EARLIEST_SESSION, through), schema, orient="row")


def _fix_snapshot(writer: LakeWriter, night: Night) -> int:
    """Return the night's lake version; the first call writes the one that it reads."""
    key = {"market": night.market, "session": night.session}
    row = writer.read(
        "SELECT lake_snapshot FROM nights WHERE market = $market AND session = $session", key
    )
    fixed: int | None = row["lake_snapshot"][0]
    if fixed is not None:
        return fixed
    version = writer.version()
    writer.connection.execute(
        "UPDATE nights SET lake_snapshot = $version WHERE market = $market AND session = $session",
        {**key, "version": version},
    )
    return version
