"""What a replay of a night makes again: its outputs and its documents, from state as it was."""

import dagster as dg

from assets.groups import Group

REPLAYED = (
    dg.AssetSelection.assets("signal_scores", "signal_changes", "regime_states")
    | dg.AssetSelection.assets("portfolio_forecasts")
    | dg.AssetSelection.assets("track_records", "family_records")
    | dg.AssetSelection.groups(Group.PUBLISHING)
) - dg.AssetSelection.assets(
    *("published_models", "night_manifest", "night_report", "anomaly_calls", "regime_calls")
)
"""Not the manifest, which it is held against, nor what is told to people, nor what MLflow tells of
models: later trainings move that on, and no version of the lake keeps it."""
