"""The models of the pool, in the order in which their weights and scores stand."""

from pipelines.forecasts.members.autoregression import AutoArima
from pipelines.forecasts.members.bootstrap import StationaryBootstrap
from pipelines.forecasts.members.deep.deepar import DeepAr
from pipelines.forecasts.members.deep.fusion_transformer import TemporalFusionTransformer
from pipelines.forecasts.members.deep.networks import require_extra
from pipelines.forecasts.members.garch import FilteredHistoricalSimulation
from pipelines.forecasts.members.member import Member, PathMember
from pipelines.forecasts.members.prophet_trend import ProphetTrend
from pipelines.forecasts.members.random_walk import RandomWalk
from pipelines.forecasts.members.smoothing import ExponentialSmoothing

PATH_MEMBERS: tuple[PathMember, ...] = (FilteredHistoricalSimulation(), StationaryBootstrap())
"""Models whose paths carry the fan from session to session; the first one that has a fit does."""

MEMBERS: tuple[Member, ...] = (
    RandomWalk(),
    StationaryBootstrap(),
    FilteredHistoricalSimulation(),
    ProphetTrend(),
    AutoArima(),
    ExponentialSmoothing(),
)
DEEP_MEMBERS: tuple[Member, ...] = (DeepAr(), TemporalFusionTransformer())
"""Models that need the extra `deep`."""
YARDSTICK = RandomWalk.name
"""The model that every other one must beat."""


def pool_members(*, deep: bool) -> tuple[Member, ...]:
    """Return the models of the pool, with or without the deep ones.

    Raises:
        MissingExtraError: deep ones are asked for and their packages are missing.
    """
    if not deep:
        return MEMBERS
    require_extra()
    return (*MEMBERS, *DEEP_MEMBERS)
