"""What deep models share: windows of returns, training to the same bits, weights as plain numbers.

Networks come from GluonTS, which brings torch; both are imported where they are used, since the
default install has neither. GluonTS' own trainer is not used: it writes checkpoints, and a fit here
is numbers that the lake keeps.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from pipelines.forecasts.drift import shrunk_drift
from pipelines.forecasts.members.member import FitError, Parameters, Question, number, numbers
from pipelines.forecasts.quantiles import FloatArray
from pipelines.forecasts.settings import LONGEST

Network = Any
"""A torch module. Its type is unknown where the extra is not installed."""
Tensor = Any
"""A torch tensor, likewise."""
Loss = Callable[[Tensor], Tensor]
"""Loss of a batch of windows: batch × sessions."""

CONTEXT = 42
"""Sessions that a network looks back on: two months tell the volatility of today."""
STEPS, BATCH, RATE = 300, 64, 3e-3
"""Of Adam, with a rate that falls to none: longer training changed no CRPS by more than noise."""
LARGEST_GRADIENT = 1.0
SEED = 1
PACKAGES = ("torch", "gluonts", "lightning")


class MissingExtraError(RuntimeError):
    """The extra `deep` is asked for and not installed."""


def require_extra() -> None:
    """Refuse deep models where their packages are missing.

    Raises:
        MissingExtraError: naming them, and both ways out.
    """
    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        message = (
            f"DeepAR and the Temporal Fusion Transformer need {', '.join(missing)}: install them "
            "with `pip install '.[deep]'`, or unset NIGHTDESK_DEEP_FORECASTS"
        )
        raise MissingExtraError(message)


@dataclass(frozen=True)
class Scale:
    """Mean and deviation of the returns that a network was trained on."""

    mean: float
    deviation: float
    count: float

    @classmethod
    def of(cls, returns: FloatArray) -> "Scale":
        """Measure returns."""
        return cls(float(returns.mean()), float(returns.std()), float(len(returns)))

    @classmethod
    def read(cls, parameters: Parameters) -> "Scale":
        """Read what a fit keeps."""
        return cls(*(number(parameters, name) for name in ("mean", "deviation", "count")))

    def shocks(self, returns: FloatArray) -> FloatArray:
        """Return returns as networks see them."""
        return np.asarray((returns - self.mean) / self.deviation)

    def growth(self, shocks: FloatArray) -> FloatArray:
        """Return log growth to 1, 2, … sessions from summed shocks: steps along the first axis."""
        drift = float(shrunk_drift(np.array(self.mean), np.array(self.count)))
        ahead = np.arange(1, len(shocks) + 1).reshape(-1, *[1] * (shocks.ndim - 1))
        return np.asarray(self.deviation * shocks + drift * ahead)


def fitted_parameters(
    log_values: FloatArray, *, past: int, make: Callable[[], Network], loss: Callable[..., Tensor]
) -> Parameters:
    """Train a network on the windows of a curve and return its weights.

    Args:
        log_values: What it may see.
        past: Sessions before an origin that it is given; `LONGEST` more are forecast.
        make: Makes the network, with weights drawn from torch's generator.
        loss: Loss of a network on a batch of windows.

    Raises:
        FitError: training ran away.
    """
    import torch

    returns = np.diff(log_values)
    scale = Scale.of(returns)
    windows = np.lib.stride_tricks.sliding_window_view(scale.shocks(returns), past + LONGEST)
    with repeatable(SEED):
        network = make()
        _train(
            network, torch.tensor(windows, dtype=torch.float32), lambda batch: loss(network, batch)
        )
        weights = torch.nn.utils.parameters_to_vector(network.parameters()).detach().numpy()
    if not np.isfinite(weights).all():
        message = (
            f"{type(network).__name__}: training of {STEPS} steps ended without finite weights"
        )
        raise FitError(message)
    return {
        "mean": scale.mean,
        "deviation": scale.deviation,
        "count": scale.count,
        "weights": weights.astype(float).tolist(),
    }


def restored(parameters: Parameters, make: Callable[[], Network]) -> Network:
    """Return the network that a fit kept, ready to forecast."""
    import torch

    network = make()
    weights = torch.tensor(numbers(parameters, "weights"), dtype=torch.float32)
    torch.nn.utils.vector_to_parameters(weights, network.parameters())
    return network.eval()


def pasts(question: Question, scale: Scale, past: int) -> Iterator[Tensor]:
    """Yield the shocks before each origin: 1 × past.

    One origin at a time: the sums of a batch depend, in their last bits, on how large it is, and
    a forecast may not depend on what else was asked.
    """
    import torch

    shocks = scale.shocks(question.returns)
    for origin in question.origins:
        yield torch.tensor(shocks[origin - past : origin][None], dtype=torch.float32)


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Seed torch and keep it to one thread; leave its state as it was found.

    Sums of several threads differ in their last bits from run to run.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def _train(network: Network, windows: Tensor, loss: Loss) -> None:
    """Take `STEPS` steps on batches of windows drawn at random."""
    import torch

    network.train()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        batch = windows[torch.randint(len(windows), (BATCH,))]
        optimizer.zero_grad()
        loss(batch).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        schedule.step()
