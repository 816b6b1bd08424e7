"""Evaluations that users ask for: scenarios of theirs, and runs that wait for an answer.

What stands in the backend's documents is somebody else's: it is read, never corrected. A request
that can't be met is answered with the reason.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

import polars as pl
from pydantic import Field, ValidationError
from typing_extensions import override

from pipelines.evaluation.evaluation import ScenarioResult
from pipelines.evaluation.plan import EvaluationPlan, Scenario, Threshold

Document = Mapping[str, object]
MOST_SHOWN = 5
"""Symbols or names that a reason lists."""


class BadRequestError(ValueError):
    """A request can't be met; the message tells the user why."""


@dataclass(frozen=True)
class Requests:
    """What users ask for: their scenarios, and their runs that are pending, as they wrote them."""

    scenarios: tuple[Document, ...] = ()
    runs: tuple[Document, ...] = ()

    def left_to(self, plan: EvaluationPlan) -> EvaluationPlan:
        """Return a plan without scenarios of a name that a user has given: the user's counts."""
        taken = {str(one.get("name")) for one in self.scenarios}
        kept = tuple(one for one in plan.scenarios if one.name not in taken)
        return plan.model_copy(update={"scenarios": kept})


@dataclass(frozen=True)
class KnownMarket:
    """What a scenario may ask for: symbols with bars, and the first and last session of labels."""

    name: str
    symbols: frozenset[str]
    first: date
    last: date

    @classmethod
    def of(cls, name: str, panel: pl.DataFrame, context: pl.DataFrame) -> "KnownMarket":
        """Return what rows of an evaluation know of a market."""
        sessions = panel["session"].sort().to_list()
        return cls(name, frozenset(context["symbol"]), sessions[0], sessions[-1])


class UserScenario(Scenario):
    """A scenario with symbols of its own, or all, and limits of its own, or the plan's."""

    name: Annotated[str, Field(min_length=3)]
    description: str = ""
    symbols: tuple[str, ...] = ()
    thresholds: tuple[Threshold, ...] = ()

    @override
    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of its symbols whose session lies in the scenario."""
        inside = super().of(rows)
        return inside.filter(pl.col("symbol").is_in(self.symbols)) if self.symbols else inside

    def asked_with(self, plan: EvaluationPlan) -> EvaluationPlan:
        """Return a plan with the scenario's own limits, where it has any."""
        return plan.model_copy(update={"thresholds": self.thresholds}) if self.thresholds else plan


@dataclass(frozen=True, eq=False)
class Answer:
    """What a request shows: a result, or the reason why there is none."""

    request: Document
    scenario_name: str
    result: ScenarioResult | None = None
    reason: str | None = None


Judge = Callable[[Scenario, int | None], ScenarioResult]
"""Replays a scenario with the models of their time, or with one version.

Raises:
    BadRequestError: there is no such version.
"""


def user_scenario(document: Document, market: KnownMarket) -> UserScenario:
    """Return the scenario of a user's document.

    Raises:
        BadRequestError: it is none, or asks for what the market has not.
    """
    try:
        asked = UserScenario(
            name=_text(document, "name"),
            description=_text(document, "description"),
            start=_day(document, "start_date"),
            end=_day(document, "end_date"),
            symbols=_symbols(document),
            thresholds=tuple(_thresholds(document)),
        )
    except ValidationError as error:
        raise BadRequestError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
    _require_known(asked, market)
    return asked


def scenario_answers(requests: Requests, market: KnownMarket, judge: Judge) -> list[Answer]:
    """Return what every scenario of users shows."""

    def judged(request: Document) -> ScenarioResult:
        return judge(user_scenario(request, market), None)

    return [_answer(one, str(one.get("name")), judged) for one in requests.scenarios]


def run_answers(
    requests: Requests, plan: EvaluationPlan, market: KnownMarket, judge: Judge
) -> list[Answer]:
    """Return what every pending run shows; its scenario is a user's, or the plan's."""

    def judged(request: Document) -> ScenarioResult:
        asked = _named(str(request.get("scenario_name")), requests, plan, market)
        return judge(asked, _version(request))

    return [_answer(one, str(one.get("scenario_name")), judged) for one in requests.runs]


def _named(name: str, requests: Requests, plan: EvaluationPlan, market: KnownMarket) -> Scenario:
    """Return the scenario of a name.

    Raises:
        BadRequestError: there is none, or it can't be replayed.
    """
    of_users = {str(one.get("name")): one for one in requests.scenarios}
    if name in of_users:
        return user_scenario(of_users[name], market)
    of_plan = {one.name: one for one in plan.scenarios}
    if name not in of_plan:
        known = ", ".join(sorted(of_plan.keys() | of_users.keys()))
        message = f"no scenario is called {name!r}: choose one of {known}"
        raise BadRequestError(message)
    return of_plan[name]


def _answer(request: Document, name: str, judged: Callable[[Document], ScenarioResult]) -> Answer:
    """Return a result, or the reason why there is none."""
    try:
        return Answer(request, name, result=judged(request))
    except BadRequestError as error:
        return Answer(request, name, reason=str(error))


def _require_known(asked: UserScenario, market: KnownMarket) -> None:
    """Refuse symbols and sessions that a market has not.

    Raises:
        BadRequestError: it has not.
    """
    if unknown := sorted(set(asked.symbols) - market.symbols):
        message = (
            f"unknown symbols: {_listed(unknown)}; the market {market.name} has "
            f"{len(market.symbols)}, as {_listed(sorted(market.symbols))}"
        )
        raise BadRequestError(message)
    begins_late = asked.start is not None and asked.start > market.last
    ends_early = asked.end is not None and asked.end < market.first
    if begins_late or ends_early:
        message = (
            f"it lies from {asked.start or 'the first session'} to {asked.end or 'the last'}, "
            f"outside the market {market.name}, whose outcomes are known from {market.first} to "
            f"{market.last}"
        )
        raise BadRequestError(message)


def _text(document: Document, field: str) -> str:
    value = document.get(field)
    if not isinstance(value, str):
        message = f"{field} is {_shown(value)}, no text"
        raise BadRequestError(message)
    return value


def _day(document: Document, field: str) -> date | None:
    """Return the day of an instant; an open end has none."""
    value = document.get(field)
    if value is None:
        return None
    if not isinstance(value, datetime):
        message = f"{field} is {_shown(value)}, no date"
        raise BadRequestError(message)
    return value.astimezone(UTC).date() if value.tzinfo else value.date()


def _symbols(document: Document) -> tuple[str, ...]:
    listed = document.get("symbols") or []
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        message = f"symbols is {_shown(listed)}, no list of symbols"
        raise BadRequestError(message)
    return tuple(sorted({one.strip().upper() for one in listed}))


def _thresholds(document: Document) -> Iterator[Threshold]:
    """Yield the limits; a figure without one is only measured, as all are."""
    listed = document.get("benchmark_metrics") or []
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        message = f"benchmark_metrics is {_shown(listed)}, no list of figures"
        raise BadRequestError(message)
    for one in listed:
        if one.get("threshold") is not None:
            yield Threshold(
                metric=str(one.get("name")),
                limit=one["threshold"],
                higher_is_better=one.get("higher_is_better", True),
            )


def _version(request: Document) -> int | None:
    """Return the version that a run asks for; None: the models of their time."""
    value = request.get("candidate_model_version")
    if value is None or value == "":
        return None
    if not (isinstance(value, str) and value.isdecimal()):
        message = f"candidate_model_version is {_shown(value)}, no number of a version"
        raise BadRequestError(message)
    return int(value)


def _listed(names: list[str]) -> str:
    more = ", …" if len(names) > MOST_SHOWN else ""
    return ", ".join(names[:MOST_SHOWN]) + more


def _shown(value: object) -> str:
    """Return a stranger's value as a message may show it: short, with its type."""
    return f"{repr(value)[:40]} ({type(value).__name__})"
