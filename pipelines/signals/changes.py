"""What changed since the night before: the move of a probability, split into what moved it.

From the former night's opinion to tonight's in four steps, each scored with one thing replaced:
its features as they are known now (data revision), tonight's features (new bar), tonight's
ensemble on the former calibration line (model), tonight's line (calibration). The parts are
differences of neighbours, so that they add up to the move; taken in another order they would be
others. Nothing later than tonight is read.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.documents.signal import SignalChange
from pipelines.signals.calibration import Calibration
from pipelines.signals.model import TrainedSignal
from pipelines.validation.logistic import FloatArray

PARTS = ("data_revision", "new_bar", "model", "calibration")
"""What a probability moves by, in the order in which it is replaced."""
LARGEST_GAP = 1e-9
"""By how much an opinion that is scored again may miss the one that was published."""

CHANGE_SCHEMA = {
    "symbol": pl.String(),
    "former_probability": pl.Float64(),
    **dict.fromkeys(PARTS, pl.Float64()),
}


@dataclass(frozen=True)
class Scored:
    """A night's opinions and what they were made from.

    Attributes:
        scores: symbol, probability and abstain_reason, as published.
        features: Rows of its session alone, by symbol, as that night knew them.
        model: What scored.
    """

    scores: pl.DataFrame
    features: pl.DataFrame
    model: TrainedSignal

    @property
    def opinions(self) -> pl.DataFrame:
        """Symbols with an opinion, and its probability."""
        return self.scores.filter(pl.col("abstain_reason").is_null()).select(
            "symbol", "probability"
        )


def signal_changes(former: Scored, revised: pl.DataFrame, tonight: Scored) -> pl.DataFrame:
    """Return why each probability moved (CHANGE_SCHEMA), by symbol.

    Left out are symbols that abstain in one of the nights, and those whose opinions do not come
    out again as they were published: there is nothing to split then.

    Args:
        former: The night before.
        revised: The rows of `former.features` as they are known now.
        tonight: This night.
    """
    asked = _asked(former, revised, tonight)
    if asked.is_empty():
        return pl.DataFrame(schema=CHANGE_SCHEMA)
    steps = _steps(former, revised, tonight, asked.select("symbol"))
    is_told = _is_near(steps[0], asked["former_probability"])
    is_told &= _is_near(steps[-1], asked["probability"])
    parts = zip(PARTS, np.diff(steps, axis=0), strict=True)
    return (
        asked.with_columns(pl.Series(name, part) for name, part in parts)
        .filter(pl.Series(is_told))
        .select(*CHANGE_SCHEMA)
    )


def _asked(former: Scored, revised: pl.DataFrame, tonight: Scored) -> pl.DataFrame:
    """Return both opinions of the symbols that have them, and all features behind them."""
    asked = former.opinions.rename({"probability": "former_probability"})
    asked = asked.join(tonight.opinions, on="symbol")
    for frame in (former.features, revised, tonight.features):
        asked = asked.join(frame, on="symbol", how="semi")
    return asked.sort("symbol")


def _steps(
    former: Scored, revised: pl.DataFrame, tonight: Scored, symbols: pl.DataFrame
) -> FloatArray:
    """Return the probabilities from one night to the other (steps × symbols)."""
    then, now, here = (
        symbols.join(frame, on="symbol", maintain_order="left")
        for frame in (former.features, revised, tonight.features)
    )
    line = former.model.calibration
    return np.array(
        [
            _probability(former.model, then, line),
            _probability(former.model, now, line),
            _probability(former.model, here, line),
            _probability(tonight.model, here, line),
            _probability(tonight.model, here, tonight.model.calibration),
        ]
    )


def change_documents(rows: pl.DataFrame) -> dict[tuple[object, ...], SignalChange]:
    """Return rows of `signal_changes` as parts of documents, by symbol and session."""
    told = ("former_session", "former_model_version", "former_probability", *PARTS)
    return {
        (row["symbol"], row["session"]): SignalChange(**{name: row[name] for name in told})
        for row in rows.iter_rows(named=True)
    }


def _probability(model: TrainedSignal, rows: pl.DataFrame, line: Calibration) -> FloatArray:
    """Return what an ensemble on a calibration line makes of rows."""
    return line.probability(model.margins(rows))


def _is_near(scored: FloatArray, published: pl.Series) -> NDArray[np.bool_]:
    """Tell which opinions come out as they were published."""
    return np.asarray(np.abs(scored - published.to_numpy()) <= LARGEST_GAP)
