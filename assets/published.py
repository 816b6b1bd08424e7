"""What every publishing step is declared with: its group, its pool, and another try."""

from collections.abc import Callable, Sequence

import dagster as dg

from assets.groups import ONE_RUN, OWNERS, SERVING_POOL, Group
from assets.partitions import SESSIONS
from assets.retries import Step, tried_again


def published_asset(
    deps: Sequence[dg.AssetsDefinition],
    *,
    by_session: bool = False,
    kinds: frozenset[str] = frozenset({"mongodb"}),
    pool: str | None = SERVING_POOL,
    name: str | None = None,
    description: str | None = None,
    group: Group = Group.PUBLISHING,
) -> Callable[[Step], dg.AssetsDefinition]:
    """Make a step the asset that it publishes, tried again while no MongoDB answers.

    Args:
        deps: What it is made of.
        by_session: Whether it is an output of each night, and so partitioned by session.
        kinds: What it is in.
        pool: What it shares with steps that must not run beside it.
        name: In place of the step's own.
        description: In place of the step's docstring.
        group: Another group for what is no part of a night.
    """

    def made(step: Step) -> dg.AssetsDefinition:
        return dg.asset(
            name=name,
            description=description,
            group_name=group.value,
            owners=OWNERS,
            kinds=set(kinds),
            pool=pool,
            deps=deps,
            partitions_def=SESSIONS if by_session else None,
            backfill_policy=ONE_RUN,
        )(tried_again(step))

    return made
