"""How MLflow loads a signal model of ours as a generic Python model.

MLflow imports this module by the name that each version was stored with, so it must not move.
"""

import json
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.signals.model import TrainedSignal


class SignalPredictor:
    """A trained signal as MLflow's generic model."""

    def __init__(self, model: TrainedSignal) -> None:
        """Keep the model."""
        self.model = model

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Return the calibrated probability of each row of a pandas frame with the features.

        Args:
            model_input: a frame; other columns are ignored.
            params: MLflow's; there are none.
        """
        del params
        margins = self.model.margins(pl.from_pandas(model_input[list(self.model.features)]))
        return self.model.calibration.probability(margins)


def _load_pyfunc(path: str) -> SignalPredictor:
    """Return the model of a version's file; MLflow calls this by name."""
    return SignalPredictor(TrainedSignal.from_document(json.loads(Path(path).read_text())))
