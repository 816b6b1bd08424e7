"""The forward filter: how likely each state is, given what was seen up to a session and no more.

Hamilton (1989); in the notation of Rabiner (1989), the scaled forward variables. Nothing is
smoothed: a posterior never changes when later sessions come.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def filtered(
    log_likelihoods: FloatArray, *, start: FloatArray, transition: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return predicted and filtered probabilities of the states, each sessions × states.

    Args:
        log_likelihoods: Of each session's observation in each state; a row of zeros where nothing
            was observed, so that the prediction stands.
        start: Probabilities of the states in the first session, before it is seen.
        transition: From each state (row) to each state, from one session to the next.
    """
    from pipelines.regimes.filter_kernel import forward

    predicted, posterior = np.empty_like(log_likelihoods), np.empty_like(log_likelihoods)
    forward(
        np.ascontiguousarray(log_likelihoods, dtype=np.float64),
        np.ascontiguousarray(start, dtype=np.float64),
        np.ascontiguousarray(transition, dtype=np.float64),
        predicted,
        posterior,
    )
    return predicted, posterior


def log_likelihood(log_likelihoods: FloatArray, predicted: FloatArray) -> float:
    """Return the log-likelihood of a whole sequence, the sum of its one-step predictions."""
    largest = log_likelihoods.max(axis=1, keepdims=True)
    seen = (predicted * np.exp(log_likelihoods - largest)).sum(axis=1)
    return float((np.log(seen) + largest[:, 0]).sum())
