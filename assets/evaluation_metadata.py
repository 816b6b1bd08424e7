"""What an evaluation reports of itself in the Dagster UI."""

from collections.abc import Sequence

import dagster as dg

from pipelines.evaluation.evaluation import ScenarioResult
from pipelines.evaluation.verdicts import compliance


def verdicts_metadata(results: Sequence[ScenarioResult]) -> dict[str, dg.MetadataValue]:
    """Return the verdict of each scenario as a table, and how many signals were judged."""
    lines = [
        f"| {one.scenario.name} | {compliance(one.verdict, one.checks).value} | {one.notes} |"
        for one in results
    ]
    head = ["| scenario | limits | what it shows |", "| --- | --- | --- |"]
    return {
        "verdicts": dg.MetadataValue.md("\n".join([*head, *lines])),
        "signals_judged": dg.MetadataValue.int(max(one.rows.height for one in results)),
    }
