"""What tests of regimes share: one thread for small matrices, as the walk asks for itself."""

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Keep two threads from waiting for one another over matrices of three columns."""
    with threadpool_limits(limits=1):
        yield
