"""What a night makes of drift: one event an episode, and a training only where it may help."""

from datetime import date

import polars as pl
import pytest

from pipelines.lifecycle.drift import Drift, Severity
from pipelines.lifecycle.drift_rows import (
    DRIFT_SCHEMA,
    SkillDecay,
    drift_documents,
    drift_rows,
    retraining_row,
)
from pipelines.nights import Night
from pipelines.validation.session_bootstrap import Estimate
from tests.support.backend_contract import assert_valid
from tests.support.lake import SESSIONS, night_of

YESTERDAY, TONIGHT = night_of(SESSIONS[-2]), night_of(SESSIONS[-1])
TRAINED = Estimate(0.54, 0.52, 0.56)
NOTHING = pl.DataFrame(schema=DRIFT_SCHEMA)


def drift(metric: str, severity: Severity, *, is_significant: bool = True) -> Drift:
    """Return the drift of one feature."""
    return Drift(metric, 0.4, 0.3, 1e-6, is_significant, 0.1, severity, "far off", "retrain")


GRAVE, SLIGHT = drift("volume", Severity.HIGH), drift("trend", Severity.LOW, is_significant=False)


def rows_of(
    *drifts: Drift,
    night: Night = TONIGHT,
    before: pl.DataFrame = NOTHING,
    decay: SkillDecay | None = None,
    version: int = 3,
) -> pl.DataFrame:
    """Return the rows of a night."""
    return drift_rows(drifts, decay, night=night, model_version=version, before=before)


def test_a_drift_is_one_event_however_long_it_lasts() -> None:
    """An event a night for the same drift would be clicked away."""
    first = rows_of(GRAVE, SLIGHT, night=YESTERDAY)
    (event,) = drift_documents(first, [YESTERDAY])
    assert (event.metric_name, event.severity, event.version) == ("psi_volume", "high", "3")
    instants = {"created_at": TONIGHT.as_of, "updated_at": TONIGHT.as_of}
    assert_valid("model_drift_events", event.to_mongo() | instants)
    second = rows_of(GRAVE, night=TONIGHT, before=first)
    assert second["since"].to_list() == [YESTERDAY.session]
    assert list(drift_documents(second, [TONIGHT])) == []
    other_model = rows_of(GRAVE, night=TONIGHT, before=first, version=4)
    assert len(list(drift_documents(other_model, [TONIGHT]))) == 1


@pytest.mark.parametrize(
    ("live", "severity"),
    [
        (Estimate(0.53, 0.50, 0.56), None),
        (Estimate(0.49, 0.46, 0.515), "high"),
        (Estimate(0.45, 0.42, 0.48), "critical"),
    ],
    ids=["as trained", "decayed", "below chance"],
)
def test_live_skill_is_held_against_what_training_showed(
    live: Estimate, severity: str | None
) -> None:
    """A model that has lost what it knew must be told before it costs another month."""
    rows = rows_of(decay=SkillDecay(live, TRAINED))
    events = list(drift_documents(rows, [TONIGHT]))
    assert [event.severity for event in events] == ([severity] if severity else [])
    if severity == "critical":
        assert "make rollback" in str(events[0].remediation_action)


@pytest.mark.parametrize(
    ("drifts", "through", "since", "trains", "words"),
    [
        ((SLIGHT,), SESSIONS[-9], 9, False, "no grave drift; 0 quantities drift"),
        ((GRAVE, SLIGHT), SESSIONS[-9], 9, True, "grave drift of volume"),
        ((GRAVE,), SESSIONS[-3], 3, False, "volume drifts, but the last training is 3 sessions"),
        ((SLIGHT,), None, 0, True, "no model has been trained"),
    ],
)
def test_a_night_says_why_it_asks_for_a_training_or_does_not(
    drifts: tuple[Drift, ...], through: date | None, since: int, trains: bool, words: str
) -> None:
    """Retraining without end, or never, are both found in this log."""
    row = retraining_row(
        rows_of(*drifts), drifts, night=TONIGHT, trained_through=through, sessions_since=since
    )
    assert row["trains"] is trains
    assert words in row["reason"]
