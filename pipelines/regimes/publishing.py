"""Regimes as documents, with notes in plain words."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.documents.regime import (
    MarketRegime,
    RegimeMetrics,
    RegimeModelRecord,
    RegimeProbabilities,
)
from pipelines.documents.values import round_significant
from pipelines.nights import Night, Origin
from pipelines.regimes.abstaining import REASON_WORDS, AbstainReason
from pipelines.regimes.endings import RISK_SESSIONS
from pipelines.regimes.fits import FitKey, RegimeFit
from pipelines.regimes.names import MARKET, NAMES
from pipelines.regimes.naming import state_moments
from pipelines.regimes.trailing import LOOK_BACK_SESSIONS, METRICS

LOOK_BACK_DAYS = round(LOOK_BACK_SESSIONS * 365.25 / 252)
NO_SERIES = "none"
SHOWN_PROBABILITY = 0.2
"""Another regime is worth a word from here on."""


def regime_documents(
    states: pl.DataFrame,
    nights: Sequence[Night],
    *,
    fits: Mapping[FitKey, RegimeFit],
    calendar: ExchangeCalendar,
) -> Iterator[MarketRegime]:
    """Make the documents of rows of `regime_states`.

    Args:
        states: The rows.
        nights: The nights that they belong to.
        fits: By the key that rows name them by.
        calendar: The exchange's sessions.
    """
    by_session = {night.session: night for night in nights}
    for row in states.sort("session", "symbol").iter_rows(named=True):
        night = by_session[row["session"]]
        fit = None if row["recipe"] is None else fits[row["applies_from"], row["recipe"]]
        yield _document(row, night, fit, seen_from=seen_from(night, calendar))


def seen_from(night: Night, calendar: ExchangeCalendar) -> datetime:
    """Return the instant that orders a night's regimes for the backend, which reads the latest.

    Nights of a backfill share one instant, later than that of younger live ones: an old session
    would be taken for tonight's. So a backfill stands where its session's bars were final.
    """
    if night.origin is Origin.LIVE:
        return night.as_of
    return min(night.as_of, calendar.known_at(night.session))


def _document(
    row: Mapping[str, Any], night: Night, fit: RegimeFit | None, *, seen_from: datetime
) -> MarketRegime:
    """Make one document."""
    chances = _chances(row)
    return MarketRegime(
        symbol=row["symbol"],
        session=row["session"],
        as_of=seen_from,
        seen_from=seen_from,
        source=night.market,
        market=night.market,
        series=fit.series if fit else NO_SERIES,
        lookback_days=LOOK_BACK_DAYS,
        regime=row["regime"],
        confidence=0.0 if row["abstain_reason"] else chances[row["regime"]],
        probabilities=RegimeProbabilities(**chances),
        metrics=RegimeMetrics(**{name: row[name] for name in METRICS}),
        notes=tuple(_notes(row, fit)),
        sessions_in_regime=row["sessions_in_regime"],
        expected_sessions=row["expected_sessions"],
        transition_risk=row["transition_risk"],
        model=_record(fit) if fit else None,
        abstain_reason=row["abstain_reason"],
        night_id=row["night_id"],
        origin=row["origin"],
    )


def _chances(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the four probabilities, clamped; the label's takes up what rounding left over."""
    chances = {name.value: round_significant(min(1.0, max(0.0, row[name.value]))) for name in NAMES}
    others = sum(chance for name, chance in chances.items() if name != row["regime"])
    return chances | {row["regime"]: min(1.0, max(0.0, 1.0 - others))}


def _record(fit: RegimeFit) -> RegimeModelRecord:
    """Return what a document says of its model."""
    return RegimeModelRecord(
        name=fit.model.candidate.name,
        applies_from=fit.applies_from,
        fitted_through=fit.model.fitted_through,
        log_score=fit.standing.score,
        gain=fit.gain,
        switches_per_year=fit.standing.switches_per_year,
        agreement=fit.standing.agreement,
    )


def _notes(row: Mapping[str, Any], fit: RegimeFit | None) -> Iterator[str]:
    """Say in words what a row means, or why it means nothing."""
    who = "the market" if row["symbol"] == MARKET else row["symbol"]
    if row["abstain_reason"] or fit is None:
        reason = AbstainReason(row["abstain_reason"])
        yield f"There is no regime of {who}: {REASON_WORDS[reason]}."
        return
    yield (
        f"{who[0].upper()}{who[1:]} has been {row['regime']} for "
        f"{_sessions(row['sessions_in_regime'])}; the chance that it is so tonight is "
        f"{row[row['regime']]:.0%}."
    )
    yield from _others(row)
    yield from _course(row)
    yield _what_it_means(row, fit)
    if row["last_seen"] != row["session"]:
        yield f"Its last return is of {row['last_seen']}: the regime is carried on from there."


def _others(row: Mapping[str, Any]) -> Iterator[str]:
    """Say which other regime is possible."""
    rivals = {name.value: row[name.value] for name in NAMES if name.value != row["regime"]}
    rival = max(rivals, key=lambda name: rivals[name])
    if rivals[rival] >= SHOWN_PROBABILITY:
        is_likelier = rivals[rival] > row[row["regime"]]
        held = ", not long or surely enough to rename it" if is_likelier else ""
        yield f"{rival.capitalize()} has a chance of {rivals[rival]:.0%}{held}."


def _course(row: Mapping[str, Any]) -> Iterator[str]:
    """Say how it should go on."""
    risk = (
        f"the chance that it ends within {RISK_SESSIONS} sessions is {row['transition_risk']:.0%}"
    )
    if row["expected_sessions"] is None:
        yield f"No end of it is foreseen; {risk}."
    else:
        yield f"It should go on for {_sessions(round(row['expected_sessions']))}; {risk}."


def _sessions(count: int) -> str:
    """Say how many sessions."""
    return f"{count} session" if count == 1 else f"{count} sessions"


def _what_it_means(row: Mapping[str, Any], fit: RegimeFit) -> str:
    """Say what the market was like in the states that bear the name."""
    parts = [
        f"{moments.drift:+.0%} a year at {moments.volatility:.0%} volatility"
        for moments, name in zip(state_moments(fit.model), fit.naming.names, strict=True)
        if name.value == row["regime"]
    ]
    said = f"In {row['regime']} states the {fit.series} made {' or '.join(parts) or 'nothing yet'}"
    if row["symbol"] == MARKET:
        return f"{said}, from {fit.model.fitted_from} through {fit.model.fitted_through}."
    return (
        f"{said}; {row['symbol']} is judged by its own returns on its own scale, and by the "
        f"market's state with a weight of {fit.level.blend:.0%} or more while it is young."
    )
