"""Groups of assets, pools and owners: the words that assets and jobs share."""

import warnings
from enum import StrEnum

import dagster as dg

# Dagster says of each asset that its backfill policy is in beta: 20 lines before every command.
warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)

OWNERS = ["team:nightdesk"]

LAKE_POOL = "lake"
"""The lake's SQLite catalog takes one writer at a time: every step that writes it is in here."""

SERVING_POOL = "serving"
"""Publishing steps reconcile whole sets of documents, so one runs at a time."""


ONE_RUN = dg.BackfillPolicy.single_run()
"""A range of sessions is one run: state tables are brought up to date once, outputs in one go."""


class Group(StrEnum):
    """Groups of assets, in the order of the night; the last is no part of it."""

    INGEST = "ingest"
    QUALITY = "quality"
    FEATURES = "features"
    TRAINING = "training"
    SIGNALS = "signals"
    REGIMES = "regimes"
    FORECASTS = "forecasts"
    LIFECYCLE = "lifecycle"
    PUBLISHING = "publishing"
    EVALUATION = "evaluation"
