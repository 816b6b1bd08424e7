"""Qlib, as a benchmark and as the reference of Alpha158: in an environment of its own."""
