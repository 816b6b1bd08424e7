"""The evaluation harness: replayed scenarios, baselines, and verdicts against a person's limits."""
