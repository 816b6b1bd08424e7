"""The order in which tests are handed to the processes that run them, and what these may skip."""

import gc

import pytest

ALLOCATIONS_A_COLLECTION = 20_000
"""Python's own 700 have the whole heap walked dozens of times a night, for a few cycles."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests: begun last, one of them would run alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """Keep modules and collected tests, which stay to the end, out of garbage collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_A_COLLECTION)
