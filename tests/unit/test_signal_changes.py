"""The move of a probability, split into revision, bar, model and calibration without a rest."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from pipelines.documents.signal import MLSignal, SignalChange
from pipelines.nights import Night, Origin
from pipelines.signals.changes import (
    PARTS,
    Scored,
    change_documents,
    signal_changes,
)
from pipelines.signals.model import TrainedSignal
from pipelines.signals.nightly import signal_documents
from resources.signal_changes import EMPTY
from tests.support.panels import FEATURES
from tests.support.trained_signals import rows_of_tonight, small_panel, small_training

TONIGHT_FEATURES, TONIGHT = rows_of_tonight(small_panel())
RNG = np.random.default_rng(5)
FORMER_FEATURES = TONIGHT_FEATURES.with_columns(
    pl.Series(name, RNG.permutation(TONIGHT_FEATURES[name].to_numpy())) for name in FEATURES
)
REVISED = FORMER_FEATURES.with_columns(
    pl.when(pl.col("symbol") == pl.col("symbol").min()).then(pl.col(name).max()).otherwise(name)
    for name in FEATURES
)
TONIGHT_MODEL, FORMER_MODEL = small_training().final, small_training().folds[-1]
FIRST = TONIGHT_FEATURES["symbol"].min()


def scored(features: pl.DataFrame, model: TrainedSignal) -> Scored:
    """Return opinions as a night publishes them."""
    probability = model.calibration.probability(model.margins(features))
    scores = features.select(
        "symbol",
        pl.Series("probability", probability),
        pl.lit(None, dtype=pl.String).alias("abstain_reason"),
    )
    return Scored(scores, features, model)


FORMER, LATER = scored(FORMER_FEATURES, FORMER_MODEL), scored(TONIGHT_FEATURES, TONIGHT_MODEL)


def parts_that_moved(changes: pl.DataFrame) -> set[str]:
    """Return the parts that moved any probability."""
    return {name for name in PARTS if (changes[name] != 0).any()}


def test_parts_add_up_to_the_move_of_every_symbol() -> None:
    """A rest would be a cause that nobody named."""
    changes = signal_changes(FORMER, REVISED, LATER)
    assert changes["symbol"].to_list() == TONIGHT_FEATURES["symbol"].sort().to_list()
    moved = changes.join(LATER.scores, on="symbol").select(
        move=pl.col("probability") - pl.col("former_probability"),
        parts=pl.sum_horizontal(PARTS),
    )
    assert moved["move"].abs().max() > 0.001  # type: ignore[operator]
    assert moved["parts"].to_numpy() == pytest.approx(moved["move"].to_numpy(), abs=1e-12)
    assert parts_that_moved(changes) == set(PARTS)


def test_a_revision_moves_the_symbol_that_was_revised_alone() -> None:
    """What the vendor corrected and what the market did would be told as one."""
    changes = signal_changes(FORMER, REVISED, LATER)
    assert changes.filter(pl.col("data_revision") != 0)["symbol"].to_list() == [FIRST]
    unrevised = signal_changes(FORMER, FORMER_FEATURES, LATER)
    assert parts_that_moved(unrevised) == set(PARTS) - {"data_revision"}
    others = pl.col("symbol") != FIRST
    assert unrevised.filter(others).equals(changes.filter(others))


def test_each_part_is_of_its_own_cause_alone() -> None:
    """With everything else as it was, the whole move is that part's."""
    flat = replace(FORMER_MODEL.calibration, intercept=FORMER_MODEL.calibration.intercept + 0.1)
    line_alone = scored(FORMER_FEATURES, replace(FORMER_MODEL, calibration=flat))
    ensemble_alone = scored(
        FORMER_FEATURES, replace(TONIGHT_MODEL, calibration=FORMER_MODEL.calibration)
    )
    bar_alone = scored(TONIGHT_FEATURES, FORMER_MODEL)
    for tonight, part in (
        (line_alone, "calibration"),
        (ensemble_alone, "model"),
        (bar_alone, "new_bar"),
    ):
        assert parts_that_moved(signal_changes(FORMER, FORMER_FEATURES, tonight)) == {part}
    assert parts_that_moved(signal_changes(FORMER, FORMER_FEATURES, FORMER)) == set()


@pytest.mark.parametrize("night", ["former", "tonight"])
def test_whoever_abstains_has_nothing_to_split(night: str) -> None:
    """The base rate of an abstention is no opinion that could have moved."""
    silent = pl.when(pl.col("symbol") == FIRST).then(pl.lit("stale")).alias("abstain_reason")
    former, later = (
        replace(one, scores=one.scores.with_columns(silent)) if name == night else one
        for name, one in (("former", FORMER), ("tonight", LATER))
    )
    symbols = signal_changes(former, REVISED, later)["symbol"].to_list()
    assert symbols == TONIGHT_FEATURES["symbol"].sort().to_list()[1:]


@pytest.mark.parametrize("night", ["former", "tonight"])
def test_an_opinion_that_does_not_come_out_again_is_not_split(night: str) -> None:
    """Its features of then are gone: the parts would explain a move that nobody published."""
    other = pl.when(pl.col("symbol") == FIRST).then(0.9).otherwise("probability")
    former, later = (
        replace(one, scores=one.scores.with_columns(other.alias("probability")))
        if name == night
        else one
        for name, one in (("former", FORMER), ("tonight", LATER))
    )
    assert FIRST not in signal_changes(former, REVISED, later)["symbol"].to_list()


def test_a_symbol_without_features_of_either_night_is_left_out() -> None:
    """Its bar was withdrawn since."""
    gone = REVISED.filter(pl.col("symbol") != FIRST)
    assert FIRST not in signal_changes(FORMER, gone, LATER)["symbol"].to_list()


def a_change(**parts: float) -> SignalChange:
    """Return a change from an even chance."""
    zero = dict.fromkeys(PARTS, 0.0)
    return SignalChange(
        former_session=date(2013, 2, 28), former_model_version=1, former_probability=0.5,
        **(zero | parts),
    )  # fmt: skip


def test_a_document_tells_what_moved_its_own_probability() -> None:
    """By symbol and session: another's change would be refused, for its parts do not add up."""
    night = Night("sample", TONIGHT, datetime(2026, 1, 1, tzinfo=UTC), Origin.LIVE)
    changes = signal_changes(FORMER, REVISED, LATER).with_columns(
        session=pl.lit(TONIGHT),
        former_session=pl.lit(TONIGHT),
        former_model_version=pl.lit(1),
    )
    told = change_documents(changes)
    assert told.keys() == {(symbol, TONIGHT) for symbol in changes["symbol"]}
    one = told[FIRST, TONIGHT]
    rows = LATER.scores.filter(symbol=FIRST).select(
        "symbol",
        "probability",
        pl.lit("no_model").alias("abstain_reason"),
        pl.col("probability").alias("base_rate"),
        session=pl.lit(TONIGHT),
        horizon=pl.lit(1),
        confidence=pl.lit(0.0),
        recommendation=pl.lit("hold"),
        model_version=pl.lit(None, dtype=pl.Int64),
        trained_through=pl.lit(None, dtype=pl.Date),
        contributions=pl.lit("[]"),
        baseline_log_odds=pl.lit(None, dtype=pl.Float64),
    )

    def document(changes: dict[tuple[object, ...], SignalChange]) -> MLSignal:
        (made,) = signal_documents(
            rows,
            [night],
            track_records={},
            live_records={},
            look_back_sessions=1,
            changes=changes,
        )
        return made

    assert document(told).change == one
    assert document({}).change is None
    with pytest.raises(ValueError, match="parts of the change sum to"):
        document({(FIRST, TONIGHT): a_change(new_bar=0.4)})


def test_no_change_has_the_columns_of_the_table() -> None:
    """A night without opinions writes nothing and must not fail."""
    from pipelines.tables import SIGNAL_CHANGES

    assert tuple(EMPTY.columns) == SIGNAL_CHANGES.column_names
