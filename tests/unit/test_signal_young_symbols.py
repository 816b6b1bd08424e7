"""A row that lacks a dispensable feature is scored where the model knows such rows, else not."""

import json
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest

from pipelines.features.catalogue import GROUPS
from pipelines.features.groups import dispensable_features
from pipelines.signals.model import SignalTraining, TrainedSignal
from pipelines.signals.scoring import score_signals
from pipelines.signals.settings import SESSIONS_OF_YOUNGEST
from pipelines.signals.training import ROWS_TO_LACK, train_signals
from pipelines.validation.session_bootstrap import Estimate
from pipelines.validation.splits import UnusableSliceError
from tests.support.panels import FEATURES, panel
from tests.support.trained_signals import SMALL_SETTINGS, rows_of_tonight, small_panel

SETTINGS = replace(SMALL_SETTINGS, seeds=1)
YOUNG = "S04"


def _train(rows: pl.DataFrame, *dispensable: str) -> SignalTraining:
    return train_signals(
        rows,
        features=FEATURES,
        dispensable=dispensable,
        settings=SETTINGS,
        progress=lambda _: None,
    )


@cache
def _training() -> SignalTraining:
    """Return a training on rows of which every tenth lacks `trend`."""
    return _train(_panel(), "trend")


def _panel() -> pl.DataFrame:
    """Return the small panel with gaps that stand at no particular time."""
    lacks = pl.int_range(pl.len()) % 10 == 0
    return small_panel().with_columns(pl.when(~lacks).then("trend").alias("trend"))


def _tonight() -> tuple[pl.DataFrame, date]:
    """Return tonight's features, of which one symbol lacks `trend`."""
    features, session = rows_of_tonight(small_panel())
    lacks = pl.col("symbol") == YOUNG
    return features.with_columns(pl.when(~lacks).then("trend").alias("trend")), session


def _proven(*, incomplete: bool) -> TrainedSignal:
    """Return the model with a record that makes it speak, about incomplete rows or not."""
    model = _training().final
    assert model.track_record is not None
    record = replace(
        model.track_record, information_z=5.0, log_loss_gain=Estimate(0.01, 0.005, 0.015)
    )
    return replace(model, track_record=record, incomplete_record=record if incomplete else None)


def _reason(model: TrainedSignal) -> str | None:
    features, session = _tonight()
    scores = score_signals(model, features, [YOUNG], session=session)
    reason: str | None = scores["abstain_reason"].item()
    return reason


def test_a_young_symbol_lacks_what_looks_far_back_and_nothing_else() -> None:
    """A year of silence about each listing is the price of two features."""
    dispensable = set(dispensable_features(GROUPS, sessions=SESSIONS_OF_YOUNGEST))
    assert {"distance_to_maximum_250", "momentum_250_20", "return_rank_5"} <= dispensable
    assert {"return_20", "volume_ratio_20", "distance_to_maximum_60"}.isdisjoint(dispensable)


def test_rows_without_a_dispensable_feature_are_learned_from_and_tested() -> None:
    """An opinion on rows of which no model ever saw the like would be made up."""
    training = _training()
    assert training.final.may_lack == ("trend",)
    tested = training.predictions.join(_panel(), on=["symbol", "session"])
    assert tested["is_incomplete"].to_list() == tested["trend"].is_null().to_list()
    assert tested["is_incomplete"].any()
    record = training.final.incomplete_record
    assert record is not None
    assert record.rows == tested["is_incomplete"].sum()


def test_a_young_symbol_is_scored_where_the_record_on_such_rows_is_good() -> None:
    """The boosters can do without; whether they may is measured."""
    assert _reason(_proven(incomplete=True)) is None
    assert _reason(_proven(incomplete=False)) == "short_history"


def test_a_short_or_losing_record_on_incomplete_rows_keeps_them_silent() -> None:
    """What holds for old symbols need not hold for young ones."""
    model = _proven(incomplete=True)
    record = model.incomplete_record
    assert record is not None
    assert model.knows_incomplete_rows
    for worse in ({"sessions": 59}, {"log_loss_gain": Estimate(-1e-6, -1e-3, 1e-3)}):
        doubtful = replace(model, incomplete_record=replace(record, **worse))
        assert _reason(doubtful) == "short_history", worse


def test_contributions_of_an_incomplete_row_add_up_with_their_baseline() -> None:
    """The backend knows no contribution without a value, and the sum must hold all the same."""
    features, session = _tonight()
    scores = score_signals(
        _proven(incomplete=True), features, features["symbol"].to_list(), session=session
    )
    for row in scores.iter_rows(named=True):
        told = {part["feature"]: part["impact"] for part in json.loads(row["contributions"])}
        assert ("trend" in told) is (row["symbol"] != YOUNG)
        total = row["baseline_log_odds"] + sum(told.values())
        assert total == pytest.approx(np.log(row["probability"] / (1 - row["probability"])))


def test_a_feature_that_few_rows_lack_is_needed() -> None:
    """A handful of gaps is no sample of young symbols."""
    few = ROWS_TO_LACK // 2
    rows = small_panel().sort("session").with_row_index()
    rows = rows.with_columns(pl.when(pl.col("index") >= few).then("noise").alias("noise"))
    training = _train(rows, "noise")
    assert training.final.may_lack == ()
    assert not training.predictions["is_incomplete"].any()


def test_a_slice_without_a_needed_feature_is_refused_by_name() -> None:
    """Else the booster fails on no rows, in words of its own."""
    late = pl.col("session") > small_panel()["session"].sort()[2600]
    rows = small_panel().with_columns(pl.when(~late).then("noise").alias("noise"))
    with pytest.raises(UnusableSliceError, match="no row with noise"):
        _train(rows, "noise")


def test_the_only_symbol_of_a_market_is_scored_without_comparisons() -> None:
    """Ranks need others: a universe of one would abstain forever."""
    rows = panel(strength=1.2, seed=5, symbols=1, sessions=700).with_columns(
        chatter=pl.lit(None, dtype=pl.Float32)
    )
    training = _train(rows, "chatter")
    features, session = rows_of_tonight(rows)
    scores = score_signals(training.final, features, ["S00"], session=session)
    assert training.final.may_lack == ("chatter",)
    assert scores["abstain_reason"].to_list() == [None]
    assert scores["probability"].item() != training.final.base_rate


def test_a_model_of_an_older_registry_may_lack_nothing() -> None:
    """Versions that were trained before must still score."""
    document = _training().final.to_document()
    for name in ("may_lack", "incomplete_record"):
        del document[name]
    older = TrainedSignal.from_document(document)
    assert (older.may_lack, older.incomplete_record) == ((), None)
