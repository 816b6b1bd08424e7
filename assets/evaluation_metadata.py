"""What an evaluation reports of itself in the Dagster UI."""

from collections.abc import Sequence

import dagster as dg

from pipelines.evaluation.evaluation import ScenarioResult
from pipelines.evaluation.verdicts import compliance
from resources.evaluation_requests import Evaluation


def verdicts_metadata(results: Sequence[ScenarioResult]) -> dict[str, dg.MetadataValue]:
    """Return the verdict of each scenario as a table, and how many signals were judged."""
    lines = [
        f"| {one.scenario.name} | {compliance(one.verdict, one.checks).value} | {one.notes} |"
        for one in results
    ]
    head = ["| scenario | limits | what it shows |", "| --- | --- | --- |"]
    judged = max((one.rows.height for one in results), default=0)
    return {
        "verdicts": dg.MetadataValue.md("\n".join([*head, *lines])),
        "signals_judged": dg.MetadataValue.int(judged),
    }


def requests_metadata(made: Evaluation) -> dict[str, dg.MetadataValue]:
    """Return how many requests of users were met, and why others were not."""
    asked = [*made.of_scenarios, *made.of_runs]
    refused = [f"{one.scenario_name}: {one.reason}" for one in asked if one.reason]
    return {
        "scenarios_of_users": dg.MetadataValue.int(len(made.of_scenarios)),
        "runs_answered": dg.MetadataValue.int(len(made.of_runs)),
        "requests_not_met": dg.MetadataValue.text("\n".join(refused) or "none"),
    }
