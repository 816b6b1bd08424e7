"""A registry whose database is lost and made again, in the place where it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resources.lake import Lake
from resources.model_registry import ModelRegistry
from resources.registry_rebuild import RegistryRebuild

SQLITE = "sqlite:///"


@contextmanager
def lost(registry: ModelRegistry) -> Iterator[ModelRegistry]:
    """Give a registry without its database, which comes back at the end.

    Its address is spelt otherwise: MLflow keeps files open by address, and would go on to read the
    one that is gone.
    """
    database = Path(registry.tracking_uri.removeprefix(SQLITE))
    aside = database.rename(database.with_name("kept_by_the_test.db"))
    number = len(list(database.parent.glob("other_spelling_*")))
    (spelling := database.parent / f"other_spelling_{number}").mkdir()
    address = f"{SQLITE}{spelling}/../{database.name}"
    try:
        yield ModelRegistry(**dict(registry) | {"tracking_uri": address})
    finally:
        aside.replace(database)


@contextmanager
def rebuilt(registry: ModelRegistry, lake: Lake) -> Iterator[ModelRegistry]:
    """Give a registry whose database was lost and made again."""
    with lost(registry) as without:
        rebuild = RegistryRebuild(lake, without)
        plan = rebuild.plan()
        assert plan.obstacles(accepts_broken=False) == ()
        assert rebuild.rebuild(plan) is None
        yield without
