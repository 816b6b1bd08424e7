"""The live record counts what was due, says how sure it is, and says when it can't tell."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipelines.documents.base import natural_key_of
from pipelines.documents.track_record import ModelTrackRecord
from pipelines.lifecycle.outcomes import outcome_documents, sessions_to_publish
from pipelines.lifecycle.plots import (
    by_regime_plot,
    earnings_plot,
    live_calibration_plot,
    rolling_area_plot,
)
from pipelines.lifecycle.track_record import (
    FEWEST_SESSIONS,
    WINDOWS,
    live_figures,
    live_records,
    record_documents,
    track_records,
)
from pipelines.validation.session_bootstrap import (
    area_under_curve,
    estimate,
    resample_sessions,
)
from tests.support.lake import CALENDAR, night_of
from tests.support.outcomes import SESSIONS, TONIGHT, outcomes

PNG = b"\x89PNG"


def figures_of(
    records: pl.DataFrame, *, basis: str = "published", version: str = "all", window: int = 252
) -> dict[str, Any]:
    """Return the figures of one record."""
    key = {"basis": basis, "model_version": version, "window_sessions": window}
    (row,) = records.filter(**key).iter_rows(named=True)
    return live_figures(row)


def test_figures_are_those_of_the_outcomes() -> None:
    """A record that is off is worse than none: AUC and Brier score are counted by hand."""
    known = outcomes(sessions=60)
    figures = figures_of(track_records(known, TONIGHT, told={}))
    up = known.filter("is_up")["probability"].to_numpy()
    down = known.filter(~pl.col("is_up"))["probability"].to_numpy()
    assert figures["auc"].value == pytest.approx((up[:, None] > down[None, :]).mean())
    errors = known["probability"] - known["is_up"].cast(pl.Float64)
    assert figures["brier"].value == pytest.approx((errors**2).mean())


@pytest.mark.parametrize(("truth", "slope"), [(1.0, 1.0), (0.4, 0.4), (0.0, 0.0)])
def test_calibration_finds_how_much_was_overstated(truth: float, slope: float) -> None:
    """Probabilities that say twice what they know must show a slope of a half."""
    found = figures_of(track_records(outcomes(sessions=200, truth=truth), TONIGHT, told={}))
    line = found["calibration_slope"]
    assert line.lower < slope < line.upper
    assert line.upper - line.lower < 0.3


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """An interval from few sessions that is too narrow would let luck pass for skill."""
    held = 0
    for seed in range(100):
        known = outcomes(sessions=FEWEST_SESSIONS, symbols=6, seed=seed, truth=0.0)
        drawn = resample_sessions(
            known["session"].to_numpy(), resamples=200, rng=np.random.default_rng(seed)
        )
        scored = known["probability"].to_numpy(), known["is_up"].to_numpy()
        area = estimate(area_under_curve(*scored, drawn))
        held += area is not None and area.lower <= 0.5 <= area.upper
    assert held >= 88, "of 100 intervals of 95 %, fewer than 88 hold with a chance of 1 in 200"


def test_few_sessions_say_so_and_give_no_figure() -> None:
    """Three nights of luck must not be shown as an AUC of 0.8."""
    records = track_records(outcomes(sessions=FEWEST_SESSIONS - 1), TONIGHT, told={})
    assert {row["figures"] for row in records.iter_rows(named=True)} == {"{}"}
    assert set(records["note"]) == {"19 of the 20 sessions that a figure needs"}
    assert records["rows"].to_list()[0] == 19 * 12


def test_nothing_due_is_no_record() -> None:
    """A first night has no record, and no document that claims one."""
    assert track_records(outcomes().clear(), TONIGHT, told={}).is_empty()


def test_what_comes_after_a_night_does_not_move_its_record() -> None:
    """A night run again must find the record that it had."""
    known = outcomes(sessions=80)
    earlier = night_of(SESSIONS[-30])
    before = track_records(known, earlier, told={})
    is_later = pl.col("due_session") > earlier.session
    trade_is_later = pl.col("exit_session") > earlier.session
    changed = known.with_columns(
        is_up=pl.col("is_up") ^ is_later,
        next_open_return=pl.when(trade_is_later | pl.col("exit_session").is_null())
        .then(9.0)
        .otherwise("next_open_return"),
    )
    assert before.height
    assert track_records(changed, earlier, told={}).equals(before)
    assert not track_records(changed, TONIGHT, told={}).equals(
        track_records(known, TONIGHT, told={})
    )


def test_a_window_is_the_newest_sessions_and_a_version_its_own() -> None:
    """A flat last month must not hide behind a good year, nor a poor version behind another."""
    good, poor = outcomes(sessions=120, version=1), outcomes(sessions=50, version=2, truth=-1.0)
    known = pl.concat([good.filter(pl.col("session") < poor["session"].min()), poor])
    records = track_records(known, TONIGHT, told={})
    assert figures_of(records, window=63)["auc"].upper < 0.55
    assert figures_of(records, version="1")["auc"].lower > 0.5
    assert figures_of(records, version="2")["auc"].upper < 0.5
    held = records.filter(basis="published", model_version="all").sort("window_sessions")
    assert held["sessions"].to_list() == [WINDOWS[0], 120]


def test_a_regime_s_record_is_that_of_the_sessions_it_was_told_of() -> None:
    """A model that works in calm markets alone must not be praised for all of them."""
    known = outcomes(sessions=120)
    sessions = known["session"].unique().sort().to_list()
    told = dict.fromkeys(sessions[:50], "bullish") | dict.fromkeys(sessions[60:90], "volatile")
    told |= dict.fromkeys(sessions[90:95], "bearish")
    records = track_records(known, TONIGHT, told=told)
    without = track_records(known, TONIGHT, told={})
    assert records.filter(pl.col("regime").is_null()).equals(without)
    by_regime = records.filter(pl.col("regime").is_not_null())
    assert set(by_regime["window_sessions"]) == {max(WINDOWS)}
    published = by_regime.filter(model_version="all").filter(
        pl.col("basis").str.starts_with("published")
    )
    assert published.select("basis", "regime", "sessions").rows() == [
        ("published_in_bullish", "bullish", 50),
        ("published_in_bearish", "bearish", 5),
        ("published_in_volatile", "volatile", 30),
    ]
    assert published["note"].to_list() == [
        None,
        "5 of the 20 sessions that a figure needs",
        None,
    ]
    alone = known.filter(pl.col("session").is_in(sessions[60:90]))
    assert figures_of(records, basis="published_in_volatile") == figures_of(
        track_records(alone, TONIGHT, told={})
    )
    documents = list(record_documents(records, [TONIGHT]))
    keys = {natural_key_of(ModelTrackRecord, one.to_mongo()) for one in documents}
    assert len(keys) == len(documents)
    assert {one.regime for one in documents} == {None, "bullish", "bearish", "volatile"}


def test_regimes_of_versions_are_told_apart() -> None:
    """Which version did well in a crash is asked when the next crash begins."""
    old, new = outcomes(sessions=120, version=1), outcomes(sessions=50, version=2, truth=-1.0)
    known = pl.concat([old.filter(pl.col("session") < new["session"].min()), new])
    told = dict.fromkeys(known["session"].unique(), "sideways")
    records = track_records(known, TONIGHT, told=told)
    for version in ("all", "1", "2"):
        assert figures_of(records, basis="model_in_sideways", version=version) == figures_of(
            records, basis="model", version=version
        )


def test_abstentions_count_for_the_model_and_not_for_what_was_published() -> None:
    """An abstaining signal publishes the base rate: its rank says nothing, its model's does."""
    known = outcomes(sessions=60).with_columns(
        abstain_reason=pl.lit("no_skill"), probability=pl.col("base_rate")
    )
    records = track_records(known, TONIGHT, told={})
    assert set(records["basis"]) == {"model"}
    figures = figures_of(records, basis="model")
    assert figures["auc"].lower > 0.5
    assert "brier" not in figures, "raw probabilities were never published as such"


def test_documents_hold_the_record_with_its_intervals() -> None:
    """What the backend shows beside a signal is what was measured."""
    records = track_records(outcomes(sessions=60), TONIGHT, told={})
    documents = list(record_documents(records, [TONIGHT]))
    assert len(documents) == records.height
    longest = live_records(records)[TONIGHT.session, 1]
    (document,) = [
        one
        for one in documents
        if (one.basis, one.model_version, one.window_sessions) == ("published", "1", 252)
    ]
    assert document.auc == longest.auc
    assert (document.rows, document.sessions, document.note) == (720, 60, None)
    assert document.net_return is not None
    json.dumps(document.model_dump(mode="json"), allow_nan=False)


def test_a_night_publishes_the_newest_and_what_it_corrected() -> None:
    """A price revised after months must reach the document of the signal it was about."""
    known = outcomes(sessions=60)
    due = known["due_session"].unique().sort().to_list()
    assert sessions_to_publish(known, TONIGHT) == due[-10:]
    assert sessions_to_publish(known, TONIGHT, since=due[5]) == due[5:], "an empty database"
    is_corrected = pl.col("due_session") == due[3]
    corrected = known.with_columns(
        entered_at=pl.when(is_corrected).then(pl.lit(TONIGHT.as_of)).otherwise("entered_at")
    )
    assert sessions_to_publish(corrected, TONIGHT) == [due[3], *due[-10:]]
    earlier = replace(TONIGHT, session=due[-5], as_of=CALENDAR.known_at(due[-5]))
    assert sessions_to_publish(corrected, earlier)[-1] == due[-5]


def test_outcomes_become_documents() -> None:
    """Every column of an outcome is told, and undecided trades are null."""
    known = outcomes(sessions=3, symbols=2)
    documents = list(outcome_documents(known, TONIGHT))
    assert len(documents) == known.height
    assert [one.next_open_return is None for one in documents[-2:]] == [True, True]
    assert documents[0].is_up == (documents[0].next_session_return > 0)


def test_pictures_are_drawn() -> None:
    """A person looks here first."""
    nights = [night_of(session) for session in SESSIONS[-2:]]
    known = outcomes(sessions=90)
    records = pl.concat(track_records(known, night, told={}) for night in nights)
    told = dict.fromkeys(known["session"].unique(), "bullish")
    by_regime = pl.concat(track_records(known, night, told=told) for night in nights).filter(
        basis="model_in_bullish", model_version="all"
    )
    pictures = (
        rolling_area_plot(records, window=63),
        by_regime_plot(by_regime, "auc", title="AUC by regime", level=0.5),
        live_calibration_plot(known),
        earnings_plot(known),
    )
    assert all(picture.startswith(PNG) for picture in pictures)
    assert len(np.unique([len(picture) for picture in pictures])) == 4
