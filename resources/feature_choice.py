"""Which groups of features the nights of this desk compute."""

import dagster as dg
from pydantic import Field

from pipelines.features.choice import OPTIONAL_GROUPS, chosen_groups
from pipelines.features.groups import FeatureGroup


class FeatureChoice(dg.ConfigurableResource[None]):
    """The groups of features that a person has chosen.

    Read where the assets are declared, not in a step: a group that is left out is no asset.
    """

    words: str = Field(
        description="Groups with commas between; core, alpha158, regimes and all stand for several."
    )

    def optional_groups(self) -> tuple[FeatureGroup, ...]:
        """Return the chosen groups beside those that the signals learn from."""
        return tuple(group for group in chosen_groups(self.words) if group in OPTIONAL_GROUPS)
