"""Which models and documents used a bar that the vendor has changed: one query tells."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.anomalies.tables import PRICE_REVISIONS
from pipelines.nights import Night
from pipelines.prices.uses import uses_query
from pipelines.signals.nightly import SIGNAL_SCORES_EMPTY
from pipelines.tables import EXCHANGE_SESSIONS, NIGHTS, SIGNAL_SCORES
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from tests.support.lake import SESSIONS, daily_rows, exchange_sessions, night_of, temporary_lake
from tests.support.recorded_bars import bars_of
from tests.support.revised_bars import journal_of

CHANGED = SESSIONS[20]
CHANGED_AT = night_of(SESSIONS[40]).as_of
"""The change came with the night of the 41st session."""


def scores(night: Night, symbol: str, version: int | None, through: date) -> pl.DataFrame:
    """Return a symbol's score of a night."""
    row = {
        **dict.fromkeys(("probability", "base_rate", "confidence"), 0.5),
        "symbol": symbol,
        "session": night.session,
        "horizon": 1,
        "night_id": night.night_id,
        "origin": "live",
        "model_version": version,
        "trained_through": through,
        "raw_probability": 0.5 if version else None,
        "recommendation": "hold",
        "abstain_reason": None,
        "contributions": "[]",
    }
    return pl.DataFrame([row], schema=SIGNAL_SCORES_EMPTY.schema)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with a changed bar of IBM, nights before and after, and three models."""
    lake = temporary_lake(tmp_path_factory.mktemp("uses"))
    nights = {number: night_of(SESSIONS[number]) for number in (10, 25, 30, 45)}
    bars = bars_of("IBM", [10.0] * 5)
    rows = daily_rows(bars.with_columns(session=pl.Series(SESSIONS[18:23])))
    sent = rows.select(bars.columns).with_columns(
        volume=pl.when(session=CHANGED).then(7).otherwise("volume").cast(pl.Int64)
    )
    journal = journal_of(rows, sent).with_columns(known_at=pl.lit(CHANGED_AT))
    made = [
        scores(nights[10], "IBM", 1, SESSIONS[5]),
        scores(nights[25], "IBM", 1, SESSIONS[5]),
        scores(nights[30], "IBM", 2, SESSIONS[28]),
        scores(nights[30], "AAPL", 2, SESSIONS[28]),
        scores(nights[45], "IBM", 3, SESSIONS[43]),
    ]
    opened = pl.DataFrame(
        [
            {
                "market": one.market,
                "session": one.session,
                "night_id": one.night_id,
                "as_of": one.as_of,
                "origin": one.origin.value,
                "lake_snapshot": 1,
                "is_published": True,
                "manifest": "{}",
            }
            for one in nights.values()
        ]
    )

    def work(writer: LakeWriter) -> None:
        writer.append(PRICE_REVISIONS, journal)
        writer.append(SIGNAL_SCORES, pl.concat(made))
        writer.append(NIGHTS, opened)
        writer.append(EXCHANGE_SESSIONS, exchange_sessions())

    lake.commit(work, night=nights[45], message="put uses")
    return lake


def test_one_query_tells_who_used_the_former_values(lake: Lake) -> None:
    """After a correction, somebody must know which answers rested on the wrong bar."""
    uses = lake.read(uses_query())
    assert set(uses.select("symbol", "session", "revision", "kind").rows()) == {
        ("IBM", CHANGED, 2, "correction")
    }
    told = set(uses.select("used_by", "model_version", "document").rows())
    assert told == {
        ("model", 2, f"signal v2, trained through {SESSIONS[28]}"),
        ("ml_signals, by their model", 2, f"2 signals of {SESSIONS[30]}"),
        ("ml_signals, by their features", 1, f"IBM, {SESSIONS[25]}, horizon 1"),
        ("ml_signals, by their features", 2, f"IBM, {SESSIONS[30]}, horizon 1"),
        ("stock_price_daily, _weekly and _monthly", None, f"IBM, {CHANGED}"),
    }


def test_a_signal_further_away_than_features_reach_has_not_used_the_bar(lake: Lake) -> None:
    """Else every signal of a symbol would be suspected for ever."""
    near = lake.read(uses_query(memory_sessions=5))
    documents = near.filter(used_by="ml_signals, by their features")["document"]
    assert documents.to_list() == [f"IBM, {SESSIONS[25]}, horizon 1"]


def test_the_runbook_shows_the_query_as_it_is() -> None:
    """People copy it from there."""
    runbook = Path(__file__).parents[2] / "docs" / "runbook.md"
    assert uses_query() in runbook.read_text()
