"""The job that keeps the lake small and safe: backup first, then compaction."""

from datetime import UTC, datetime

import dagster as dg

from assets.groups import LAKE_POOL
from resources.lake_maintenance import LakeMaintenance


@dg.op(pool=LAKE_POOL, out=dg.Out(dg.Nothing))
def back_up_lake(context: dg.OpExecutionContext, lake_maintenance: LakeMaintenance) -> None:
    """Copy the lake's catalog and files into a folder of the state folder."""
    target = lake_maintenance.back_up(at=datetime.now(UTC))
    context.log.info(f"backed up {lake_maintenance.size_megabytes():.1f} MB into {target}")


@dg.op(pool=LAKE_POOL, ins={"backed_up": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
def compact_lake(context: dg.OpExecutionContext, lake_maintenance: LakeMaintenance) -> None:
    """Expire versions that no night has published, merge small files, remove what is left over."""
    done = lake_maintenance.compact()
    context.log.info(
        f"{done.versions_expired} versions expired, {done.versions_kept} kept, "
        f"{done.files_before} files made {done.files_after}"
    )


@dg.job(
    description=(
        "Back up the lake, expire every version that no night has published and no table still "
        "reads, merge small files and remove those that nothing names. Changes no row."
    ),
    executor_def=dg.in_process_executor,
    tags={"nightdesk/job": "maintenance"},
)
def maintenance() -> None:
    """Backup, then compaction."""
    compact_lake(backed_up=back_up_lake())
