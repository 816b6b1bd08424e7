"""The panel's trades: entered at the next open, left at the open after, unknown before that."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import duckdb
import polars as pl
import pytest

from pipelines.features.catalogue import TECHNICAL
from pipelines.labels import label_query
from pipelines.signals.panel import PanelSource, panel_query, yearly_spans

DAYS = [date(2020, 1, 2), date(2020, 1, 3), date(2020, 1, 6), date(2020, 1, 7), date(2020, 1, 8)]


def _panel(*, session: date, lost: date | None = None) -> pl.DataFrame:
    """Return the panel of one symbol."""
    with _lake(DAYS, lost=lost) as lake:
        return lake.execute(panel_query(PanelSource.of([TECHNICAL])), {"session": session}).pl()


@contextmanager
def _lake(days: list[date], *, lost: date | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open tables of one symbol: opens 1 below closes, a dividend on the fourth day."""
    numbers = range(1, len(days) + 1)
    bars = pl.DataFrame(
        {
            "symbol": ["A"] * len(days),
            "session": days,
            "open": [10.0 * number - 1 for number in numbers],
            "close": [10.0 * number for number in numbers],
            "total_return_index": [number * (1.1 if number > 3 else 1.0) for number in numbers],
        }
    ).filter(pl.col("session") != (lost or date.min))
    with duckdb.connect() as lake:
        lake.register("clean_prices", bars.to_arrow())
        lake.register("exchange_sessions", pl.DataFrame({"session": days}).to_arrow())
        names = ", ".join(f"0 AS {name}" for name in TECHNICAL.expressions)
        lake.execute(
            f"CREATE TABLE {TECHNICAL.name} AS SELECT symbol, session, {names} FROM clean_prices"
        )
        labels = label_query(source="clean_prices", sessions="exchange_sessions")
        lake.execute(f"CREATE TABLE next_session_labels AS {labels}")
        yield lake


@pytest.mark.parametrize("lost", [None, *range(1, 9)])
def test_years_one_after_another_are_the_panel(lost: int | None) -> None:
    """A trade over the turn of a year must not lose its exit, whatever bar is missing there."""
    days = [date(2019, 12, 27), date(2019, 12, 30), date(2019, 12, 31), date(2020, 1, 2)]
    days += [date(2020, 1, 3), date(2020, 12, 31), date(2021, 1, 4), date(2021, 1, 5)]
    days += [date(2021, 1, 6), date(2021, 1, 7)]
    with _lake(days, lost=None if lost is None else days[lost]) as lake:
        for session in days[1:]:
            source, asked = PanelSource.of([TECHNICAL]), {"session": session}
            spans = yearly_spans(days, first=days[0], before=session)
            whole = lake.execute(panel_query(source), asked).pl()
            parts = [lake.execute(panel_query(source, span), asked).pl() for span in spans]
            assert pl.concat(parts).equals(whole)
            assert len(spans) == len({day.year for day in days if day < session})


def test_a_trade_earns_from_the_next_open_to_the_open_after() -> None:
    """Signals of a close can't be traded at that close; and a dividend is earned too."""
    rows = _panel(session=date(2020, 1, 9)).select("session", "exit_session", "next_open_return")
    opens = [0.9, 1.9, 2.9, 4.4 * 39 / 40, 5.5 * 49 / 50]
    expected = [opens[2] / opens[1] - 1, opens[3] / opens[2] - 1, opens[4] / opens[3] - 1]
    assert rows["exit_session"].to_list() == [*DAYS[2:], None]
    assert rows["next_open_return"].to_list()[:3] == pytest.approx(expected)
    assert rows["next_open_return"].to_list()[3] is None


def test_an_open_of_the_future_is_not_known() -> None:
    """A label is known a session before its trade is over; the panel must not run ahead."""
    rows = _panel(session=DAYS[3])
    assert rows["session"].to_list() == DAYS[:2]
    assert rows["exit_session"].to_list() == [DAYS[2], None]


def test_a_lost_session_has_no_exit() -> None:
    """Without a bar in the next session nobody knows the price at which one got out."""
    rows = _panel(session=date(2020, 1, 9), lost=DAYS[2])
    assert rows["session"].to_list() == [DAYS[0], DAYS[3]]
    assert rows["exit_session"].to_list() == [None, None]
