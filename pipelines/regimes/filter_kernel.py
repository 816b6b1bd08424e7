"""The loops over sessions, compiled: the forward filter, and the label that holds."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@njit(cache=True, nogil=True)
def forward(
    log_likelihoods: FloatArray,
    start: FloatArray,
    transition: FloatArray,
    predicted: FloatArray,
    posterior: FloatArray,
) -> None:
    """Write prediction and posterior of each session; likelihoods are scaled by the largest."""
    sessions, states = log_likelihoods.shape
    for session in range(sessions):
        for state in range(states):
            if session == 0:
                predicted[session, state] = start[state]
            else:
                chance = 0.0
                for before in range(states):
                    chance += posterior[session - 1, before] * transition[before, state]
                predicted[session, state] = chance
        largest = log_likelihoods[session].max()
        total = 0.0
        for state in range(states):
            weight = predicted[session, state] * np.exp(log_likelihoods[session, state] - largest)
            posterior[session, state] = weight
            total += weight
        for state in range(states):
            # Every state is impossible where the likelihoods underflow: then nothing was learnt.
            posterior[session, state] = (
                posterior[session, state] / total if total > 0.0 else predicted[session, state]
            )


@njit(cache=True, nogil=True)
def settle(probabilities: FloatArray, margin: float, dwell: int, labels: IntArray) -> None:
    """Write the label of each session; the first is the likeliest name."""
    label, stood = 0, 0
    for session in range(len(probabilities)):
        likeliest = probabilities[session].argmax()
        lead = probabilities[session, likeliest] - probabilities[session, label]
        if session == 0 or (likeliest != label and lead >= margin and stood >= dwell):
            label, stood = likeliest, 0
        stood += 1
        labels[session] = label
