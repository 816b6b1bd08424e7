"""Evaluation reports as files: one HTML page an evaluation, under the state folder."""

from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.documents.benchmark import BenchmarkRun
from pipelines.documents.evaluation_run import EvaluationRun
from pipelines.documents.evaluation_scenario import EvaluationScenario
from pipelines.documents.fairness_report import FairnessReport
from pipelines.evaluation.tables import EVALUATIONS
from pipelines.nights import Night
from resources.lake import Lake


class EvaluationReports(dg.ConfigurableResource[Any]):
    """Writes the report of an evaluation from what the lake keeps of it."""

    folder: str = Field(description="Where the pages are kept, in a folder for each market.")

    def write(self, lake: Lake, night: Night) -> Path:
        """Write the page of a night's evaluation and return where it is."""
        from pipelines.evaluation.entries import documents_of
        from pipelines.evaluation.report import EvaluationDocuments, report_page
        from resources.evaluation_requests import descriptions_of

        held = lake.of_sessions(EVALUATIONS, [night.session])
        page = report_page(
            EvaluationDocuments(
                scenarios=list(documents_of(held, EvaluationScenario)),
                runs=sorted(
                    documents_of(held, EvaluationRun),
                    key=lambda one: (-one.rows, one.scenario_name),
                ),
                benchmark_runs=list(documents_of(held, BenchmarkRun)),
                fairness=list(documents_of(held, FairnessReport)),
                descriptions=descriptions_of(lake, night),
            )
        )
        path = Path(self.folder) / night.market / f"evaluation-{night.session}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
        return path
