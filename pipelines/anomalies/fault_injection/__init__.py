"""Faults of known kind and position, put into clean bars the way vendors err."""
