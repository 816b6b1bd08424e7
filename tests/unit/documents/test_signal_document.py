"""Signals: a whole opinion with its evidence, or an honest abstention."""

import math
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.documents.contribution import feature_contributions, top_signals
from tests.support.documents import SESSION, a_signal

ABSTENTION: dict[str, Any] = {
    "abstain_reason": "too_few_sessions",
    "recommendation": "hold",
    "confidence": 0.0,
    "probability": 0.52,
    "base_rate": 0.52,
}


def test_an_abstention_is_published_at_the_base_rate() -> None:
    """A reader must be able to tell no opinion from a weak one."""
    signal = a_signal(**ABSTENTION, model_version=None, trained_through=None, track_record=None)
    assert signal.abstain_reason == "too_few_sessions"


@pytest.mark.parametrize(
    "change", [{"recommendation": "buy"}, {"confidence": 0.1}, {"probability": 0.6}]
)
def test_half_an_abstention_is_refused(change: dict[str, Any]) -> None:
    """A reason beside an opinion would be two answers at once."""
    with pytest.raises(ValidationError, match="abstains"):
        a_signal(**ABSTENTION | change)


@pytest.mark.parametrize("field", ["model_version", "trained_through", "track_record"])
def test_an_opinion_without_its_evidence_is_refused(field: str) -> None:
    """Each prediction stands beside its measured record."""
    gap: dict[str, Any] = {field: None}
    with pytest.raises(ValidationError, match="abstain with a reason"):
        a_signal(**gap)


def test_a_model_that_saw_the_session_is_refused() -> None:
    """Its score would be a memory, not a prediction."""
    with pytest.raises(ValidationError, match="not before the session"):
        a_signal(trained_through=SESSION)


def test_contributions_come_largest_first_with_their_share() -> None:
    """The backend shows them in the order they come."""
    parts = feature_contributions(
        {"weak": 0.1, "strong": -0.3, "mute": 0.0, "absent": 0.1},
        values={"weak": 1.0, "strong": 2.0, "mute": 3.0, "absent": None},
    )
    assert [(part.feature, part.weight, part.direction) for part in parts] == [
        ("strong", 0.6, "down"),
        ("weak", 0.2, "up"),
        ("mute", 0.0, None),
    ]


def test_top_signals_say_what_moved_the_opinion() -> None:
    """A person reads these instead of the numbers; what moved nothing is not mentioned."""
    parts = feature_contributions({"a": -0.3, "b": 0.0}, values={"a": 2.0, "b": 3.0})
    assert top_signals(parts) == ("a at 2 speaks for a lower close (-0.300 log-odds)",)


def test_an_explanation_that_does_not_add_up_is_refused() -> None:
    """A reader sums the contributions and finds another probability."""
    baseline = math.log(0.55 / 0.45) - 0.2
    assert a_signal(baseline_log_odds=baseline).baseline_log_odds == pytest.approx(baseline)
    with pytest.raises(ValidationError, match="contributions and baseline_log_odds sum to"):
        a_signal(baseline_log_odds=baseline + 0.01)


def test_contributions_of_nothing_weigh_nothing() -> None:
    """A flat model must not divide by zero."""
    (part,) = feature_contributions({"a": 0.0}, values={"a": 1.0})
    assert part.weight == 0.0
