"""Benchmarks: each prints a table of what was measured; none is a timed test."""
