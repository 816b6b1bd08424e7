"""The job that trains: state tables first, then the models."""

import dagster as dg

from assets.groups import Group

TRAINING = dg.define_asset_job(
    name="training",
    description=(
        "Bring prices, features and labels up to date, then train the signal models, register them "
        "in MLflow, and make the fits of regimes that are due. Publishes nothing; the next night "
        "scores with what it made. Training the same data again adds nothing."
    ),
    selection=dg.AssetSelection.groups(Group.INGEST, Group.QUALITY, Group.FEATURES, Group.TRAINING),
    executor_def=dg.in_process_executor,
    tags={"nightdesk/job": "training"},
)
