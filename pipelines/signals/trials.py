"""The ledger of trials: what was tried, how it did out of sample, and what it would have earned.

The best of many tries looks good by luck alone (Bailey & López de Prado, The deflated Sharpe ratio,
2014). That can be put right only by one who has kept every try, the unpublished ones too.
"""

import hashlib
import json
from dataclasses import dataclass

import polars as pl

from pipelines.nights import Night
from pipelines.signals.model import SignalTraining, Trial
from pipelines.signals.settings import SignalSettings
from pipelines.validation.long_short import long_short_returns


@dataclass(frozen=True)
class TrialLedger:
    """Rows of `trials` and of `trial_returns`."""

    trials: pl.DataFrame
    returns: pl.DataFrame

    @property
    def published(self) -> str:
        """Return the `trial_id` of the trial whose models score."""
        return str(self.trials.filter("is_published")["trial_id"][0])

    def without(self, known: list[str]) -> "TrialLedger":
        """Return the ledger without the trials that are already in the books."""
        is_new = ~pl.col("trial_id").is_in(known)
        return TrialLedger(self.trials.filter(is_new), self.returns.filter(is_new))


def trial_ledger(training: SignalTraining, *, night: Night, features_version: str) -> TrialLedger:
    """Return what a training has to enter: the same trial on the same data has the same id."""
    settings = training.final.settings
    rows, returns = [], []
    for trial in training.trials:
        row = _row(trial, settings, night=night, features_version=features_version)
        rows.append({**row, "is_published": trial is training.published})
        portfolio = long_short_returns(
            trial.predictions, cost_basis_points=settings.cost_basis_points
        )
        returns.append(portfolio.with_columns(trial_id=pl.lit(row["trial_id"])))
    return TrialLedger(pl.DataFrame(rows), pl.concat(returns))


def _row(
    trial: Trial, settings: SignalSettings, *, night: Night, features_version: str
) -> dict[str, object]:
    """Return a trial's row of `trials`, but for whether it is published."""
    text = json.dumps(settings.to_document(), sort_keys=True)
    data_hash = _sha256(trial.predictions.write_csv())
    identity = (night.market, trial.family.value, text, features_version, data_hash)
    metrics = trial.metrics.to_document() if trial.metrics else None
    return {
        "trial_id": _sha256("\n".join(identity))[:24],
        "session": night.session,
        "night_id": night.night_id,
        "family": trial.family.value,
        "settings_hash": _sha256(text),
        "settings": text,
        "features_version": features_version,
        "data_hash": data_hash,
        "metrics": json.dumps(metrics),
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
