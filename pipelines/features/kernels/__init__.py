"""Compiled kernels of the feature language: the fast path; the SQL is the reference."""
