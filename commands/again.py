"""Running parts of past nights again in this process, which the UI is not told of."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from commands.console import Failure, run_job


def run_again(
    resources: Mapping[str, Any],
    selection: dg.AssetSelection,
    *,
    tags: dict[str, str],
    shows_steps: bool = True,
) -> Failure | None:
    """Run a selection of the night's assets on given resources; return what failed."""
    from definitions import build_definitions

    definitions = build_definitions(**resources)
    keys = selection.resolve(definitions.resolve_asset_graph())
    job = definitions.resolve_job_def("nightly").get_subset(asset_selection=set(keys))
    with dg.DagsterInstance.ephemeral() as instance:
        return run_job(job, instance, tags=tags, shows_steps=shows_steps)
