"""Which answers of the vendor count as a refresh, as the lake tells it."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.documents.coverage import REFRESHES_QUERY, coverage_documents, holdings_query
from pipelines.tables import CLEAN_PRICES, VENDOR_RESPONSES
from resources.lake import Lake
from tests.support.clean_bars import chained
from tests.support.lake import CALENDAR, SESSIONS, daily_rows, night_of, put_bars, temporary_lake

FULL, COMPACT, ADJUSTED = "full", "compact", "TIME_SERIES_DAILY_ADJUSTED"
EVENT_ROW = 20


def bars_through(session: date, *, has_split: bool = False) -> pl.DataFrame:
    """Return quiet bars of one symbol, with a split at `EVENT_ROW` or without."""
    days = [day for day in SESSIONS[:60] if day <= session]
    count = len(days)
    split = [2.0 if has_split and row == EVENT_ROW else 1.0 for row in range(count)]
    return pl.DataFrame(
        {
            "symbol": ["A"] * count,
            "session": days,
            **dict.fromkeys(("open", "high", "low", "close", "adjusted_close"), [10.0] * count),
            "volume": [1_000] * count,
            "dividend_amount": [0.0] * count,
            "split_coefficient": split,
        }
    )


def refresh(
    path: Path, answers: list[tuple[date, str, str]], bars: pl.DataFrame, function: str = ADJUSTED
) -> tuple[Lake, list[dict[str, Any]]]:
    """Return the refreshes that a lake with answers (session, outcome, size) and bars tells."""
    lake = temporary_lake(path)
    put_bars(lake, daily_rows(bars))
    responses = pl.DataFrame(
        {
            "response_id": range(1, len(answers) + 1),
            "function": [function] * len(answers),
            "symbol": ["A"] * len(answers),
            "request": [json.dumps({"outputsize": size}) for _, _, size in answers],
            "fetched_at": [known(session) for session, _, _ in answers],
            "outcome": [outcome for _, outcome, _ in answers],
            "message": pl.Series([None] * len(answers), dtype=pl.String),
            "body_sha256": pl.Series([None] * len(answers), dtype=pl.String),
        }
    )

    def work(writer: Any) -> None:
        writer.append(VENDOR_RESPONSES, responses)
        writer.append(CLEAN_PRICES, chained(bars).with_columns(known_at=pl.lit(known(SESSIONS[0]))))

    lake.commit(work, night=night_of(), message="put answers")
    return lake, list(lake.read(REFRESHES_QUERY).iter_rows(named=True))


def known(session: date) -> datetime:
    """Return the instant at which a session's night is seen."""
    return CALENDAR.known_at(session)


def test_a_failed_refresh_leaves_the_stamps_of_the_last_good_one(tmp_path: Path) -> None:
    """Neither a refusal nor an answer without the newest session makes a symbol fresh."""
    answers = [
        (SESSIONS[30], "data", FULL),
        (SESSIONS[31], "data", COMPACT),
        (SESSIONS[32], "rate_limit", COMPACT),
        (SESSIONS[33], "data", COMPACT),  # a vendor that is behind: session 33 never came
    ]
    lake, (found,) = refresh(tmp_path, answers, bars_through(SESSIONS[31]))
    assert found["refreshed_at"] == known(SESSIONS[31])
    assert (found["refreshed_through"], found["full_at"]) == (SESSIONS[31], known(SESSIONS[30]))
    documents = list(
        coverage_documents(
            lake.read(holdings_query()),
            pl.DataFrame([found]),
            active=[],
            source="sample",
            calendar=CALENDAR,
        )
    )
    assert [one.data_type for one in documents] == ["daily", "monthly", "weekly"]
    for one in documents:
        assert one.last_full_update == one.last_delta_update == known(SESSIONS[31])
        assert one.next_update_due == known(SESSIONS[32])
        assert (one.last_date.date(), one.is_active) == (SESSIONS[31], False)
    assert documents[0].total_records == 32


@pytest.mark.parametrize(
    ("full_row", "function", "is_outdated"),
    [
        (EVENT_ROW - 1, ADJUSTED, True),
        (EVENT_ROW, ADJUSTED, False),
        (EVENT_ROW - 1, "TIME_SERIES_DAILY", False),
    ],
    ids=["the full answer is older", "a full answer followed", "we adjust ourselves"],
)
def test_a_split_after_the_last_full_answer_outdates_the_past(
    tmp_path: Path, full_row: int, function: str, is_outdated: bool
) -> None:
    """The vendor's adjusted closes before it have all changed, unless they are our own."""
    answers = [(SESSIONS[full_row], "data", FULL), (SESSIONS[30], "data", COMPACT)]
    bars = bars_through(SESSIONS[30], has_split=True)
    _, (found,) = refresh(tmp_path, answers, bars, function)
    assert found["is_past_outdated"] is is_outdated


def test_a_symbol_without_a_good_answer_has_no_refresh(tmp_path: Path) -> None:
    """Its stamps are null, so the backend sees that nobody keeps it."""
    _, found = refresh(tmp_path, [(SESSIONS[5], "network", FULL)], bars_through(SESSIONS[4]))
    assert found == []
