"""A canary passes where all is well, and falls where the thing it stands for is broken."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pipelines.lifecycle.canaries import run_canaries, suspects
from pipelines.lifecycle.evidence import Canary, CanaryName
from pipelines.signals.model import TrainedSignal
from pipelines.validation.logistic import FloatArray
from pipelines.validation.splits import Fold, FoldRows
from tests.support.panels import FEATURES, panel
from tests.support.trained_signals import small_panel, small_training

OF_SIGNALS = {
    CanaryName.SHUFFLED,
    CanaryName.LEAK,
    CanaryName.HONEST,
    CanaryName.NOISE,
    CanaryName.REPEAT,
}


class PeekingFold(Fold):
    """A broken cut: fits on what it tests on, and denies it."""

    def rows(self, panel: pl.DataFrame) -> FoldRows:
        """Return a fit slice that holds the test block too."""
        honest = super().rows(panel)
        return replace(honest, fit=pl.concat([honest.fit, honest.test]))


class ForgetfulSignal(TrainedSignal):
    """A broken model: what it says depends on what it was asked before."""

    def member_margins(self, rows: pl.DataFrame) -> FloatArray:
        """Return margins with an error of their own."""
        return super().member_margins(rows) + np.random.default_rng().normal()


def by_name(canaries: tuple[Canary, ...]) -> dict[CanaryName, Canary]:
    """Return canaries by their name, all of them there."""
    found = {one.name: one for one in canaries}
    assert set(found) == OF_SIGNALS
    return found


def test_all_pass_on_an_honest_training() -> None:
    """A canary that falls by itself would block every promotion."""
    canaries = run_canaries(small_panel(), small_training().final)
    assert [one for one in canaries if not one.passed] == []
    assert by_name(canaries)[CanaryName.LEAK].note.startswith("caught with an AUC of 0.")


def test_shuffled_labels_are_known_to_whoever_tests_on_what_it_has_fitted() -> None:
    """Purging that breaks shows here first, whatever the features."""
    canaries = by_name(run_canaries(small_panel(), small_training().final, fold_type=PeekingFold))
    assert not canaries[CanaryName.SHUFFLED].passed
    assert not canaries[CanaryName.NOISE].passed, "noise that was fitted on has an importance"
    assert canaries[CanaryName.LEAK].passed


def test_a_feature_told_a_day_too_soon_is_named() -> None:
    """A feature that is shifted by a session knows the next return."""
    rows = small_panel().with_columns(
        trend=pl.col("next_session_return").cast(pl.Float32) + 0.01 * pl.col("trend")
    )
    canary = by_name(run_canaries(rows, small_training().final))[CanaryName.HONEST]
    assert not canary.passed
    assert "trend (AUC 0." in canary.note


@pytest.mark.parametrize("strength", [0.0, 0.18])
def test_no_honest_feature_is_suspected(strength: float) -> None:
    """What can really be known of the next session is far from what a leak knows."""
    assert suspects(panel(strength=strength, seed=5, common=0.3), FEATURES) == {}


def test_a_model_that_answers_otherwise_when_asked_again_is_named() -> None:
    """Two answers to one question can't both be replayed."""
    final = small_training().final
    fickle = ForgetfulSignal(**{name: getattr(final, name) for name in final.__dataclass_fields__})
    canary = by_name(run_canaries(small_panel(), fickle))[CanaryName.REPEAT]
    assert not canary.passed
    assert "12 symbols scored twice" in canary.note
