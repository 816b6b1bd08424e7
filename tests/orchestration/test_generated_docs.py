"""The pages that are made from code say what the code says."""

from pathlib import Path

import pytest

from commands.docs import pages


@pytest.mark.parametrize("path", list(pages()), ids=lambda path: path.name)
def test_a_generated_page_is_up_to_date(path: Path) -> None:
    """A page that lags behind is worse than none: run `make docs`."""
    assert path.read_text(encoding="utf-8") == pages()[path]
