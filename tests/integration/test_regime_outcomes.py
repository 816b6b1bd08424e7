"""Live regimes get what came of them in a real lake, once it is due and not before."""

import json
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest

from assets.family_outcomes import family_records, forecast_outcomes, regime_outcomes
from assets.published_track_record import published_outcomes, published_track_records
from pipelines.lifecycle.regime_outcomes import regime_documents_of
from pipelines.nights import Night, Origin
from pipelines.regimes.foretelling import ForetoldReturn
from pipelines.regimes.names import MARKET
from pipelines.regimes.rows import SCHEMA
from pipelines.regimes.tables import REGIME_STATES
from pipelines.table import Table
from pipelines.tables import EXCHANGE_SESSIONS, INDEX_PRICES, NEXT_SESSION_LABELS
from pipelines.tables import NIGHTS as NIGHTS_TABLE
from resources.family_outcomes import enter_regime_outcomes, keep_family_records
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.regime_fits import keep_fits
from resources.serving import Serving
from tests.support.lake import table_of, temporary_lake
from tests.support.regime_markets import CALENDAR, DAYS, a_fit, index_bars, nights_of

FIT = a_fit(DAYS[100])
FIRST = 120
TOLD = DAYS[FIRST : FIRST + 9]
NIGHTS = nights_of(DAYS[FIRST : FIRST + 12])
RETURNS = 0.01 * np.random.default_rng(3).standard_normal(len(DAYS))
CHANCES = [0.6, 0.4]
KINDS = {"BOOLEAN": pl.Boolean(), "DATE": pl.Date(), "INTEGER": pl.Int32(), "BIGINT": pl.Int64()}


def state(symbol: str, at: int, *, origin: Origin = Origin.LIVE) -> dict[str, object]:
    """Return a regime as a row: bullish, and volatile from the seventh session on."""
    return {
        **dict.fromkeys(SCHEMA, 0.0),
        "symbol": symbol,
        "session": TOLD[at],
        "night_id": NIGHTS[at].night_id,
        "origin": origin.value,
        "applies_from": FIT.applies_from,
        "recipe": FIT.recipe,
        "regime": "bullish" if at < 6 else "volatile",
        "bullish": 1.0,
        "sessions_in_regime": 1,
        "transition_risk": 0.2,
        "last_seen": TOLD[at],
        "foretold": json.dumps(CHANCES) if symbol == MARKET else None,
        "abstain_reason": None,
    }


def put(lake: Lake, table: Table, rows: pl.DataFrame) -> None:
    """Write rows of a table whose other columns don't matter here."""
    filled = {
        column.name: pl.lit(1.0).cast(KINDS.get(column.type, pl.Float64()))
        for column in table.columns
        if column.name not in rows.columns and column.type not in {"TIMESTAMPTZ", "VARCHAR"}
    } | {
        column.name: pl.lit("x") if column.type == "VARCHAR" else pl.lit(CALENDAR.known_at(DAYS[0]))
        for column in table.columns
        if column.name not in rows.columns and column.type in {"TIMESTAMPTZ", "VARCHAR"}
    }
    whole = rows.with_columns(**filled).select(table.column_names)
    lake.commit(lambda writer: writer.merge(table, whole), night=NIGHTS[0], message="put")


def labels() -> pl.DataFrame:
    """Return the next session's return of one symbol."""
    return pl.DataFrame(
        {
            "symbol": "S0",
            "session": DAYS[FIRST : FIRST + 9],
            "label_end": DAYS[FIRST + 1 : FIRST + 10],
            "next_session_return": [0.01, -0.01] * 4 + [0.01],
        }
    )


def nights_opened() -> pl.DataFrame:
    """Return rows of `nights`."""
    return pl.DataFrame(
        [
            {
                "market": one.market,
                "session": one.session,
                "night_id": one.night_id,
                "as_of": one.as_of,
                "origin": one.origin.value,
            }
            for one in NIGHTS
        ]
    ).with_columns(
        lake_snapshot=pl.lit(None, dtype=pl.Int64),
        is_published=pl.lit(None, dtype=pl.Boolean),
        manifest=pl.lit(None, dtype=pl.String),
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with a fit, nine nights of regimes of which the fourth was filled in, and prices."""
    made = temporary_lake(tmp_path)
    put(made, EXCHANGE_SESSIONS, pl.DataFrame({"session": DAYS}))
    put(made, INDEX_PRICES, index_bars(RETURNS))
    put(made, NEXT_SESSION_LABELS, labels())
    keep_fits(made, [FIT], night=NIGHTS[0])
    rows = [
        state(symbol, at, origin=Origin.BACKFILL if at == 3 else Origin.LIVE)
        for symbol in (MARKET, "S0")
        for at in range(len(TOLD))
    ]
    put(made, REGIME_STATES, pl.DataFrame(rows, schema=SCHEMA))
    return made


def outcome(lake: Lake, symbol: str, at: int, horizon: int) -> dict[str, object]:
    """Return one row of the outcomes."""
    held = table_of(lake, "regime_outcomes").filter(
        symbol=symbol, session=TOLD[at], horizon=horizon
    )
    return held.row(0, named=True)


def test_outcomes_are_entered_when_due_for_live_regimes_alone(lake: Lake) -> None:
    """An outcome before its session is over would be known to nobody, a backfill's to everybody."""
    assert enter_regime_outcomes(lake, night=NIGHTS[0]) == (0, 0)
    assert enter_regime_outcomes(lake, night=NIGHTS[1]) == (2, 0)
    assert enter_regime_outcomes(lake, night=NIGHTS[8]) == (2 * (7 - 1) + 2 * (4 - 1), 0)
    version = lake.version()
    for night in (NIGHTS[8], NIGHTS[1]):
        assert enter_regime_outcomes(lake, night=night) == (0, 0)
    assert lake.version() == version, "a night run again must leave the lake as it is"
    held = table_of(lake, "regime_outcomes")
    assert TOLD[3] not in set(held["session"])
    value = float(RETURNS[FIRST + 1])
    foretold = ForetoldReturn.of(FIT.model, np.array(CHANCES))
    market = outcome(lake, MARKET, 0, 1)
    assert market["realised_return"] == pytest.approx(np.expm1(value))
    assert market["log_score"] == pytest.approx(foretold.log_score(value))
    assert market["level"] == pytest.approx(foretold.level(value))
    assert market["is_hit"] == (value > 0)
    symbol = outcome(lake, "S0", 1, 1)
    assert (symbol["is_hit"], symbol["log_score"]) == (False, None)
    assert outcome(lake, "S0", 6, 1)["is_hit"] is None, "volatile has no direction"
    ended = [outcome(lake, MARKET, at, 5)["has_ended"] for at in (0, 1, 2)]
    assert ended == [False, True, True], "the name changes in the seventh session"
    documents = list(regime_documents_of(held, NIGHTS[8]))
    assert len({(one.symbol, one.session, one.horizon) for one in documents}) == held.height


def test_a_revised_level_corrects_the_outcome_and_the_future_moves_nothing(lake: Lake) -> None:
    """The record must count what the vendor stands by, and nothing that came after the night."""
    enter_regime_outcomes(lake, night=NIGHTS[4])
    before = table_of(lake, "regime_outcomes")
    moved = RETURNS.copy()
    moved[FIRST + 5 :] += 0.05
    put(lake, INDEX_PRICES, index_bars(moved))
    assert enter_regime_outcomes(lake, night=NIGHTS[4]) == (0, 0)
    moved[FIRST + 1] += 0.05
    put(lake, INDEX_PRICES, index_bars(moved))
    assert enter_regime_outcomes(lake, night=NIGHTS[4]) == (0, 1)
    former = before.filter(symbol=MARKET, session=TOLD[0]).row(0, named=True)
    assert outcome(lake, MARKET, 0, 1)["realised_return"] > former["realised_return"]
    assert_a_live_record_is_never_rewritten(lake, NIGHTS[4])


def assert_a_live_record_is_never_rewritten(lake: Lake, night: Night) -> None:
    """Require that what was shown is still there when someone asks for it."""
    assert keep_family_records(lake, [night]) == 1
    first, version = table_of(lake, "family_records"), lake.version()
    assert set(first["note"]) == {"3 of the 20 sessions that a figure needs"}
    assert keep_family_records(lake, [night]) == 0
    assert lake.version() == version


def test_outcomes_and_records_reach_the_backend(lake: Lake, serving: Serving) -> None:
    """What the lake knows alone, nobody who looks at a regime would see; twice, it is the same."""
    put(lake, NIGHTS_TABLE, nights_opened())
    market = Market(name="sample")
    resources = {
        "lake": lake,
        "market": market,
        "serving": serving,
        "nights": Nights(lake=lake, market=market),
    }
    steps = (regime_outcomes, forecast_outcomes, family_records)
    published = (published_outcomes, published_track_records)
    for _ in range(2):
        made = dg.materialize(
            [*steps, *published],
            resources=resources,
            partition_key=NIGHTS[8].session.isoformat(),
        )
        assert made.success
    with serving.connect() as database:
        found = list(database["prediction_outcomes"].find({"model_name": "regime"}))
        records = list(database["track_records"].find({"model_name": "regime"}))
    assert len(found) == table_of(lake, "regime_outcomes").height
    assert {one["regime"]["regime"] for one in found} == {"bullish", "volatile"}
    assert {one["basis"] for one in records if one["regime"] is None} == {
        *("market_1", "market_5", "symbols_1", "symbols_5"),
    }
    assert {one["basis"] for one in records if one["regime"]} == {
        *("market_1_in_bullish", "market_1_in_volatile", "market_5_in_bullish"),
    }
