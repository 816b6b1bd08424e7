"""Documents for tests: whole ones with one field changed, and strategies for any of them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from pipelines.documents.contribution import FeatureContribution
from pipelines.documents.daily_price import DailyPrice
from pipelines.documents.measured import MeasuredValue
from pipelines.documents.pipeline_run import PipelineRun, PublishedCollection
from pipelines.documents.quality_event import DataQualityEvent, EventMetadata
from pipelines.documents.signal import MLSignal, TrackRecord
from pipelines.documents.values import midnight_of

SESSION = date(2013, 3, 1)
AS_OF = datetime(2013, 3, 2, 1, 30, tzinfo=UTC)
NEXT_AS_OF = AS_OF + timedelta(days=3)


def a_price(symbol: str = "AAPL", session: date = SESSION, **changes: Any) -> DailyPrice:
    """Return the bar of a quiet day."""
    bar = {"open": 10.0, "high": 11.0, "low": 9.5, "close": 10.5, "volume": 1_000}
    return DailyPrice.model_validate(
        {"symbol": symbol, "date": midnight_of(session), "source": "sample", **bar, **changes}
    )


def prices(count: int, **changes: Any) -> list[DailyPrice]:
    """Return the bars of consecutive days."""
    return [a_price(session=SESSION - timedelta(days=day), **changes) for day in range(count)]


def a_signal(symbol: str = "AAPL", session: date = SESSION, **changes: Any) -> MLSignal:
    """Return a cautious opinion with a full record."""
    figure = MeasuredValue(estimate=0.52, low=0.5, high=0.54)
    record = TrackRecord(
        auc=figure, brier_skill=figure, calibration_slope=None, sessions=500, rows=2_000
    )
    contribution = FeatureContribution(feature="momentum", value=0.1, weight=1.0, impact=0.2)
    opinion = {"probability": 0.55, "base_rate": 0.52, "confidence": 0.3, "recommendation": "buy"}
    model = {"model_version": 1, "trained_through": session - timedelta(days=30)}
    night = {"market": "sample", "night_id": "n1", "origin": "live", "as_of": AS_OF}
    return MLSignal.model_validate(
        {
            "symbol": symbol,
            "session": session,
            "horizon": 1,
            "lookback_days": 90,
            "track_record": record,
            "feature_contributions": [contribution],
            **night,
            **model,
            **opinion,
            **changes,
        }
    )


def a_run(**changes: Any) -> PipelineRun:
    """Return the manifest of a small night."""
    return PipelineRun.model_validate(
        {
            "night_id": "n1",
            "market": "sample",
            "session": SESSION,
            "as_of": AS_OF,
            "origin": "live",
            "status": "complete",
            "collections": {"ml_signals": PublishedCollection(documents=5, content_hash="0" * 64)},
            "lake_snapshot": 7,
            "model_versions": {"signal_model": 1},
            "code_version": "abc",
            "lock_hash": "1" * 64,
            "seeds": {"signal_model": 7},
            "stale_symbols": ["FB"],
            "quarantined": {"price_range": 2},
            "runs": ["first"],
            **changes,
        }
    )


FINITE = st.floats(-1e300, 1e300)
CHANCES = st.floats(0, 1)
SYMBOLS = st.from_regex(r"\A[A-Z0-9][A-Z0-9.^=/_-]{0,11}\Z")
DAYS = st.dates(min_value=date(1970, 1, 2))
INSTANTS = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001  hypothesis adds the zone
    timezones=st.timezones(),
)


@st.composite
def any_price(draw: st.DrawFn) -> DailyPrice:
    """Draw any bar that the model accepts."""
    low, first, last, high = sorted(
        draw(st.lists(st.floats(1e-300, 1e300), min_size=4, max_size=4))
    )
    optional = st.none() | FINITE
    return a_price(
        draw(SYMBOLS),
        draw(DAYS),
        open=first,
        high=high,
        low=low,
        close=last,
        volume=draw(st.integers(0, 2**63 - 1)),
        adjusted_close=draw(optional),
        price_change_percent=draw(optional),
        iso_anomaly_score=draw(st.none() | CHANCES),
        volume_z_score=draw(optional),
        anomaly_severity=draw(st.sampled_from([None, "normal", "critical"])),
        anomaly_reasons=draw(st.none() | st.just(("too high", "too low"))),
    )


def an_event(symbol: str = "AAPL", **changes: Any) -> DataQualityEvent:
    """Return the event of a bar that waits for a person."""
    metadata = EventMetadata(
        bar_date=SESSION,
        revision=1,
        status="open",
        is_withheld=True,
        first_severity="high",
        explanation=None,
        how_to_resolve="release or confirm it",
        evidence={"ratio": 0.5},
        night_id="n1",
    )
    scores = {"iso_score": 0.9, "prophet_score": None, "price_change_pct": -50.0}
    return DataQualityEvent.model_validate(
        {
            "symbol": symbol,
            "data_type": "daily",
            "anomaly_type": "split_not_applied",
            "occurred_at": AS_OF,
            "severity": "high",
            "revision": 1,
            "volume_z_score": None,
            "message": "close halved",
            "source": "sample",
            "metadata": metadata,
            **scores,
            **changes,
        }
    )


# A rule may divide by zero; what is rounded past the largest number would be refused.
ANY_NUMBER = FINITE | st.sampled_from([float("nan"), float("inf"), -float("inf")])
EVIDENCE = st.dictionaries(
    st.text(max_size=6),
    st.recursive(
        st.none() | st.booleans() | st.integers() | ANY_NUMBER | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=5,
    ),
    max_size=4,
)


@st.composite
def any_event(draw: st.DrawFn) -> DataQualityEvent:
    """Draw any event that the model accepts, with whatever evidence a rule may give."""
    plain = an_event()
    return an_event(
        draw(SYMBOLS | st.just("*")),
        data_type=draw(st.sampled_from(["daily", "weekly"])),
        severity=draw(st.sampled_from(["normal", "low", "medium", "high", "critical"])),
        occurred_at=draw(INSTANTS),
        iso_score=draw(st.none() | CHANCES),
        volume_z_score=draw(st.none() | FINITE),
        metadata=plain.metadata.model_copy(update={"bar_date": draw(DAYS)}).model_dump()
        | {"evidence": draw(EVIDENCE)},
    )


@st.composite
def any_signal(draw: st.DrawFn) -> MLSignal:
    """Draw any signal that the model accepts, with an opinion or without."""
    session, chance = draw(DAYS), draw(CHANCES)
    chances = {"probability": chance, "base_rate": chance, "as_of": draw(INSTANTS)}
    if draw(st.booleans()):
        nothing = {"model_version": None, "trained_through": None, "track_record": None}
        abstention = {"recommendation": "hold", "confidence": 0.0, "abstain_reason": "no_model"}
        return a_signal(draw(SYMBOLS), session, **chances, **nothing, **abstention)
    contribution = FeatureContribution(
        feature=draw(st.text(max_size=5)), value=draw(FINITE), weight=chance, impact=draw(FINITE)
    )
    return a_signal(
        draw(SYMBOLS),
        session,
        confidence=draw(CHANCES),
        recommendation=draw(st.sampled_from(["strong_buy", "buy", "hold", "sell", "strong_sell"])),
        feature_contributions=(contribution,),
        top_signals=draw(st.lists(st.text(max_size=5), max_size=2)),
        **chances,
    )
