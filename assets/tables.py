"""What each step that makes a table of the lake is declared with: pool, owners, one run a range."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

import dagster as dg

from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, Group
from assets.partitions import SESSIONS
from assets.reporting import table_metadata
from pipelines.table import Table


def table_asset(
    table: Table,
    group: Group,
    *,
    deps: Iterable[dg.AssetsDefinition | str] = (),
    kinds: Collection[str] = (),
    by_session: bool = False,
    name: str | None = None,
    description: str | None = None,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Make a step the asset of the table that it writes.

    Args:
        table: The table, whose columns the UI shows.
        group: The part of the night that it belongs to.
        deps: What it is made of.
        kinds: What it is made with, beside the lake.
        by_session: Whether it is an output of each night, and so partitioned by session.
        name: In place of the step's own.
        description: In place of the step's docstring.
    """
    return dg.asset(
        name=name,
        description=description,
        group_name=group.value,
        owners=OWNERS,
        kinds={"ducklake", *kinds},
        pool=LAKE_POOL,
        deps=list(deps),
        partitions_def=SESSIONS if by_session else None,
        backfill_policy=ONE_RUN,
        metadata=table_metadata(table),
    )
