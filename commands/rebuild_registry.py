"""`make rebuild-registry`: make a lost MLflow database again, from its files and the lake."""

import argparse
import sys
from collections.abc import Sequence

from commands.instance import prepared_settings
from pipelines.lifecycle.registry_rebuild import RebuildPlan
from pipelines.lifecycle.versions import aliases_of
from resources.registry_rebuild import RebuildRefusedError, RegistryRebuild
from resources.wiring import build_lake, build_model_registry


def main() -> None:
    """Rebuild the registry and tell what is unknown of it, or what is missing and what to do."""
    arguments = _arguments()
    settings = prepared_settings()
    lake = build_lake(settings).process_config_and_initialize()
    rebuild = RegistryRebuild(lake, build_model_registry(settings))
    try:
        plan = rebuild.plan()
    except RebuildRefusedError as error:
        sys.exit(f"nightdesk: {error}")
    accepts_broken = arguments.accept_broken == "1"
    if obstacles := plan.obstacles(accepts_broken=accepts_broken):
        sys.exit(_refusal(rebuild, plan, obstacles, backups=str(settings.home / "backups")))
    lost = rebuild.rebuild(plan)
    _tell(rebuild, plan)
    if lost:
        print(f"What was left of the old one: {lost}")


def _refusal(
    rebuild: RegistryRebuild, plan: RebuildPlan, obstacles: Sequence[str], *, backups: str
) -> str:
    """Return why nothing was done, and the way on."""
    lines = [
        f"nightdesk: MLflow's database {rebuild.database} was not made again. In {rebuild.files}:",
        *(f"  - {obstacle}" for obstacle in obstacles),
        f"Copy these from the newest folder of {backups} that has them (mlflow/artifacts), and "
        "run this again. Where no backup has a record, restore MLflow and the lake of one backup "
        "together (docs/runbook.md, MLflow is lost).",
    ]
    if plan.broken and not plan.missing:
        lines.append(
            "Where no backup has a file, make rebuild-registry ACCEPT_BROKEN=1 goes on without: "
            "such a version scores no night, the one before it does."
        )
    return "\n".join(lines)


def _tell(rebuild: RegistryRebuild, plan: RebuildPlan) -> None:
    """Print what was made again and what nobody can know."""
    versions = rebuild.registry.versions(rebuild.lake.market)
    named = ", ".join(
        f"{alias}: {f'version {one.number}' if one else 'none'}"
        for alias, one in aliases_of(versions).items()
    )
    print(
        f"{rebuild.database}: {len(plan.remains.records)} runs, {len(plan.remains.claims)} "
        f"versions, {len(versions)} of {rebuild.lake.market}; {named}"
    )
    for fault in plan.broken:
        print(f"Accepted: {fault}")
    print("Not known again:")
    for what in plan.unknown:
        print(f"  - {what}")


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--accept-broken", default="", help="1: go on without files that are gone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
