"""What a family finds in a window of sessions: states, and how much of each session is whose."""

from dataclasses import dataclass

from pipelines.regimes.model import FloatArray


class UnusableFitError(ValueError):
    """A candidate has no usable fit on these sessions; the message says why."""


@dataclass(frozen=True, eq=False)
class States:
    """States found in standardised sessions (T × d).

    Attributes:
        projection: From columns to dimensions (p × d).
        means: Of each state (K × p).
        covariances: Of each state (K × p × p).
        transition: From each state to each state (K × K).
        shares: How much of each session is each state's (T × K); rows sum to 1.
    """

    projection: FloatArray
    means: FloatArray
    covariances: FloatArray
    transition: FloatArray
    shares: FloatArray

    @property
    def shortest_stay(self) -> float:
        """Mean length in sessions of the state that lasts shortest."""
        leaves = 1.0 - self.transition.diagonal().min()
        return float("inf") if leaves <= 0.0 else float(1.0 / leaves)
