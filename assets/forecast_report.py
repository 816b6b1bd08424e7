"""What the forecasts report of themselves in the Dagster UI: figures, and three pictures."""

from collections.abc import Mapping
from datetime import date

import dagster as dg
import polars as pl

from assets.reporting import count_by, picture_metadata
from pipelines.forecasts.evaluation import Evaluations
from pipelines.forecasts.pool_promotion import PoolDecision
from pipelines.forecasts.record import HorizonRecord, horizon_record
from pipelines.forecasts.settings import HORIZONS, LONGEST
from pipelines.lifecycle.markdown import checklist_table
from resources.portfolio_forecasting import EvaluationReport, PortfolioForecasting

SHOWN_PORTFOLIOS = 8
"""Of more, the first by their identity are drawn."""


def pool_metadata(
    forecasting: PortfolioForecasting, decision: PoolDecision | None
) -> dict[str, dg.MetadataValue]:
    """Return which pool reigns, which one settings ask for, and what was decided tonight."""
    return {
        "reigning": dg.MetadataValue.text(forecasting.pool().version),
        "configured": dg.MetadataValue.text(forecasting.configured.version),
        "decision": dg.MetadataValue.text(decision.verdict.value if decision else "none was due"),
        "why": dg.MetadataValue.text(decision.reason if decision else "none was due"),
        "checklist": dg.MetadataValue.md(checklist_table(decision.checklist if decision else ())),
    }


def evaluation_metadata(
    report: EvaluationReport, evaluations: Mapping[str, Evaluations]
) -> dict[str, dg.MetadataValue]:
    """Return what was evaluated, and how well bands and value at risk held."""
    from pipelines.forecasts.plots import coverage_plot, exceedance_plot

    shown = dict(list(evaluations.items())[:SHOWN_PORTFOLIOS])
    records = {
        portfolio_id: {horizon: horizon_record(made, horizon) for horizon in HORIZONS}
        for portfolio_id, made in shown.items()
    }
    metadata: dict[str, dg.MetadataValue] = {
        "evaluated": dg.MetadataValue.int(report.origins),
        "fits_made": dg.MetadataValue.int(report.fits),
        "portfolios_left_out": dg.MetadataValue.int(len(report.faults)),
        "last_year": dg.MetadataValue.md(_record_table(records)),
        "coverage_plot": picture_metadata(coverage_plot(records)),
    }
    for portfolio_id, made in list(shown.items())[:1]:
        metadata["exceedance_plot"] = picture_metadata(exceedance_plot(portfolio_id, made))
    return metadata


def forecast_metadata(
    rows: pl.DataFrame, forecasting: PortfolioForecasting, session: date
) -> dict[str, dg.MetadataValue]:
    """Return how many forecasts there are, why some are missing, and one fan as a picture."""
    from pipelines.forecasts.nightly import documents_of
    from pipelines.forecasts.plots import fan_plot

    metadata: dict[str, dg.MetadataValue] = {
        "dagster/partition_row_count": dg.MetadataValue.int(rows.height),
        "abstained": count_by(rows, "abstain_reason"),
    }
    is_shown = (pl.col("session") == session) & (pl.col("horizon_days") == LONGEST)
    for document in documents_of(
        rows.filter(is_shown & pl.col("abstain_reason").is_null()).head(1)
    ):
        past = forecasting.curve(document.portfolio_id, session).values
        picture = fan_plot(document.portfolio_id, past, document.fan)
        metadata["fan_plot"] = picture_metadata(picture)
    return metadata


def _record_table(records: Mapping[str, Mapping[int, HorizonRecord | None]]) -> str:
    """Return coverage and score of each portfolio and horizon as a table."""
    lines = [
        f"| {portfolio_id} | {horizon} | {made.coverage.share:.3f} | {made.coverage.low:.3f} … "
        f"{made.coverage.high:.3f} | {made.coverage.effective:.0f} "
        f"| {made.scores['published'] / made.scores['random_walk']:.4f} |"
        for portfolio_id, by_horizon in records.items()
        for horizon, made in by_horizon.items()
        if made is not None
    ]
    head = [
        "| portfolio | sessions | within 5 to 95 % | 95 % interval | effective origins "
        "| CRPS / random walk |",
        "| --- | ---: | ---: | --- | ---: | ---: |",
    ]
    return "\n".join([*head, *lines]) if lines else "none"
