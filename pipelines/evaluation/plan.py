"""What is evaluated, as data: scenarios, and the limits that a person sets.

The plan in `plan.yaml` is the default; a person's own file takes its place whole.
"""

from datetime import date
from importlib.resources import files
from typing import Annotated, Self

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipelines.evaluation.figures import FIGURES


class PlanError(ValueError):
    """The plan can't be used; the message names the place and the rule."""


class PlanPart(BaseModel):
    """A part of the plan as it is written: never changed, no field too many."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Event(PlanPart):
    """What happened in a scenario, from one day to another, both included."""

    label: Annotated[str, Field(min_length=1)]
    start: date
    end: date


class Scenario(PlanPart):
    """Sessions to replay, both ends included; an open end reaches as far as the data do."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{3,64}$")]
    description: Annotated[str, Field(min_length=10)]
    start: date | None = None
    end: date | None = None
    events: tuple[Event, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Refuse a scenario that ends before it begins."""
        if self.start and self.end and self.end < self.start:
            message = f"{self.name} ends on {self.end}, before its start {self.start}"
            raise ValueError(message)
        return self

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows whose session lies in the scenario."""
        inside = pl.lit(value=True)
        if self.start:
            inside &= pl.col("session") >= self.start
        if self.end:
            inside &= pl.col("session") <= self.end
        return rows.filter(inside)


class Threshold(PlanPart):
    """A limit that a figure has to be beyond."""

    metric: str
    limit: float
    higher_is_better: bool = True

    @field_validator("metric")
    @classmethod
    def _is_measured(cls, metric: str) -> str:
        """Refuse a figure that nothing measures: its limit would never be asked."""
        if metric not in FIGURES:
            message = f"no figure is called {metric!r}: choose one of {', '.join(FIGURES)}"
            raise ValueError(message)
        return metric


class Fairness(PlanPart):
    """What a person tolerates between groups of symbols."""

    largest_gap: Annotated[float, Field(gt=0, le=1)] = 0.05


class EvaluationPlan(PlanPart):
    """Everything that an evaluation asks."""

    scenarios: Annotated[tuple[Scenario, ...], Field(min_length=1)]
    thresholds: tuple[Threshold, ...] = ()
    fairness: Fairness = Fairness()

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        """Refuse a name that stands twice: one result would hide the other."""
        names = [one.name for one in self.scenarios]
        metrics = [one.metric for one in self.thresholds]
        for found in (names, metrics):
            if twice := sorted({one for one in found if found.count(one) > 1}):
                message = f"{', '.join(twice)} stands twice: name each once"
                raise ValueError(message)
        return self


def read_plan(text: str, *, source: str) -> EvaluationPlan:
    """Return the plan of a file.

    Args:
        text: The file's content.
        source: The file's name, for messages.

    Raises:
        PlanError: it is no YAML, or no plan.
    """
    try:
        return EvaluationPlan.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        message = f"{source} is no YAML: {error}"
        raise PlanError(message) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        message = f"{source}: {where}: {first['msg']}; correct it after the example plan.yaml"
        raise PlanError(message) from error


def default_plan() -> EvaluationPlan:
    """Return the plan that comes with the desk."""
    name = "plan.yaml"
    text = files("pipelines.evaluation").joinpath(name).read_text(encoding="utf-8")
    return read_plan(text, source=name)
