"""The kept list of days without a session: right, quick, and never in the way."""

from datetime import date
from pathlib import Path

from pipelines.calendar import ExchangeCalendar
from resources.closed_days import closed_weekdays

FIRST, LAST = date(2012, 1, 1), date(2013, 12, 31)
EXPECTED = ExchangeCalendar.of("XNYS").closed_weekdays(FIRST, LAST)


def test_the_kept_list_is_the_calendar_s(tmp_path: Path) -> None:
    """A partition on a holiday would ask for a night that never was."""
    for _ in range(2):
        assert closed_weekdays("XNYS", FIRST, LAST, folder=tmp_path / "calendar") == EXPECTED
    assert date(2012, 10, 29) in EXPECTED, "hurricane Sandy closed the exchange"
    assert len(list((tmp_path / "calendar").iterdir())) == 1


def test_a_list_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    """A machine that lost its power while writing must start again."""
    closed_weekdays("XNYS", FIRST, LAST, folder=tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_text('["2012-01-', encoding="utf-8")
    assert closed_weekdays("XNYS", FIRST, LAST, folder=tmp_path) == EXPECTED


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    """Reading definitions must work on a read-only disk."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder", encoding="utf-8")
    assert closed_weekdays("XNYS", FIRST, LAST, folder=blocked / "calendar") == EXPECTED
