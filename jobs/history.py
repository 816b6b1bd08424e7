"""The job of the first load: everything but models and publishing."""

import dagster as dg

from assets.groups import Group

HISTORY = dg.define_asset_job(
    name="history",
    description=(
        "Load the history of the whole universe and derive clean prices, features and labels from "
        "it. Lands answers in batches: started again, it goes on where it stopped, and on a free "
        "plan it fills up over several days. Trains and publishes nothing."
    ),
    selection=dg.AssetSelection.groups(Group.INGEST, Group.QUALITY, Group.FEATURES),
    executor_def=dg.in_process_executor,
    tags={"nightdesk/job": "history"},
)
