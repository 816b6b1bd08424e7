"""Which nights, versions and models the split of a move is made from: nothing after the night."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, cast

import polars as pl
import pytest

from pipelines.calendar import ExchangeCalendar
from pipelines.nights import Night, Origin
from pipelines.signals.changes import PARTS
from pipelines.signals.model import TrainedSignal
from pipelines.table import Table
from pipelines.tables import SIGNAL_CHANGES, SIGNAL_SCORES
from resources.lake import Lake
from resources.model_registry import ModelRegistry
from resources.signal_changes import keep_changes
from tests.support.panels import FEATURES
from tests.support.trained_signals import rows_of_tonight, small_panel, small_training

CALENDAR = ExchangeCalendar.of("XNYS")
FORMER, TONIGHT, LATER = CALENDAR.sessions(date(2013, 2, 27), date(2013, 3, 1))
MODELS = {1: small_training().folds[-1], 2: small_training().final}
SCORED_BY = {FORMER: 1, TONIGHT: 2, LATER: 2}
BASE, _ = rows_of_tonight(small_panel())
THEN, NOW = 7, None
"""The version that the former night published, and the newest."""


def features(session: date, *, turned: int) -> pl.DataFrame:
    """Return features of a session, other ones for every number of turns."""
    shift = [pl.col(name).shift(turned, fill_value=0.0) for name in FEATURES]
    return BASE.with_columns(pl.lit(session).alias("session"), *shift)


def scores(session: date, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the scores of a session as its night made them."""
    number = SCORED_BY[session]
    model = MODELS[number]
    return rows.select(
        "symbol",
        pl.lit(session).alias("session"),
        pl.lit(1).alias("horizon"),
        pl.lit(number).alias("model_version"),
        pl.Series("probability", model.calibration.probability(model.margins(rows))),
        pl.lit(None, dtype=pl.String).alias("abstain_reason"),
    )


@dataclass
class ThreeNights:
    """A lake that holds three nights; of the former, features were revised since."""

    turns: dict[tuple[date, int | None], int] = field(
        default_factory=lambda: {
            (FORMER, THEN): 1,
            (FORMER, NOW): 2,
            (TONIGHT, NOW): 3,
            (LATER, NOW): 4,
        }
    )
    published: int | None = THEN
    kept: pl.DataFrame | None = None
    asked: list[tuple[date, int | None]] = field(default_factory=list)

    def of_sessions(self, table: Table, sessions: Sequence[date]) -> pl.DataFrame:
        """Return the rows of sessions."""
        if table is SIGNAL_CHANGES:
            none = pl.DataFrame(schema={"session": pl.Date, "origin": pl.String})
            return none if self.kept is None else self.kept
        assert table is SIGNAL_SCORES
        made = {
            session: features(session, turned=self.turns[session, version])
            for session, version in ((FORMER, THEN), (TONIGHT, NOW), (LATER, NOW))
        }
        return pl.concat(scores(session, rows) for session, rows in made.items()).filter(
            pl.col("session").is_in(list(sessions))
        )

    def read(
        self, query: str, parameters: Mapping[str, Any], *, version: int | None = None
    ) -> pl.DataFrame:
        """Return the features of a session at a version, or the version that it published."""
        if "lake_snapshot" in query:
            return pl.DataFrame({"lake_snapshot": [self.published]}, schema={"lake_snapshot": int})
        (session,) = parameters["sessions"]
        self.asked.append((session, version))
        return features(session, turned=self.turns[session, version])

    def replace_sessions(
        self, table: Table, rows: pl.DataFrame, *, nights: Sequence[Night]
    ) -> None:
        """Keep the rows of nights, if there are any."""
        assert table is SIGNAL_CHANGES
        if nights:
            self.kept = rows


class TwoModels:
    """A registry of two versions."""

    def version(self, number: int) -> TrainedSignal:
        """Return a version."""
        return MODELS[number]


def kept(lake: ThreeNights) -> pl.DataFrame:
    """Split the moves of tonight."""
    night = Night("sample", TONIGHT, datetime(2013, 3, 1, tzinfo=UTC), Origin.LIVE)
    return keep_changes(
        cast("Lake", lake), cast("ModelRegistry", TwoModels()), nights=[night], calendar=CALENDAR
    )


def test_the_former_night_is_scored_from_what_it_knew_and_from_what_is_known() -> None:
    """Read at one version, a revision would hide in the new bar."""
    lake = ThreeNights()
    told = kept(lake)
    assert sorted(lake.asked, key=str) == sorted(
        [(FORMER, THEN), (FORMER, NOW), (TONIGHT, NOW)], key=str
    )
    assert told.columns == list(SIGNAL_CHANGES.column_names)
    assert told.height == BASE.height
    assert (told["data_revision"] != 0).any()
    assert told["former_session"].unique().to_list() == [FORMER]
    assert told["former_model_version"].unique().to_list() == [1]


def test_what_comes_after_the_night_moves_nothing() -> None:
    """Tomorrow's bar must not tell why today's opinion moved."""
    before = kept(ThreeNights())
    later, tonight = ThreeNights(), ThreeNights()
    later.turns[LATER, NOW] = 9
    assert kept(later).equals(before)
    tonight.turns[TONIGHT, NOW] = 9
    assert not kept(tonight).equals(before)


def test_nights_of_one_run_know_no_revision_of_each_other() -> None:
    """A former night that is not published yet was scored from the same data."""
    lake = ThreeNights(published=None)
    lake.turns[FORMER, NOW] = lake.turns[FORMER, THEN]
    told = kept(lake)
    assert told.height == BASE.height
    assert (told["data_revision"] == 0).all()


def test_what_a_live_night_told_is_never_rewritten() -> None:
    """A rerun after a correction would tell another story of the same opinion."""
    lake = ThreeNights()
    first = kept(lake)
    lake.asked.clear()
    lake.turns[FORMER, NOW] = 5
    assert kept(lake).equals(first)
    assert lake.asked == []


@pytest.mark.parametrize("silent", [FORMER, TONIGHT])
def test_a_night_without_opinions_reads_no_features(
    silent: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A desk whose models have no skill would pay for nothing, every night."""
    lake = ThreeNights()
    spoken = lake.of_sessions

    def partly_silent(table: Table, sessions: Sequence[date]) -> pl.DataFrame:
        reason = pl.when(pl.col("session") == silent).then(pl.lit("no_skill"))
        rows = spoken(table, sessions)
        return rows.with_columns(reason.alias("abstain_reason")) if table is SIGNAL_SCORES else rows

    monkeypatch.setattr(lake, "of_sessions", partly_silent)
    assert kept(lake).is_empty()
    assert lake.asked == []


def test_parts_are_columns_of_the_table() -> None:
    """A part that the table does not hold would be lost on the way to the document."""
    assert set(PARTS) <= set(SIGNAL_CHANGES.column_names)
