"""Training as the night does it, for both halves of `benchmarks.signals`."""

import polars as pl

from benchmarks.simulated_panel import FEATURES
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import dispensable_features
from pipelines.signals.model import SignalTraining
from pipelines.signals.settings import SESSIONS_OF_YOUNGEST, SignalSettings
from pipelines.signals.training import train_signals
from pipelines.validation.metrics import SignalMetrics


def train(rows: pl.DataFrame, settings: SignalSettings) -> SignalTraining:
    """Train as the night does, without a word."""
    return train_signals(
        rows,
        features=FEATURES,
        dispensable=dispensable_features(SIGNAL_GROUPS, sessions=SESSIONS_OF_YOUNGEST),
        settings=settings,
        progress=lambda _: None,
    )


def measured(training: SignalTraining) -> SignalMetrics:
    """Return the out-of-sample metrics.

    Raises:
        ValueError: there were no test rows.
    """
    if training.metrics is None:
        message = "the walk-forward left no test rows: ask for more sessions"
        raise ValueError(message)
    return training.metrics
