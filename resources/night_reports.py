"""Night reports as files: one HTML page a night, under the state folder."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.documents.pipeline_run import PipelineRun
from pipelines.documents.portfolio_forecast import PortfolioForecast
from pipelines.documents.quality_summary import DataQualitySummary
from pipelines.documents.quarantined_price import QuarantinedPrice
from pipelines.documents.regime import MarketRegime
from pipelines.documents.signal import MLSignal
from pipelines.documents.track_record import ModelTrackRecord
from pipelines.lifecycle.night_report import NightDocuments, report_page
from pipelines.nights import Night
from resources.market import Market
from resources.serving import Serving


class NightReports(dg.ConfigurableResource[Any]):
    """Writes the report of a night from what stands in MongoDB."""

    market: dg.ResourceDependency[Market]
    folder: str = Field(description="Where the pages are kept, in a folder for each market.")

    def write(self, night: Night, *, serving: Serving) -> Path:
        """Write the page of a night and return where it is.

        Raises:
            ServingUnavailableError: no server answers; repeating may help.
        """
        path = Path(self.folder) / night.market / f"{night.session}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(report_page(self._documents(night, serving)), encoding="utf-8")
        return path

    def _documents(self, night: Night, serving: Serving) -> NightDocuments:
        """Read what a night published."""
        of_night = {"night_id": night.night_id}
        before = self.market.calendar.previous(night.session)
        with serving.connect() as database:

            def found(model: Any, asked: Mapping[str, object], *order: str) -> list[dict[str, Any]]:
                rows = database[model.collection].find(dict(asked))
                return list(rows.sort([(name, 1) for name in (*order, "_id")]))

            summaries = found(DataQualitySummary, of_night)
            (manifest,) = found(PipelineRun, of_night)
            return NightDocuments(
                manifest=manifest,
                signals=found(MLSignal, of_night, "symbol"),
                former=found(
                    MLSignal, {"session": before.isoformat(), "market": night.market}, "symbol"
                ),
                regimes=found(MarketRegime, of_night, "symbol"),
                forecasts=found(PortfolioForecast, of_night, "portfolio_id", "horizon_days"),
                quality=summaries[0] if summaries else None,
                reviews=found(
                    QuarantinedPrice,
                    {
                        "is_withheld": True,
                        "resolved_at": None,
                        "date": {"$lte": datetime.combine(night.session, datetime.max.time())},
                    },
                    *("date", "symbol"),
                ),
                records=found(
                    ModelTrackRecord, {**of_night, "model_name": {"$in": ["signal", "forecast"]}}
                ),
            )
