"""Regimes: the state of the market and of each symbol, named, filtered and never smoothed."""
