"""Live signals get what came of them in a real lake, once it is due and not before."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.nights import Night, Origin
from pipelines.regimes.names import MARKET
from pipelines.regimes.rows import SCHEMA
from pipelines.regimes.tables import REGIME_STATES
from pipelines.signals.nightly import SIGNAL_SCORES_EMPTY
from pipelines.tables import SIGNAL_SCORES
from resources.lake import Lake
from resources.track_record import enter_outcomes, keep_track_records
from tests.support.lake import (
    DERIVATIONS,
    SESSIONS,
    daily_rows,
    derive_all,
    night_of,
    put_bars,
    simulated_bars,
    table_of,
    temporary_lake,
)

FIRST, SECOND, THIRD, FOURTH = SESSIONS[40:44]
PRICES_AND_LABELS = (*DERIVATIONS[:3], DERIVATIONS[-1])


def put_scores(lake: Lake, session: date, *, origin: Origin, symbols: list[str]) -> None:
    """Write the scores of a night."""
    rows = pl.DataFrame(
        [
            {
                "symbol": symbol,
                "session": session,
                "horizon": 1,
                "night_id": night_of(session).night_id,
                "origin": origin.value,
                "model_version": 3,
                "trained_through": SESSIONS[0],
                "raw_probability": 0.6,
                "probability": 0.55,
                "base_rate": 0.52,
                "confidence": 0.4,
                "recommendation": "buy",
                "abstain_reason": None,
                "contributions": "[]",
                "baseline_log_odds": 0.1,
            }
            for symbol in symbols
        ],
        schema=SIGNAL_SCORES_EMPTY.schema,
    )
    lake.replace_sessions(SIGNAL_SCORES, rows, nights=[night_of(session)])


@pytest.fixture
def bars() -> pl.DataFrame:
    """Bars of some symbols without gaps."""
    return simulated_bars(symbols=2, sessions=60, missing_share=0.0)


@pytest.fixture
def lake(tmp_path: Path, bars: pl.DataFrame) -> Lake:
    """A lake with prices and labels, two live nights and one that was filled in."""
    made = temporary_lake(tmp_path)
    put_bars(made, daily_rows(bars))
    derive_all(made, PRICES_AND_LABELS)
    symbols = sorted(bars["symbol"].unique())
    put_scores(made, FIRST, origin=Origin.LIVE, symbols=symbols)
    put_scores(made, SECOND, origin=Origin.BACKFILL, symbols=symbols)
    put_scores(made, THIRD, origin=Origin.LIVE, symbols=symbols)
    return made


def test_outcomes_are_entered_when_due_for_live_signals_alone(lake: Lake) -> None:
    """An outcome before its session is over would be known to nobody, a backfill's to everybody."""
    assert enter_outcomes(lake, night=night_of(FIRST)) == (0, 0)
    assert enter_outcomes(lake, night=night_of(SECOND)) == (2, 0)
    at_once = table_of(lake, "prediction_outcomes")
    assert at_once["next_open_return"].null_count() == 2, "the open of the exit is a day ahead"
    assert enter_outcomes(lake, night=night_of(THIRD)) == (0, 2)
    assert enter_outcomes(lake, night=night_of(FOURTH)) == (2, 0)
    held = table_of(lake, "prediction_outcomes")
    assert set(held["session"]) == {FIRST, THIRD}
    index = lake.read(
        "SELECT symbol, session, total_return_index AS level, "
        "total_return_index * open / close AS opening FROM clean_prices ORDER BY symbol, session"
    )
    for row in held.filter(session=FIRST).iter_rows(named=True):
        own = {day["session"]: day for day in index.filter(symbol=row["symbol"]).to_dicts()}
        expected = own[SECOND]["level"] / own[FIRST]["level"] - 1
        assert row["next_session_return"] == pytest.approx(expected)
        assert row["is_up"] == (expected > 0)
        traded = own[THIRD]["opening"] / own[SECOND]["opening"] - 1
        assert row["next_open_return"] == pytest.approx(traded)
    version = lake.version()
    assert enter_outcomes(lake, night=night_of(FOURTH)) == (0, 0)
    assert lake.version() == version, "a night run again must leave the lake as it is"


def test_a_revised_price_corrects_the_outcome(lake: Lake, bars: pl.DataFrame) -> None:
    """The vendor's first close was wrong: the record must not go on counting it."""
    enter_outcomes(lake, night=night_of(THIRD))
    before = table_of(lake, "prediction_outcomes")
    symbol = before["symbol"][0]
    is_wrong = (pl.col("symbol") == symbol) & (pl.col("session") == SECOND)
    revised = bars.filter(is_wrong).with_columns(
        pl.col("open", "high", "low", "close", "adjusted_close") * 1.02
    )
    put_bars(lake, daily_rows(revised, revision=2))
    derive_all(lake, PRICES_AND_LABELS)
    later: Night = night_of(SESSIONS[45])
    entered, corrected = enter_outcomes(lake, night=later)
    after = table_of(lake, "prediction_outcomes").filter(session=FIRST)
    (former,) = before.filter(symbol=symbol)["next_session_return"]
    (now,) = after.filter(symbol=symbol)["next_session_return"]
    assert (entered, corrected) == (2, 1)
    assert now == pytest.approx((1 + former) * 1.02 - 1)
    assert after.filter(symbol=symbol)["entered_at"][0] == later.as_of
    assert_a_live_record_is_never_rewritten(lake, later)


def test_a_record_counts_the_regime_that_was_published_then(lake: Lake) -> None:
    """A name that was filled in later would judge the model by what nobody knew."""
    nights = {THIRD: ("volatile", Origin.LIVE), FIRST: ("bullish", Origin.BACKFILL)}
    for session, (name, origin) in nights.items():
        put_regime(lake, session, name, origin=origin)
    night = night_of(FOURTH)
    enter_outcomes(lake, night=night)
    assert keep_track_records(lake, [night]) == 1
    held = table_of(lake, "track_records").filter(model_version="all", window_sessions=252)
    assert sorted(held.select("basis", "regime", "first_session", "rows").rows()) == [
        ("model", None, FIRST, 4),
        ("model_in_volatile", "volatile", THIRD, 2),
        ("published", None, FIRST, 4),
        ("published_in_volatile", "volatile", THIRD, 2),
    ]


def put_regime(lake: Lake, session: date, name: str, *, origin: Origin) -> None:
    """Write what a night told of the market's regime."""
    told = {
        **{column.name: 0.25 for column in REGIME_STATES.columns if column.type == "DOUBLE"},
        "symbol": MARKET,
        "session": session,
        "night_id": night_of(session).night_id,
        "origin": origin.value,
        "regime": name,
        "sessions_in_regime": 3,
    }
    lake.replace_sessions(
        REGIME_STATES,
        pl.DataFrame([dict.fromkeys(SCHEMA) | told], schema=SCHEMA),
        nights=[night_of(session)],
    )


def assert_a_live_record_is_never_rewritten(lake: Lake, night: Night) -> None:
    """Require that what was shown beside a signal is still there when someone asks for it."""
    assert keep_track_records(lake, [night]) == 1
    first, version = table_of(lake, "track_records"), lake.version()
    assert first["note"].to_list()[0] == "2 of the 20 sessions that a figure needs"
    assert keep_track_records(lake, [night]) == 0
    assert lake.version() == version
    assert table_of(lake, "track_records").equals(first)
