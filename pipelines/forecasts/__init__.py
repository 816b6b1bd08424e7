"""Portfolio forecasts: a pool of models, weighed and calibrated by what came of earlier ones."""
