"""Training of the signals: one model per walk-forward fold, and one for the future.

The panel is long, keyed by (symbol, session): label_end, next_session_return, is_up and feature
columns. A fold's model sees only labels that ended before its test block, and carries the track
record of the folds before it; nothing in it changes when later rows do.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from pipelines.scratch import IN_MEMORY, Scratch, pieces, rows_where
from pipelines.signals.booster import boost, family_margins, member_margins
from pipelines.signals.boosting_rows import feature_matrix
from pipelines.signals.calibration import CalibrationEvidence
from pipelines.signals.members import Member
from pipelines.signals.model import SignalTraining, TrainedSignal, Trial
from pipelines.signals.settings import Family, SignalSettings
from pipelines.signals.usable_rows import PANEL_KEY, TRADE_COLUMNS, usable_rows
from pipelines.validation.logistic import FloatArray
from pipelines.validation.metrics import SignalMetrics, measure_predictions
from pipelines.validation.splits import Fold, FoldRows, final_fold, held_back_fold, walk_forward

ROWS_FOR_CENTRE = 20_000
# About a year of one symbol: from fewer rows without a feature trees learn nothing about such rows.
ROWS_TO_LACK = 200


def train_signals(
    panel: pl.DataFrame,
    *,
    features: Sequence[str],
    settings: SignalSettings,
    progress: Callable[[str], None],
    folds: Sequence[Fold] | None = None,
    final: Fold | None = None,
    dispensable: Sequence[str] = (),
    held_back: int = 0,
    scratch: Scratch = IN_MEMORY,
) -> SignalTraining:
    """Train, calibrate and test on `panel`, which may come in any order and hold null features.

    Args:
        panel: see the module. Its distinct sessions are the session list of the market.
        features: columns to learn from.
        settings: lengths of the slices, boosting and seed.
        progress: is told one line a model.
        folds: the walk-forward folds; by default those of `settings.splits`.
        final: the fold of tonight's model; by default that of all sessions.
        dispensable: features that a row may lack where ROWS_TO_LACK rows of a fit slice do, or all.
        held_back: newest sessions that a challenger is kept from, to be compared on; 0 makes none.
        scratch: where rows lie meanwhile; the models are the same to the bit.

    Raises:
        HistoryTooShortError: the sessions do not reach the first test block.
        UnusableSliceError: a slice of a fold holds no usable row.
    """
    trainer = _Trainer(tuple(features), settings, tuple(dispensable), scratch)
    sessions = panel["session"].unique().sort().to_list()
    rows = trainer.rows(panel)
    folds = walk_forward(sessions, settings.splits) if folds is None else folds
    models: list[TrainedSignal] = []
    blocks: dict[Family, list[pl.DataFrame]] = {family: [] for family in settings.trials}
    for number, fold in enumerate(folds):
        parts = trainer.usable(fold.rows(rows))
        trained = trainer.train(parts, earlier=blocks)
        for family, model in trained.items():
            blocks[family].append(scratch.rows([_predict(model, parts.test, block=number)]))
        models.append(trained[settings.family])
        progress(f"fold {number + 1} of {len(folds)}: {_summary(models[-1])}, on {fold.test}")
    tonight = final_fold(sessions, settings.splits) if final is None else final
    model = trainer.train(trainer.usable(tonight.rows(rows)), earlier=blocks)[settings.family]
    progress(f"final model: {_summary(model)}")
    challenger = None
    if held_back:
        kept = trainer.usable(held_back_fold(sessions, settings.splits, held_back).rows(rows))
        challenger = trainer.train(kept, earlier=blocks)[settings.family]
        progress(f"challenger: {_summary(challenger)}")
    return SignalTraining(
        folds=tuple(models),
        final=model,
        challenger=challenger,
        trials=tuple(trainer.trial(family, pl.concat(made)) for family, made in blocks.items()),
        block_metrics=tuple(trainer.measure(block) for block in blocks[settings.family]),
    )


def train_once(
    panel: pl.DataFrame,
    *,
    features: Sequence[str],
    settings: SignalSettings,
    dispensable: Sequence[str] = (),
    scratch: Scratch = IN_MEMORY,
) -> TrainedSignal:
    """Return the model for the session after `panel` alone: no walk-forward, so no track record.

    Arguments and errors are those of `train_signals`.
    """
    trainer = _Trainer(tuple(features), settings, tuple(dispensable), scratch)
    sessions = panel["session"].unique().sort().to_list()
    rows = trainer.rows(panel)
    parts = trainer.usable(final_fold(sessions, settings.splits).rows(rows))
    nothing_before = dict.fromkeys(settings.trials, ())
    return trainer.train(parts, earlier=nothing_before)[settings.family]


@dataclass(frozen=True)
class _Trainer:
    """The recipe that all models of a training share."""

    features: tuple[str, ...]
    settings: SignalSettings
    dispensable: tuple[str, ...]
    scratch: Scratch

    def rows(self, panel: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of a panel that slices are cut from."""
        return usable_rows(panel, self.features, dispensable=self.dispensable, scratch=self.scratch)

    def usable(self, parts: FoldRows) -> FoldRows:
        """Return the rows that lack no feature but those that many rows of the fit slice lack."""
        needed = [name for name in self.dispensable if name not in self._lacked(parts.fit)]
        return parts.having(needed, scratch=self.scratch)

    def train(
        self, parts: FoldRows, *, earlier: Mapping[Family, Sequence[pl.DataFrame]]
    ) -> dict[Family, TrainedSignal]:
        """Return the calibrated model of each trial; `earlier` are the predictions made so far.

        Only the published family's model carries its track record: the others publish nothing.
        """
        members = boost(
            parts.fit,
            parts.stop,
            features=self.features,
            settings=self.settings,
            scratch=self.scratch,
        )
        held_out = _held_out_margins(members, parts, self.features)
        models = {
            family: self._model(
                family,
                members,
                parts=parts,
                evidence=_evidence(held_out, parts, family, earlier[family]),
            )
            for family in self.settings.trials
        }
        published = models[self.settings.family]
        ended = _ended(earlier[self.settings.family], parts.trained_through)
        models[self.settings.family] = replace(
            published,
            track_record=self.measure(ended),
            incomplete_record=self.measure(ended.filter("is_incomplete")),
        )
        return models

    def trial(self, family: Family, predictions: pl.DataFrame) -> Trial:
        """Return what a family did out of sample."""
        return Trial(family, predictions, self.measure(predictions))

    def measure(self, predictions: pl.DataFrame) -> SignalMetrics | None:
        """Return the metrics of `predictions`, None when there are none."""
        if predictions.is_empty():
            return None
        # A generator of its own for each call: no figure depends on how many came before it.
        rng = np.random.default_rng(self.settings.seed)
        return measure_predictions(
            predictions,
            rng=rng,
            resamples=self.settings.resamples,
            cost_basis_points=self.settings.cost_basis_points,
        )

    def _model(
        self,
        family: Family,
        members: tuple[Member, ...],
        *,
        parts: FoldRows,
        evidence: CalibrationEvidence,
    ) -> TrainedSignal:
        """Return a family's calibrated model without a track record."""
        base_rate = _base_rate(parts.training)
        return TrainedSignal(
            members=tuple(one for one in members if one.family in family.boosters),
            calibration=evidence.calibration(base_rate),
            features=self.features,
            feature_ranges=_ranges(parts.training, self.features),
            base_rate=base_rate,
            first_session=parts.fit["session"].item(0),
            trained_through=parts.trained_through,
            n_rows=parts.training.height,
            data_hash=self._data_hash(family, parts, evidence),
            settings=self.settings,
            track_record=None,
            may_lack=self._lacked(parts.fit),
        )

    def _lacked(self, fit: pl.DataFrame) -> tuple[str, ...]:
        """Return the dispensable features that enough rows of the fit slice lack, or all of it."""
        enough = min(ROWS_TO_LACK, fit.height)
        return tuple(name for name in self.dispensable if fit[name].null_count() >= enough)

    def _data_hash(self, family: Family, parts: FoldRows, evidence: CalibrationEvidence) -> str:
        """Return the SHA-256 of all that shapes the model: rows by slice, names, settings."""
        settings = {**self.settings.to_document(), "family": family.value}
        recipe = {"features": self.features, "settings": settings}
        digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
        for rows in (parts.fit, parts.stop, parts.calibrate):
            for piece in pieces(rows):
                digest.update(feature_matrix(piece, self.features).data)
            for text in _csv(rows.select("symbol", "session", "label_end", "is_up")):
                digest.update(text)
        for text in _csv(evidence.rows):
            digest.update(text)
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class _HeldOutMargins:
    """Raw margins of all members: `calibrate` members × rows, `centre` each one's mean (× 1)."""

    members: tuple[Member, ...]
    calibrate: FloatArray
    centre: FloatArray


def _held_out_margins(
    members: tuple[Member, ...], parts: FoldRows, features: tuple[str, ...]
) -> _HeldOutMargins:
    """Return the margins on the calibrate slice, and their centre on the fit slice."""
    # Every so many rows of the fit slice tell its mean as well as all of a million do.
    some = parts.fit.gather_every(1 + parts.fit.height // ROWS_FOR_CENTRE)
    centre = member_margins(members, feature_matrix(some, features)).mean(axis=1, keepdims=True)
    calibrate = member_margins(members, feature_matrix(parts.calibrate, features))
    return _HeldOutMargins(members, calibrate, centre)


def _evidence(
    held_out: _HeldOutMargins, parts: FoldRows, family: Family, earlier: Sequence[pl.DataFrame]
) -> CalibrationEvidence:
    """Return what a family's calibration rests on."""
    margins = family_margins(held_out.members, held_out.calibrate, family)
    centre = float(family_margins(held_out.members, held_out.centre, family)[0])
    own = parts.calibrate.select("session", "is_up").with_columns(
        centred_margin=pl.Series(margins - centre)
    )
    # Sessions of the calibrate slice count once: in the eyes of this model, not of the last.
    first = parts.calibrate["session"].item(0)
    past = [rows_where(one, one["label_end"] < first).select(own.columns) for one in earlier]
    return CalibrationEvidence(pl.concat([*past, own]), centre=centre)


def _predict(model: TrainedSignal, rows: pl.DataFrame, *, block: int) -> pl.DataFrame:
    """Return the out-of-sample predictions of `rows`."""
    margin = model.margins(rows) if rows.height else np.empty(0)
    return rows.select(
        *PANEL_KEY,
        *TRADE_COLUMNS,
        pl.lit(block, dtype=pl.Int32).alias("block"),
        pl.Series("centred_margin", margin - model.calibration.centre, dtype=pl.Float64),
        pl.Series("raw_probability", model.raw_probability(margin), dtype=pl.Float64),
        pl.Series("probability", model.calibration.probability(margin), dtype=pl.Float64),
        pl.lit(model.base_rate, dtype=pl.Float64).alias("base_rate"),
        _lacks_any(model.may_lack).alias("is_incomplete"),
        model.is_out_of_range().alias("is_out_of_range"),
    )


def _ranges(rows: pl.DataFrame, features: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    lows, highs = rows.select(features).min().row(0), rows.select(features).max().row(0)
    return {
        name: (float(low), float(high))
        for name, low, high in zip(features, lows, highs, strict=True)
        if low is not None
    }


def _ended(earlier: Sequence[pl.DataFrame], trained_through: date) -> pl.DataFrame:
    """Return the earlier predictions whose labels had ended by then."""
    if not earlier:
        return pl.DataFrame(schema={"is_incomplete": pl.Boolean})
    # A trade may end after its label: then nobody knew yet what it earned.
    is_over = pl.col("exit_session") <= trained_through
    rows = pl.concat(earlier)
    return rows_where(rows, rows["label_end"] <= trained_through).with_columns(
        pl.when(is_over).then("next_open_return").alias("next_open_return")
    )


def _csv(rows: pl.DataFrame) -> Iterator[bytes]:
    """Yield rows as CSV, piece by piece."""
    for number, piece in enumerate(pieces(rows)):
        yield piece.write_csv(include_header=number == 0).encode()


def _lacks_any(names: Sequence[str]) -> pl.Expr:
    """Return whether a row lacks one of the features."""
    return pl.any_horizontal(pl.lit(value=False), *(pl.col(name).is_null() for name in names))


def _base_rate(rows: pl.DataFrame) -> float:
    return float(rows["is_up"].sum()) / rows.height


def _summary(model: TrainedSignal) -> str:
    learned = f"{model.trees} trees" if model.calibration.slope > 0 else "nothing learned"
    return f"trained through {model.trained_through} on {model.n_rows:,} rows, {learned}"
