"""Deep models of the pool: trained on a simulated curve, sane, and the same when replayed."""

import json

import numpy as np
import pytest

from pipelines.forecasts.members.catalogue import DEEP_MEMBERS
from pipelines.forecasts.members.deep import networks
from pipelines.forecasts.members.member import Member, Parameters, Question
from pipelines.forecasts.quantiles import FloatArray, levels_of, quantiles_at
from pipelines.forecasts.settings import HORIZONS, LONGEST

pytest.importorskip("torch", reason="tested where torch is installed: pip install '.[deep]'")

SEEN = 600
LOG_VALUES: FloatArray = np.cumsum(0.01 * np.random.default_rng(3).standard_t(5, SEEN + 200))


@pytest.fixture(scope="module", params=DEEP_MEMBERS, ids=lambda member: member.name)
def trained(request: pytest.FixtureRequest) -> tuple[Member, Parameters]:
    """A model and its fit, with half of the steps."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(networks, "STEPS", networks.STEPS // 2)
        member: Member = request.param
        return member, member.fit(LOG_VALUES[:SEEN])


def asked(
    trained: tuple[Member, Parameters], log_values: FloatArray, origins: list[int]
) -> FloatArray:
    """Return the model's quantiles, from a fit that the lake has kept."""
    member, parameters = trained
    kept = json.loads(json.dumps(parameters))
    question = Question(log_values[: max(origins) + 1], SEEN, origins, HORIZONS, 500)
    made = member.quantiles(kept, question, np.random.default_rng(1))
    return np.asarray(np.maximum.accumulate(made, axis=-1))


def test_a_fit_comes_out_the_same_again(
    trained: tuple[Member, Parameters], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replay compares to the byte; and what else uses torch must not notice."""
    import torch

    monkeypatch.setattr(networks, "STEPS", 3)
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    member, _ = trained
    first = member.fit(LOG_VALUES[:SEEN])
    torch.manual_seed(99)
    assert member.fit(LOG_VALUES[:SEEN]) == first
    torch.random.set_rng_state(state)
    assert torch.get_num_threads() == threads


def test_bands_widen_and_hold_what_they_say(trained: tuple[Member, Parameters]) -> None:
    """Trained, not just made: the first weights' band would be as wide as chance has it."""
    origins = list(range(SEEN, SEEN + 200 - LONGEST))
    made = asked(trained, LOG_VALUES, origins)
    low, high = np.moveaxis(quantiles_at(made, np.array([0.05, 0.95])), -1, 0)
    width = (high - low).mean(axis=0)
    assert (np.diff(width) > 0).all()
    assert width[0] == pytest.approx(2 * 1.645 * 0.0129, rel=0.25)
    next_session = np.diff(LOG_VALUES)[np.array(origins)]
    levels = levels_of(made[:, 0], next_session)
    assert 0.82 < np.mean((levels > 0.05) & (levels < 0.95)) < 0.98


def test_nothing_after_an_origin_moves_its_forecast(trained: tuple[Member, Parameters]) -> None:
    """Proof by mutation; and what else is asked changes no bit either."""
    alone = asked(trained, LOG_VALUES, [650])
    changed = LOG_VALUES.copy()
    changed[651:] += np.random.default_rng(9).standard_normal(len(changed) - 651)
    among = asked(trained, changed, [620, 650, 700])
    assert np.array_equal(among[1], alone[0])
    changed[650] += 0.03
    assert not np.array_equal(asked(trained, changed, [650])[0], alone[0]), "the origin counts"
