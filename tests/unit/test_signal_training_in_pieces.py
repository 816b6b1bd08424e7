"""A panel in a file that is walked through in pieces makes the models of one in memory."""

from pathlib import Path

import catboost
import numpy as np
import polars as pl
import pytest

from pipelines import scratch
from pipelines.scratch import IN_MEMORY, Scratch
from pipelines.signals import catboost_booster, lightgbm_booster
from pipelines.signals.boosting_rows import BoostingSlice
from pipelines.signals.settings import Family, SignalSettings
from pipelines.signals.training import train_signals
from pipelines.validation.session_correlation import SessionCorrelation
from tests.support.panels import FEATURES, panel
from tests.support.trained_signals import SMALL_SETTINGS, small_panel

MORE_THAN_SAMPLED = 210_000
"""Both libraries choose bins by 200,000 rows that they draw."""


def _many_rows() -> pl.DataFrame:
    rng = np.random.default_rng(5)
    values = rng.standard_normal((MORE_THAN_SAMPLED, len(FEATURES))).astype(np.float32)
    session = pl.Series("session", np.arange(MORE_THAN_SAMPLED) // 300).cast(pl.Date)
    gap = pl.when(pl.int_range(pl.len()) % 7 > 0).then(pl.col(FEATURES[0])).alias(FEATURES[0])
    return pl.DataFrame(dict(zip(FEATURES, values.T, strict=True))).with_columns(
        gap, session, is_up=pl.Series(rng.random(MORE_THAN_SAMPLED) < 0.5 + 0.02 * values[:, 1])
    )


@pytest.mark.parametrize("library", [lightgbm_booster, catboost_booster])
def test_bins_are_chosen_by_the_same_sampled_rows(
    library: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other bins are other trees: a desk's model would change with where its rows lie."""
    monkeypatch.setattr(scratch, "ROWS_A_PIECE", 50_000)
    rows, settings = _many_rows(), SignalSettings(seeds=1)
    mapped = Scratch(tmp_path).rows([rows])
    assert mapped.n_chunks() > 1
    made = [
        library.learner(BoostingSlice.of(one, FEATURES, scratch=where), settings)(3, 4)  # type: ignore[attr-defined]
        for one, where in ((rows, IN_MEMORY), (mapped, Scratch(tmp_path)))
    ]
    assert made[0] == made[1]


def test_catboost_gives_the_bytes_of_a_matrix_row_after_row() -> None:
    """Models that stand in registries were made of such a matrix."""
    rows = BoostingSlice.of(small_panel().drop_nulls().sort("session", "symbol"), FEATURES)
    texts = []
    for matrix in (rows.matrix, np.ascontiguousarray(rows.matrix)):
        pool = catboost.Pool(matrix, rows.working_response(), group_id=rows.sessions.session)
        pool.quantize(border_count=63)
        model = catboost.CatBoost(
            {"iterations": 5, "loss_function": "QueryRMSE", "logging_level": "Silent"}
            | {"allow_writing_files": False, "thread_count": 1, "random_seed": 1}
        )
        model.fit(pool)
        texts.append(model.predict(matrix).tobytes())
    assert texts[0] == texts[1]


@pytest.mark.parametrize("is_in_order", [True, False])
def test_a_training_on_mapped_rows_is_the_training_in_memory(
    is_in_order: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folds, models, calibrations, hashes and predictions: equal to the bit, in any order."""
    rows = small_panel()
    rows = rows.sort("session", "symbol") if is_in_order else rows.reverse()
    expected = train_signals(
        rows, features=FEATURES, settings=SMALL_SETTINGS, progress=str, held_back=30
    )
    monkeypatch.setattr(scratch, "ROWS_A_PIECE", 999)
    found = train_signals(
        Scratch(tmp_path).rows([rows]),
        features=FEATURES,
        settings=SMALL_SETTINGS,
        progress=str,
        held_back=30,
        scratch=Scratch(tmp_path),
    )
    assert [one.to_document() for one in found.models] == [
        one.to_document() for one in expected.models
    ]
    assert found.challenger == expected.challenger
    assert found.predictions.equals(expected.predictions)
    assert found.metrics == expected.metrics


def test_features_that_a_row_may_lack_are_found_in_a_file_too(tmp_path: Path) -> None:
    """Rows of the young, and the few that are left out for want of a feature, are the same."""
    rows = panel(strength=0.2, seed=3, symbols=12, sessions=420)
    few = pl.when(pl.int_range(pl.len()) % 400 > 0).then(pl.col("volume")).alias("volume")
    rows = rows.with_columns(few)
    documents = [
        [
            model.to_document()
            for model in train_signals(
                rows,
                features=FEATURES,
                settings=SMALL_SETTINGS,
                progress=str,
                dispensable=("trend", "volume"),
                scratch=where,
            ).models
        ]
        for where in (IN_MEMORY, Scratch(tmp_path))
    ]
    assert documents[0] == documents[1]
    assert documents[0][-1]["may_lack"] == ("trend",)


def test_sessions_in_order_have_the_ordinals_of_any_others() -> None:
    """What a session has in common is taken out by its ordinal."""
    session = np.repeat(np.arange(9), 3)
    mixed = np.random.default_rng(1).permutation(session)
    assert SessionCorrelation.of(session).session.tolist() == session.tolist()
    assert SessionCorrelation.of(mixed).session.tolist() == mixed.tolist()
    assert SessionCorrelation.of(session[:0]).rows.tolist() == []


def test_an_average_of_both_families_is_what_is_tried() -> None:
    """These tests would say little of CatBoost if the settings left it out."""
    assert SMALL_SETTINGS.family is Family.AVERAGE
