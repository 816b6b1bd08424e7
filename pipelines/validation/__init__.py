"""How a model is tested: purged walk-forward splits, metrics and their session bootstrap."""
