"""Regimes as documents: valid for the backend, whole, and in plain words."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from pipelines.documents.regime import MarketRegime
from pipelines.nights import Origin
from pipelines.regimes.names import MARKET
from pipelines.regimes.nightly import state_rows
from pipelines.regimes.publishing import regime_documents
from tests.support.backend_contract import assert_valid
from tests.support.regime_markets import (
    CALENDAR,
    DAYS,
    SETTINGS,
    a_fit,
    index_bars,
    market_returns,
    nights_of,
    series_of,
    symbol_returns,
    window_of,
)

FIT = a_fit()
SESSION = DAYS[400]


def rows_of(
    fits: Mapping[date, Any], *, symbols: Sequence[str] = ("S0", "UNKNOWN")
) -> pl.DataFrame:
    """Return the rows of one night of a market of two states."""
    return state_rows(
        window_of([SESSION], fits),
        series_of(index_bars(market_returns(401)[0])),
        symbol_returns(DAYS[:401]),
        universe=symbols,
        first_sessions={},
        settings=SETTINGS,
    )


def documents_of(rows: pl.DataFrame, *, origin: Origin = Origin.LIVE) -> dict[str, MarketRegime]:
    """Return the documents of some rows, by symbol."""
    made = regime_documents(
        rows,
        nights_of([SESSION], origin=origin),
        fits={(FIT.applies_from, FIT.recipe): FIT},
        calendar=CALENDAR,
    )
    return {document.symbol: document for document in made}


def test_documents_are_valid_for_the_backend() -> None:
    """One bad document poisons the whole list that the backend reads."""
    for fits in ({FIT.applies_from: FIT}, {}):
        documents = documents_of(rows_of(fits))
        assert set(documents) == {MARKET, "S0", "UNKNOWN"}
        for document in documents.values():
            stored = document.to_mongo()
            assert_valid("market_regimes", stored)
            assert set(stored["probabilities"]) == {"bullish", "bearish", "sideways", "volatile"}
            assert sum(stored["probabilities"].values()) == pytest.approx(1.0, abs=1e-9)
            assert {"trailing_return_pct", "volatility_pct", "drawdown_pct", "momentum_z"} <= set(
                stored["metrics"]
            )


def test_the_market_is_told_in_words_and_figures() -> None:
    """A person reads the notes, not the fields."""
    market = documents_of(rows_of({FIT.applies_from: FIT}))[MARKET]
    assert market.abstain_reason is None
    assert market.confidence == getattr(market.probabilities, market.regime.value)
    assert market.expected_sessions is not None
    assert 0.0 < market.transition_risk < 1.0
    said = " ".join(market.notes)
    assert (
        f"The market has been {market.regime.value} for {market.sessions_in_regime} session" in said
    )
    assert "the chance that it ends within 5 sessions is" in said
    assert "the S&P 500 made" in said


def test_one_session_is_one_session() -> None:
    """The first night of a regime is the one that everybody reads."""
    rows = rows_of({FIT.applies_from: FIT}).with_columns(sessions_in_regime=pl.lit(1))
    assert "for 1 session;" in documents_of(rows)[MARKET].notes[0]


@pytest.mark.parametrize(
    ("fits", "symbol", "reason", "words"),
    [
        ({}, MARKET, "no_model", "There is no regime of the market: no model was fitted"),
        (
            {FIT.applies_from: FIT},
            "UNKNOWN",
            "no_history",
            "There is no regime of UNKNOWN: no return",
        ),
    ],
    ids=["no model", "unknown symbol"],
)
def test_an_abstention_gives_its_reason(
    fits: Mapping[date, Any], symbol: str, reason: str, words: str
) -> None:
    """No opinion is confidence 0, all names alike, and why."""
    document = documents_of(rows_of(fits))[symbol]
    assert (document.abstain_reason, document.confidence) == (reason, 0.0)
    assert set(document.probabilities.model_dump().values()) == {0.25}
    assert document.notes[0].startswith(words)


def test_a_backfill_is_never_taken_for_tonight() -> None:
    """The backend reads the latest `as_of`; a backfill run tonight tells of the past."""
    rows = rows_of({FIT.applies_from: FIT})
    document = documents_of(rows, origin=Origin.BACKFILL)[MARKET]
    assert document.as_of == document.seen_from == CALENDAR.known_at(SESSION)


def test_a_model_that_saw_the_session_is_refused() -> None:
    """Hindsight must not get past the document."""
    market = documents_of(rows_of({FIT.applies_from: FIT}))[MARKET]
    assert market.model is not None
    seen = market.model.model_copy(update={"fitted_through": SESSION})
    with pytest.raises(ValidationError, match="tell it by a model of its own time"):
        MarketRegime.model_validate({**dict(market), "model": seen})
