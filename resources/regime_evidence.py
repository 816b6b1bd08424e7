"""Why each regime model was taken, in MLflow: a run for each training that made fits."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.nights import Night
from pipelines.regimes.fits import RegimeFit
from pipelines.regimes.settings import RegimeSettings
from resources.mlflow_session import connected, experiment_id
from resources.registry_records import record_runs

EXPERIMENT = "regimes"
METRICS_AT_ONCE = 1000
"""MLflow takes no more in a batch."""


class RegimeEvidence(dg.ConfigurableResource[Any]):
    """The MLflow that keeps what regime models were chosen by."""

    tracking_uri: str = Field(description="Tracking store: sqlite:///… or a server.")
    artifact_location: str = Field(description="Folder or URI for the files of the runs.")

    def log(
        self,
        fits: Sequence[RegimeFit],
        *,
        night: Night,
        settings: RegimeSettings,
        pictures: dict[str, bytes],
    ) -> str | None:
        """Write a run about new fits and return its id; None where there are none.

        A fit's year is the step of its figures; each candidate's are metrics of its name.
        """
        if not fits:
            return None
        with connected(self.tracking_uri, model=None) as client:
            import mlflow

            experiment = experiment_id(client, EXPERIMENT, artifact_location=self.artifact_location)
            tags = {"market": night.market, "night_id": night.night_id, "recipe": settings.recipe}
            name = f"{night.market} from {fits[0].applies_from} to {fits[-1].applies_from}"
            with mlflow.start_run(experiment_id=experiment, run_name=name, tags=tags) as run:
                mlflow.log_params(
                    {
                        "series": fits[-1].series,
                        "candidate": fits[-1].model.candidate.name,
                        "warm_up_sessions": settings.warm_up_sessions,
                        "stickiness": settings.stickiness,
                        "margin": settings.margin,
                        "dwell_sessions": settings.dwell_sessions,
                    }
                )
                run_id = str(run.info.run_id)
                metrics = _metrics(fits)
                for first in range(0, len(metrics), METRICS_AT_ONCE):
                    client.log_batch(run_id, metrics=metrics[first : first + METRICS_AT_ONCE])
                _log_files(client, run_id, fits, pictures)
            record_runs(client, [run_id])
        return run_id


def _metrics(fits: Sequence[RegimeFit]) -> list[Any]:
    """Return the figures of every candidate at every fit."""
    from mlflow.entities import Metric

    return [
        Metric(f"{_metric_name(standing.name)}.{figure}", value, 0, fit.applies_from.year)
        for fit in fits
        for standing in fit.ranked
        for figure, value in (
            ("log_score", standing.score),
            ("behind", standing.behind),
            ("switches_per_year", standing.switches_per_year),
            ("agreement", standing.agreement),
        )
    ]


def _metric_name(candidate: str) -> str:
    """Return a candidate's name without what MLflow refuses in names."""
    return candidate.translate({ord("("): "of ", ord(")"): None, ord(","): None})


def _log_files(
    client: Any, run_id: str, fits: Sequence[RegimeFit], pictures: dict[str, bytes]
) -> None:
    """Keep the fits as JSON, and pictures."""
    with TemporaryDirectory() as folder:
        bodies = Path(folder) / "fits"
        bodies.mkdir()
        for fit in fits:
            body = json.dumps(fit.to_document(), allow_nan=False)
            (bodies / f"{fit.applies_from}.json").write_text(body)
        client.log_artifacts(run_id, str(bodies), "fits")
        for name, picture in pictures.items():
            path = Path(folder) / f"{name}.png"
            path.write_bytes(picture)
            client.log_artifact(run_id, str(path), "plots")
