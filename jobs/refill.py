"""What is published again where MongoDB was lost: all documents, and nothing that calls anyone."""

import dagster as dg

from assets.groups import Group

REFILLED = dg.AssetSelection.groups(Group.PUBLISHING) - dg.AssetSelection.assets(
    *("night_manifest", "night_report", "anomaly_calls", "regime_calls")
)
"""Manifests are written as the lake keeps them: a night that is made out of past ones has none."""
