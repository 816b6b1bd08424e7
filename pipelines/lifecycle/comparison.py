"""Champion against challenger on sessions that neither has seen: a paired test of log loss."""

import numpy as np
import polars as pl

from pipelines.forecasts.scores import diebold_mariano
from pipelines.lifecycle.evidence import PairedComparison
from pipelines.lifecycle.live_skill import live_skill
from pipelines.signals.model import TrainedSignal
from pipelines.signals.scoring import LookAheadError
from pipelines.signals.usable_rows import usable_rows
from pipelines.validation.logistic import FloatArray
from pipelines.validation.metrics import SMALLEST_PROBABILITY, BoolArray, measure_predictions
from pipelines.validation.session_bootstrap import Estimate

# Losses of neighbouring sessions rise and fall with volatility: a week of them counts as dependent.
DEPENDENT_SESSIONS = 5
RESAMPLES = 500


def compare(
    champion: TrainedSignal, challenger: TrainedSignal, panel: pl.DataFrame
) -> PairedComparison | None:
    """Compare two models on rows that both can score; None where there are too few sessions.

    Args:
        champion: The model that scores now.
        challenger: The one that wants to.
        panel: Labelled rows of later sessions.

    Raises:
        LookAheadError: one of them has seen a label of these sessions.
    """
    rows = _scored_by_both(panel, champion, challenger)
    if rows.is_empty():
        return None
    _require_unseen(rows, champion, challenger)
    is_up = rows["is_up"].to_numpy()
    _, session = np.unique(rows["session"].to_numpy(), return_inverse=True)
    old = _by_session(_loss(champion, champion.margins(rows), is_up), session)
    margins = challenger.member_margins(rows)
    new = _by_session(_loss(challenger, margins.mean(axis=0), is_up), session)
    test = diebold_mariano(old, new, horizon=DEPENDENT_SESSIONS)
    if test is None:
        return None
    gain = float((old - new).mean())
    by_seed = [
        _by_session(_loss(challenger, one, is_up), session).mean()
        for one in _seeds(challenger, margins)
    ]
    spread = float(np.std(by_seed, ddof=1)) if len(by_seed) > 1 else 0.0
    return PairedComparison(
        sessions=len(old),
        rows=rows.height,
        gain=gain,
        p_value=test.p_value / 2 if gain > 0 else 1 - test.p_value / 2,
        seed_error=spread / len(by_seed) ** 0.5,
        calibration_slope=_slope(challenger, margins.mean(axis=0), rows),
        knowledge_p=_knowledge(challenger, margins.mean(axis=0), rows),
    )


def _scored_by_both(panel: pl.DataFrame, *models: TrainedSignal) -> pl.DataFrame:
    """Return the rows with every feature that one of the models must have."""
    features = models[0].features
    may_lack = set.intersection(*(set(model.may_lack) for model in models))
    return usable_rows(panel, features, dispensable=may_lack)


def _require_unseen(rows: pl.DataFrame, *models: TrainedSignal) -> None:
    """Refuse a session that a model may have been trained on."""
    first = rows["session"].to_list()[0]
    for model in models:
        if model.trained_through >= first:
            message = (
                f"a model trained through {model.trained_through} can't be compared on {first}: "
                "take sessions after it"
            )
            raise LookAheadError(message)


def _seeds(model: TrainedSignal, margins: FloatArray) -> FloatArray:
    """Return what the ensemble would have said with each of its seeds alone (seeds × rows)."""
    families = len(model.members) // model.settings.seeds
    return np.asarray(margins.reshape(families, model.settings.seeds, -1).mean(axis=0))


def _loss(model: TrainedSignal, margin: FloatArray, is_up: BoolArray) -> FloatArray:
    """Return the log loss of each row's calibrated probability."""
    log_odds = model.calibration.log_odds(margin)
    return np.asarray(np.logaddexp(0.0, np.where(is_up, -log_odds, log_odds)))


def _by_session(loss: FloatArray, session: np.ndarray) -> FloatArray:
    """Return the mean loss of each session."""
    return np.asarray(np.bincount(session, weights=loss) / np.bincount(session))


def _knowledge(model: TrainedSignal, margin: FloatArray, rows: pl.DataFrame) -> float | None:
    """Return the chance of such outcomes if a model knows nothing of them."""
    skill = live_skill(
        model.calibration.log_odds(margin),
        rows["is_up"].to_numpy(),
        rows["session"].to_numpy(),
        base_rate=model.base_rate,
    )
    return skill.knowledge_p if skill else None


def _slope(model: TrainedSignal, margin: FloatArray, rows: pl.DataFrame) -> Estimate | None:
    """Return the slope of outcomes on a model's log-odds; None where it says the same of all."""
    probability = np.clip(
        model.calibration.probability(margin), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY
    )
    if np.ptp(probability) < SMALLEST_PROBABILITY:
        return None
    predictions = rows.with_columns(
        pl.Series("probability", probability), base_rate=pl.lit(model.base_rate)
    )
    rng = np.random.default_rng(model.settings.seed)
    return measure_predictions(predictions, rng=rng, resamples=RESAMPLES).calibration_slope
