"""The nights of the lake: opened once each, with an `as_of` that never changes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import dagster as dg
import polars as pl
from pydantic import PrivateAttr

from pipelines.calendar import EARLIEST_SESSION, ExchangeCalendar
from pipelines.documents.pipeline_run import PipelineRun, PublishedCollection
from pipelines.nights import Night, Origin, open_night
from pipelines.tables import EXCHANGE_SESSIONS, NIGHTS
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.market import Market
from resources.provenance import code_version
from resources.settings import PROJECT_ROOT

NOT_YET = (None, None, None)
"""Of a night that has just been opened: its snapshot, whether it is published, its manifest."""


class UnopenedNightError(LookupError):
    """A step asked for a night that no earlier step has opened."""

    def __init__(self, session: date, market: str) -> None:
        """Name the night and the way out."""
        super().__init__(
            f"the night of {session} ({market}) is not open: run vendor_responses for it first, as "
            "the job nightly does"
        )


class UnpublishedNightError(LookupError):
    """A night is to be replayed of which no manifest was kept."""

    def __init__(self, session: date, market: str) -> None:
        """Name the night and the way out."""
        super().__init__(
            f"the lake keeps no manifest of the night of {session} ({market}): it was not "
            f"published to the end; `make nightly SESSION={session}` does"
        )


class Nights(dg.ConfigurableResource[Any]):
    """Opens the night of a session, or finds the one that was opened before."""

    lake: dg.ResourceDependency[Lake]
    market: dg.ResourceDependency[Market]
    _found: dict[date, Night] = PrivateAttr(default_factory=dict)

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

    def join(self, sessions: Sequence[date]) -> list[Night]:
        """Return the nights of sessions, in order; missing ones are seen from the newest night.

        For outputs that are asked for alone, as the UI's backfills do: the state tables tell what
        was known at the instant of the newest night, so that is what these nights are made of.

        Raises:
            UnopenedNightError: a session is not final at that instant, or there is no night yet.
        """
        missing = sorted(set(sessions) - {night.session for night in self._stored(sessions)})
        as_of, calendar = self._latest_as_of(), self.market.calendar
        for session in missing:
            if as_of is None or calendar.known_at(session) > as_of:
                raise UnopenedNightError(session, self.market.name)
        if as_of and missing:
            self._store(
                [
                    open_night(self.market.name, session, calendar=calendar, as_of=as_of)
                    for session in missing
                ]
            )
        return self.find(sessions)

    def find(self, sessions: Sequence[date]) -> list[Night]:
        """Return nights that were opened before, in order.

        What a night is never changes, and a run has a resource of its own: one that was found is
        not looked for again.

        Raises:
            UnopenedNightError: one of them was not.
        """
        missing = [session for session in sessions if session not in self._found]
        if missing:
            self._found.update({night.session: night for night in self._stored(missing)})
        for session in sessions:
            if session not in self._found:
                raise UnopenedNightError(session, self.market.name)
        return [self._found[session] for session in sorted(sessions)]

    def fix_snapshots(self, nights: Sequence[Night]) -> dict[Night, int]:
        """Return the lake version that each night publishes, fixing it the first time."""

        def work(writer: LakeWriter) -> dict[Night, int]:
            return {night: _fix_snapshot(writer, night) for night in nights}

        return self.lake.commit(work, night=nights[-1], message="fix lake snapshot")

    def note_published(self, nights: Sequence[Night], manifests: Sequence[PipelineRun]) -> None:
        """Note that nights are published to the end, and keep their manifests for a replay."""

        def work(writer: LakeWriter) -> None:
            for manifest in manifests:
                writer.connection.execute(
                    "UPDATE nights SET is_published = true, manifest = $manifest "
                    "WHERE night_id = $night_id AND (is_published IS NULL "
                    "OR manifest IS DISTINCT FROM $manifest)",
                    {"night_id": manifest.night_id, "manifest": manifest.as_kept()},
                )

        self.lake.commit(work, night=nights[-1], message="note published nights")

    def manifest(self, session: date) -> PipelineRun:
        """Return what a night published, as it was kept when it did.

        Raises:
            UnpublishedNightError: it was not published to the end.
        """
        kept = self._kept(session)
        if kept is None:
            raise UnpublishedNightError(session, self.market.name)
        return kept

    def told(self, night: Night) -> Mapping[str, PublishedCollection]:
        """Return what a night's manifest says of its collections; nothing before it has one."""
        kept = self._kept(night.session)
        return kept.collections if kept else {}

    def published(self) -> list[Night]:
        """Return the nights whose manifests are kept, in order."""
        kept = self.lake.read(
            "SELECT session FROM nights WHERE market = $market AND manifest IS NOT NULL "
            "ORDER BY session",
            {"market": self.market.name},
        )
        return self.find(kept["session"].to_list())

    def newest_published(self) -> date | None:
        """Return the newest session whose night was published to the end; None before the first."""
        newest: date | None = self.lake.read(
            "SELECT max(session) FROM nights WHERE is_published AND market = $market",
            {"market": self.market.name},
        ).item()
        return newest

    def judged_through(self, session: date) -> int | None:
        """Return the lake version through which the checks of earlier nights have seen every row.

        It is the one that the newest published night fixed: a night that a check stopped is not
        published. None, and all rows are to be judged, where no night is published yet, where other
        code published it, whose checks may have been others, and in the first night of a week.
        """
        newest = self.lake.read(
            "SELECT lake_snapshot FROM nights WHERE is_published AND market = $market "
            "AND date_trunc('week', session) = date_trunc('week', $session::DATE) "
            "AND json_extract_string(manifest, '$.code_version') = $code "
            "ORDER BY lake_snapshot DESC LIMIT 1",
            {"market": self.market.name, "session": session, "code": code_version(PROJECT_ROOT)},
        )
        return newest.item() if newest.height else None

    def newest(self, night: Night) -> Night:
        """Return a night, or the newest that was published to the end if that is newer."""
        newest = self.newest_published()
        return night if newest is None or newest <= night.session else self.find([newest])[0]

    def _kept(self, session: date) -> PipelineRun | None:
        """Return the manifest of a night, if it was published to the end."""
        kept = self.lake.read(
            "SELECT manifest FROM nights WHERE market = $market AND session = $session",
            {"market": self.market.name, "session": session},
        )
        text: str | None = kept["manifest"][0] if kept.height else None
        return None if text is None else PipelineRun.model_validate_json(text)

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
            "manifest": pl.String(),
        }
    )
    rows = [
        (night.market, night.session, night.night_id, night.as_of, night.origin.value, *NOT_YET)
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
