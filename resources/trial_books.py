"""What the lake keeps of a training: its trials, and what its model learned from."""

import polars as pl

from pipelines.lifecycle.tables import MODEL_FILES, MODEL_REFERENCES
from pipelines.signals.trials import TrialLedger
from pipelines.tables import TRIAL_RETURNS, TRIALS
from resources.lake_writer import LakeWriter


def enter_training(
    writer: LakeWriter, ledger: TrialLedger, reference: pl.DataFrame, files: pl.DataFrame
) -> int:
    """Enter a training's trials and references of models; return how many trials are new.

    Of `files`, rows of `model_files`, those of versions that the lake does not know yet are entered
    too: older ones that were registered before it kept them, among others.
    """
    held = writer.read(f"SELECT DISTINCT model_version FROM {MODEL_REFERENCES.name}")
    fresh = reference.join(held, on="model_version", how="anti", maintain_order="left")
    if fresh.height:
        writer.append(MODEL_REFERENCES, fresh)
    known = writer.read(f"SELECT model_version FROM {MODEL_FILES.name}")
    unknown = files.join(known, on="model_version", how="anti", maintain_order="left")
    if unknown.height:
        writer.append(MODEL_FILES, unknown)
    return enter_trials(writer, ledger)


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
