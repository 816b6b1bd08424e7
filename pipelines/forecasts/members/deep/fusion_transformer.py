"""Temporal Fusion Transformer: quantiles of growth to every session of the horizon at once.

Lim, Arık, Loeff and Pfister (2021), in GluonTS' version. What it learns is growth over the square
root of its sessions, so that all steps are of one size.
"""

from statistics import NormalDist

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
from pipelines.forecasts.quantiles import FloatArray, quantiles_between
from pipelines.forecasts.settings import LONGEST

LEARNED = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Levels that four years can teach; beyond, tails go on in normal scores."""
LEARNED_SCORES: FloatArray = np.array([NormalDist().inv_cdf(level) for level in LEARNED])
HIDDEN, HEADS = 8, 2
ROOTS: FloatArray = np.sqrt(np.arange(1, LONGEST + 1))


class TemporalFusionTransformer:
    """Learned quantiles of growth."""

    name = "fusion_transformer"

    def fit(self, log_values: FloatArray) -> Parameters:
        """Train by pinball loss.

        Raises:
            FitError: training ran away.
        """
        return fitted_parameters(log_values, past=CONTEXT, make=_network, loss=_loss)

    def quantiles(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return the learned quantiles, put in order, on the grid."""
        import torch

        del rng  # nothing is drawn
        scale, at = Scale.read(parameters), np.asarray(question.horizons) - 1
        made = []
        with repeatable(0), torch.no_grad():
            network = restored(parameters, _network)
            for past in pasts(question, scale, CONTEXT):
                (learned,), level, spread = network(**_inputs(past))
                shocks = (level[..., None] + spread[..., None] * learned)[0].numpy()
                summed = np.sort(shocks.astype(np.float64), axis=1) * ROOTS[:, None]
                made.append(quantiles_between(LEARNED_SCORES, scale.growth(summed)[at]))
        return np.stack(made)


def _network() -> Network:
    """Return a network with weights drawn afresh."""
    from gluonts.torch.distributions.quantile_output import QuantileOutput
    from gluonts.torch.model.tft.module import TemporalFusionTransformerModel

    return TemporalFusionTransformerModel(
        context_length=CONTEXT,
        prediction_length=LONGEST,
        num_heads=HEADS,
        d_hidden=HIDDEN,
        d_var=HIDDEN,
        distr_output=QuantileOutput(list(LEARNED)),
    )


def _inputs(past: Tensor) -> dict[str, Tensor]:
    """Return what the network asks for: returns, and how far ahead each step is."""
    import torch

    number = len(past)
    ahead = torch.cat([torch.zeros(CONTEXT), torch.arange(1, LONGEST + 1) / LONGEST])
    return {
        "past_target": past,
        "past_observed_values": torch.ones(number, CONTEXT),
        "feat_static_real": torch.zeros(number, 1),
        "feat_static_cat": torch.zeros(number, 1, dtype=torch.long),
        "feat_dynamic_real": ahead.expand(number, -1)[..., None],
    }


def _loss(network: Network, batch: Tensor) -> Tensor:
    """Return the mean pinball loss of windows."""
    import torch

    growth = batch[:, CONTEXT:].cumsum(dim=1) / torch.tensor(ROOTS, dtype=torch.float32)
    observed = torch.ones_like(growth)
    losses = network.loss(
        future_target=growth, future_observed_values=observed, **_inputs(batch[:, :CONTEXT])
    )
    return losses.mean()
