"""DeepAR: a recurrent network that gives the distribution of the next return, session by session.

Salinas, Flunkert, Gasthaus and Januschowski (2020), in GluonTS' version, with Student-t returns.
"""

import numpy as np

from pipelines.forecasts.members.deep.networks import (
    CONTEXT,
    Network,
    Scale,
    Tensor,
    fitted_parameters,
    pasts,
    repeatable,
    restored,
)
from pipelines.forecasts.members.member import Parameters, Question
from pipelines.forecasts.quantiles import FloatArray, sample_quantiles
from pipelines.forecasts.settings import LONGEST

LAGS = (1, 2, 3, 4, 5, 10, 21)
"""Sessions back whose returns the network is given at each step."""
HIDDEN = 16
PAST = CONTEXT + max(LAGS) - 1  # GluonTS counts lags from the session itself


class DeepAr:
    """Sampled returns of a recurrent network."""

    name = "deepar"

    def fit(self, log_values: FloatArray) -> Parameters:
        """Train by maximum likelihood.

        Raises:
            FitError: training ran away.
        """
        return fitted_parameters(log_values, past=PAST, make=_network, loss=_loss)

    def quantiles(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return quantiles of summed returns; origins share the seed of their draws."""
        import torch

        scale, seed = Scale.read(parameters), int(rng.integers(2**31))
        at = np.asarray(question.horizons) - 1
        made = []
        with repeatable(seed), torch.no_grad():
            network = restored(parameters, _network)
            for past in pasts(question, scale, PAST):
                torch.manual_seed(seed)
                drawn = network(**_inputs(past), num_parallel_samples=question.paths)[0].numpy()
                summed = np.cumsum(drawn.astype(np.float64), axis=1).T
                made.append(sample_quantiles(scale.growth(summed)[at]))
        return np.stack(made)


def _network() -> Network:
    """Return a network with weights drawn afresh."""
    from gluonts.torch.distributions import StudentTOutput
    from gluonts.torch.model.deepar.module import DeepARModel

    return DeepARModel(
        freq="D",
        context_length=CONTEXT,
        prediction_length=LONGEST,
        num_layers=1,
        hidden_size=HIDDEN,
        dropout_rate=0.0,
        distr_output=StudentTOutput(),
        lags_seq=list(LAGS),
    )


def _inputs(past: Tensor) -> dict[str, Tensor]:
    """Return what the network asks for: returns alone, nothing about dates or identity."""
    import torch

    number = len(past)
    return {
        "feat_static_cat": torch.zeros(number, 1, dtype=torch.long),
        "feat_static_real": torch.zeros(number, 1),
        "past_time_feat": torch.zeros(number, PAST, 1),
        "past_target": past,
        "past_observed_values": torch.ones(number, PAST),
        "future_time_feat": torch.zeros(number, LONGEST, 1),
    }


def _loss(network: Network, batch: Tensor) -> Tensor:
    """Return the mean negative log likelihood of windows."""
    import torch

    past, future = batch[:, :PAST], batch[:, PAST:]
    losses = network.loss(
        **_inputs(past), future_target=future, future_observed_values=torch.ones_like(future)
    )
    return losses.mean()
