"""Training of the signals: one model per walk-forward fold, and one for the future.

The panel is long, keyed by (symbol, session): label_end, next_session_return, is_up and feature
columns. A fold's model sees only labels that ended before its test block, and carries the track
record of the folds before it; nothing in it changes when later rows do.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from pipelines.signals.booster import Boosted, boost, feature_matrix, raw_margins
from pipelines.signals.calibration import Calibration, calibrate
from pipelines.signals.model import SignalTraining, TrainedSignal, finite_features
from pipelines.signals.settings import SignalSettings
from pipelines.validation.logistic import expit
from pipelines.validation.metrics import SignalMetrics, measure_predictions
from pipelines.validation.splits import Fold, FoldRows, final_fold, walk_forward

PANEL_KEY = ("symbol", "session", "label_end", "next_session_return", "is_up")


def train_signals(
    panel: pl.DataFrame,
    *,
    features: Sequence[str],
    settings: SignalSettings,
    progress: Callable[[str], None],
    folds: Sequence[Fold] | None = None,
) -> SignalTraining:
    """Train, calibrate and test on `panel`, which may come in any order and hold null features.

    Args:
        panel: see the module. Its distinct sessions are the session list of the market.
        features: columns to learn from.
        settings: lengths of the slices, boosting and seed.
        progress: is told one line a model.
        folds: the walk-forward folds; by default those of `settings.splits`.

    Raises:
        HistoryTooShortError: the sessions do not reach the first test block.
        UnusableSliceError: a slice of a fold holds no complete row.
    """
    trainer = _Trainer(tuple(features), settings)
    sessions = panel["session"].unique().sort().to_list()
    rows = complete_rows(panel, trainer.features)
    folds = walk_forward(sessions, settings.splits) if folds is None else folds
    models: list[TrainedSignal] = []
    blocks: list[pl.DataFrame] = []
    for number, fold in enumerate(folds):
        parts = fold.rows(rows)
        model = trainer.train(parts, earlier=blocks)
        models.append(model)
        blocks.append(_predict(model, parts.test, block=number))
        progress(f"fold {number + 1} of {len(folds)}: {_summary(model)}, tested on {fold.test}")
    final = trainer.train(final_fold(sessions, settings.splits).rows(rows), earlier=blocks)
    progress(f"final model: {_summary(final)}")
    return SignalTraining(
        folds=tuple(models),
        final=final,
        predictions=pl.concat(blocks),
        block_metrics=tuple(trainer.measure(block) for block in blocks),
        metrics=trainer.measure(pl.concat(blocks)),
    )


def complete_rows(panel: pl.DataFrame, features: Sequence[str]) -> pl.DataFrame:
    """Return the labelled rows of `panel` that have every feature, by session and symbol.

    Raises:
        ValueError: a column is missing or the name of a feature stands twice.
    """
    missing = [name for name in (*PANEL_KEY, *features) if name not in panel.columns]
    if missing or len(set(features)) < len(features) or not features:
        message = f"the panel lacks {missing} or the features repeat or are none: {list(features)}"
        raise ValueError(message)
    return (
        panel.select(*PANEL_KEY, *finite_features(features)).drop_nulls().sort("session", "symbol")
    )


@dataclass(frozen=True)
class _Trainer:
    """The recipe that all models of a training share."""

    features: tuple[str, ...]
    settings: SignalSettings

    def train(self, parts: FoldRows, *, earlier: Sequence[pl.DataFrame]) -> TrainedSignal:
        """Return the calibrated model of `parts`; `earlier` are the predictions made so far."""
        training = parts.training
        boosted = boost(parts.fit, parts.stop, features=self.features, settings=self.settings)
        return TrainedSignal(
            booster=boosted.text,
            trees=boosted.trees,
            calibration=self._calibrate(boosted, parts),
            features=self.features,
            feature_ranges=_ranges(training, self.features),
            base_rate=_base_rate(training),
            first_session=training["session"].to_list()[0],
            trained_through=parts.trained_through,
            n_rows=training.height,
            data_hash=self._data_hash(parts),
            settings=self.settings,
            track_record=self._track_record(earlier, parts.trained_through),
        )

    def measure(self, predictions: pl.DataFrame) -> SignalMetrics | None:
        """Return the metrics of `predictions`, None when there are none."""
        if predictions.is_empty():
            return None
        # A generator of its own for each call: no figure depends on how many came before it.
        rng = np.random.default_rng(self.settings.seed)
        return measure_predictions(predictions, rng=rng, resamples=self.settings.resamples)

    def _calibrate(self, boosted: Boosted, parts: FoldRows) -> Calibration:
        base_rate = _base_rate(parts.training)
        if not boosted.has_gain:
            return Calibration.flat(base_rate)
        held_out = parts.calibrate
        return calibrate(
            raw_margins(boosted.text, feature_matrix(held_out, self.features)),
            held_out["is_up"].to_numpy(),
            held_out["session"].to_numpy(),
            base_rate=base_rate,
            centre=float(
                raw_margins(boosted.text, feature_matrix(parts.fit, self.features)).mean()
            ),
        )

    def _track_record(
        self, earlier: Sequence[pl.DataFrame], trained_through: date
    ) -> SignalMetrics | None:
        if not earlier:
            return None
        return self.measure(pl.concat(earlier).filter(pl.col("label_end") <= trained_through))

    def _data_hash(self, parts: FoldRows) -> str:
        """Return the SHA-256 of all that shapes the model: rows by slice, names, settings."""
        recipe = {"features": self.features, "settings": self.settings.to_document()}
        digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
        for rows in (parts.fit, parts.stop, parts.calibrate):
            digest.update(feature_matrix(rows, self.features).tobytes())
            digest.update(
                rows.select("symbol", "session", "label_end", "is_up").write_csv().encode()
            )
        return digest.hexdigest()


def _predict(model: TrainedSignal, rows: pl.DataFrame, *, block: int) -> pl.DataFrame:
    """Return the out-of-sample predictions of `rows`."""
    margin = model.margins(rows) if rows.height else np.empty(0)
    return rows.select(
        *PANEL_KEY,
        pl.lit(block, dtype=pl.Int32).alias("block"),
        pl.Series("raw_probability", expit(margin), dtype=pl.Float64),
        pl.Series("probability", model.calibration.probability(margin), dtype=pl.Float64),
        pl.lit(model.base_rate, dtype=pl.Float64).alias("base_rate"),
    )


def _ranges(rows: pl.DataFrame, features: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    lows, highs = rows.select(features).min().row(0), rows.select(features).max().row(0)
    return {
        name: (float(low), float(high))
        for name, low, high in zip(features, lows, highs, strict=True)
    }


def _base_rate(rows: pl.DataFrame) -> float:
    return float(rows["is_up"].sum()) / rows.height


def _summary(model: TrainedSignal) -> str:
    learned = f"{model.trees} trees" if model.calibration.slope > 0 else "nothing learned"
    return f"trained through {model.trained_through} on {model.n_rows:,} rows, {learned}"
