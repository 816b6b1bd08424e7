"""The job that evaluates: scenarios of the past, as the newest night knows them."""

import dagster as dg

from assets.groups import Group

EVALUATION = dg.define_asset_job(
    name="evaluation",
    description=(
        "Replay scenarios of the past with models of their own time, hold them against baselines "
        "and a person's limits, and publish verdicts, curves and explanations. Reads what nights "
        "and trainings have made and changes none of it; no part of a night."
    ),
    selection=dg.AssetSelection.groups(Group.EVALUATION),
    executor_def=dg.in_process_executor,
    tags={"nightdesk/job": "evaluation"},
)
