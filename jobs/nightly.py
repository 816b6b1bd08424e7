"""The job of the night: from the vendor to MongoDB, for a session or a range of sessions."""

import dagster as dg

from assets.groups import Group

NIGHTLY = dg.define_asset_job(
    name="nightly",
    description=(
        "Ingest, check, compute features, score with the models at hand, forecast portfolios, "
        "enter what came of earlier signals, publish, and write the manifest last. State tables "
        "are brought up to date through the session; a range is one run. Leaves training to the "
        "job `training`: without a model every signal abstains."
    ),
    selection=dg.AssetSelection.groups(
        Group.INGEST,
        Group.QUALITY,
        Group.FEATURES,
        Group.SIGNALS,
        Group.REGIMES,
        Group.FORECASTS,
        Group.LIFECYCLE,
        Group.PUBLISHING,
    ),
    executor_def=dg.in_process_executor,
    tags={"nightdesk/job": "nightly"},
)
