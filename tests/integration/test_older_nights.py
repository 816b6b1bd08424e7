"""A night run again after newer ones changes nothing: neither documents nor what a record knows."""

from datetime import date

import pytest

from tests.support.desk import Desk

OLDER, NEWER = date(2004, 9, 2), date(2004, 9, 3)


@pytest.mark.slow
def test_a_night_run_again_after_a_newer_one_changes_nothing(trained_desk: Desk) -> None:
    """The registry and the outcomes of signals would go back to what the older night knew."""
    assert trained_desk.run("nightly", OLDER).success
    assert trained_desk.run("nightly", NEWER).success
    before = _documents(trained_desk)
    assert trained_desk.run("nightly", OLDER).success
    after = _documents(trained_desk)
    assert after.keys() == before.keys()
    for name, documents in before.items():
        assert after[name] == documents, name


def _documents(desk: Desk) -> dict[str, list[dict[str, object]]]:
    """Return all that is published, without the names of the runs that did."""
    documents = desk.documents()
    for manifest in documents["pipeline_runs"]:
        del manifest["runs"]
    return documents
