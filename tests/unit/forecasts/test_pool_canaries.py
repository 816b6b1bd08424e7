"""Each canary of a pool passes on an honest pool, and falls where what it stands for is broken."""

import numpy as np
import pytest

from pipelines.forecasts.members.bootstrap import StationaryBootstrap
from pipelines.forecasts.members.member import Member, Parameters, Question
from pipelines.forecasts.members.random_walk import RandomWalk
from pipelines.forecasts.pool_canaries import SeesTheOutcome, pool_canaries
from pipelines.forecasts.pool_definition import PoolDefinition, configured_pool
from pipelines.forecasts.quantiles import FloatArray
from pipelines.forecasts.settings import ForecastSettings
from pipelines.lifecycle.evidence import CanaryName

SETTINGS = ForecastSettings()
NAMES = {CanaryName.WALK, CanaryName.LEAK, CanaryName.HONEST_POOL, CanaryName.REPEAT}


class TooWide(RandomWalk):
    """A broken yardstick, with nothing beside it: bands twice as wide as they should be."""

    def quantiles(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return quantiles twice as far from none."""
        return 2 * super().quantiles(parameters, question, rng)


class Restless(RandomWalk):
    """A broken model: what it says differs from one asking to the next."""

    name = "restless"

    def quantiles(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return quantiles with an error of their own."""
        error = 1e-9 * np.random.default_rng().normal()
        return super().quantiles(parameters, question, rng) + error


class KnowsAll(SeesTheOutcome):
    """The planted model as a member of the pool; it is asked about the first walk alone."""


def failing(*members: Member) -> set[CanaryName]:
    """Return the canaries that fall for a pool of some models."""
    found = {one.name: one for one in pool_canaries(members, SETTINGS)}
    assert set(found) == NAMES
    return {name for name, one in found.items() if not one.passed}


@pytest.mark.parametrize("without", [(), ("prophet", "auto_arima", "ets", "garch_fhs")])
def test_all_pass_on_an_honest_pool(without: tuple[str, ...]) -> None:
    """A canary that falls by itself would block every promotion."""
    pool = configured_pool(deep=False, without=without)
    made = pool_canaries(pool.members(), pool.settings)
    assert [one for one in made if not one.passed] == []


def test_bands_that_are_too_wide_do_not_score_like_the_truth() -> None:
    """Calibration takes years to bring them back: the walk shows it at once."""
    assert failing(TooWide()) == {CanaryName.WALK}


def test_a_member_that_sees_outcomes_is_caught() -> None:
    """It would win every challenge."""
    steps = np.random.default_rng(SETTINGS.seed).standard_normal(378)
    cheat = KnowsAll(np.cumsum(0.0003 + 0.01 * steps), name="cheat")
    assert CanaryName.HONEST_POOL in failing(RandomWalk(), StationaryBootstrap(), cheat)


def test_a_night_that_can_not_be_made_twice_is_found() -> None:
    """Nothing could be replayed."""
    assert failing(RandomWalk(), Restless()) == {CanaryName.REPEAT}


def test_a_pool_is_named_by_its_content() -> None:
    """Another model, another step of calibration or other code make another version."""
    pool = configured_pool(deep=False)
    others = (
        configured_pool(deep=False, without=("prophet",)),
        PoolDefinition(pool.models, ForecastSettings(step=0.01)),
        PoolDefinition(pool.models, pool.settings, pool.revision + 1),
    )
    assert len({pool.version, *(one.version for one in others)}) == 4
    assert PoolDefinition.from_text(pool.to_text()) == pool
    assert pool.unavailable is None
    renamed = PoolDefinition.from_text(pool.to_text().replace('"step"', '"stride"'))
    assert renamed.unavailable is not None, "a setting that is gone must not stop the desk"
    assert "revision" in str(others[2].unavailable)
    assert others[2].fit_recipe != pool.fit_recipe, "fits of other code are not gone on from"
