"""Entering trials into the lake's ledger."""

from pipelines.signals.trials import TrialLedger
from pipelines.tables import TRIAL_RETURNS, TRIALS
from resources.lake_writer import LakeWriter


def enter_trials(writer: LakeWriter, ledger: TrialLedger) -> int:
    """Enter the trials that are new and what they earned; return how many.

    An entry is never changed: a trial repeated on the same data is the same trial.
    """
    known = writer.read(f"SELECT trial_id FROM {TRIALS.name}")["trial_id"].to_list()
    fresh = ledger.without(known)
    if fresh.trials.height:
        writer.append(TRIALS, fresh.trials)
        writer.append(TRIAL_RETURNS, fresh.returns)
    return fresh.trials.height
