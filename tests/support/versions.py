"""Versions of the registry for tests, as trainings would have left them."""

from datetime import UTC, date, datetime, timedelta

from pipelines.lifecycle.evidence import PairedComparison
from pipelines.lifecycle.promotion import ChecklistItem, Decision, Verdict
from pipelines.lifecycle.versions import SignalVersion

AT = datetime(2026, 1, 5, tzinfo=UTC)
DAY = date(2026, 1, 2)


def version(number: int, verdict: Verdict | None, *, days: int = 0) -> SignalVersion:
    """Return a version of a training some days later, and what became of it."""
    decision = None
    if verdict is not None:
        items = (
            ChecklistItem("planted_leak_is_caught", True, "caught"),
            ChecklistItem("is_calibrated", None, "there is no champion"),
        )
        challenge = PairedComparison(20, 100, 1e-3, 0.001, 1e-5, None)
        decision = Decision(verdict, "because", DAY, items, champion=1, comparison=challenge)
    return SignalVersion(
        number=number,
        market="sample",
        trained_through=DAY + timedelta(days=days),
        data_hash=f"{number}",
        features_version="f",
        run_id="0123456789abcdef",
        created_at=AT + timedelta(days=days),
        decision=decision,
    )
