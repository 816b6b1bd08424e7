"""What a pool is, named by its content: its models, their settings and its calibration's.

Two pools of one name give the same forecasts of the same curves to the bit; whatever would change
one gives the pool another name. A stored definition can be made again as long as this code and what
is installed can make it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Self

from pipelines.forecasts.members.catalogue import DEEP_MEMBERS, MEMBERS, YARDSTICK, pool_members
from pipelines.forecasts.members.deep.networks import MissingExtraError
from pipelines.forecasts.members.member import Member
from pipelines.forecasts.settings import ForecastSettings

CODE_REVISION = 1
"""Raise it when code of models, pool or calibration gives other figures with the same settings."""

OTHER_SETTINGS = 0
"""Revision of pools whose settings had other names."""


class UnavailablePoolError(ValueError):
    """A pool can't be made here: other code made it, or a package is missing."""


@dataclass(frozen=True)
class PoolDefinition:
    """A pool: names of its models in order, its settings, and the revision of its code."""

    models: tuple[str, ...]
    settings: ForecastSettings = field(default_factory=ForecastSettings)
    revision: int = CODE_REVISION

    @property
    def version(self) -> str:
        """Its name: 12 hexadecimal digits of the hash of all that it is."""
        return hashlib.sha256(self.to_text().encode()).hexdigest()[:12]

    @property
    def fit_recipe(self) -> str:
        """What a fit of a model depends on beside the curve."""
        return f"{self.revision}/{self.settings.window}"

    def members(self) -> tuple[Member, ...]:
        """Return its models.

        Raises:
            UnavailablePoolError: this code, or what is installed, can't make it.
        """
        if self.revision != CODE_REVISION:
            message = (
                f"the pool {self.version} is of revision {self.revision} of the forecasts' code, "
                f"here is {CODE_REVISION}"
            )
            raise UnavailablePoolError(message)
        known = {member.name: member for member in (*MEMBERS, *DEEP_MEMBERS)}
        if missing := [name for name in self.models if name not in known]:
            message = f"the pool {self.version} has models that are gone: {', '.join(missing)}"
            raise UnavailablePoolError(message)
        self._require_packages()
        return tuple(known[name] for name in self.models)

    @property
    def unavailable(self) -> str | None:
        """Why it can't be made here; None if it can."""
        try:
            self.members()
        except UnavailablePoolError as error:
            return str(error)
        return None

    def to_text(self) -> str:
        """Return it as JSON, the same for the same pool."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the pool that `to_text` wrote; one with other settings than ours is of no code."""
        held = json.loads(text)
        models, settings = tuple(held["models"]), held["settings"]
        if set(settings) != {one.name for one in fields(ForecastSettings)}:
            return cls(models, revision=OTHER_SETTINGS)
        return cls(models, ForecastSettings(**settings), held["revision"])

    def _require_packages(self) -> None:
        """Refuse deep models where their packages are missing."""
        if {member.name for member in DEEP_MEMBERS} & set(self.models):
            try:
                pool_members(deep=True)
            except MissingExtraError as error:
                message = f"the pool {self.version} can't be made: {error}"
                raise UnavailablePoolError(message) from error


def configured_pool(*, deep: bool, without: Sequence[str] = ()) -> PoolDefinition:
    """Return the pool that settings ask for.

    Args:
        deep: Whether the deep models are in it.
        without: Names of models to leave out, see `left_out`.

    Raises:
        MissingExtraError: deep models are asked for and their packages are missing.
    """
    names = (member.name for member in pool_members(deep=deep))
    return PoolDefinition(tuple(name for name in names if name not in without))


def left_out(words: str) -> tuple[str, ...]:
    """Return the models that words (separated by commas) leave out of the pool.

    Raises:
        ValueError: there is no such model, or it is the yardstick that stays.
    """
    able = [one.name for one in (*MEMBERS, *DEEP_MEMBERS) if one.name != YARDSTICK]
    chosen = tuple(word.strip() for word in words.split(",") if word.strip())
    for name in chosen:
        if name not in able:
            message = f"{name!r} can't be left out of the forecasts: these can: {', '.join(able)}"
            raise ValueError(message)
    return chosen
