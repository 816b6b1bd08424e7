"""The models of the pool, in the order in which their weights and scores stand."""

from pipelines.forecasts.members.autoregression import AutoArima
from pipelines.forecasts.members.bootstrap import StationaryBootstrap
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
YARDSTICK = RandomWalk.name
"""The model that every other one must beat."""
