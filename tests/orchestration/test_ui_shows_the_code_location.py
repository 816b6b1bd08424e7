"""What the UI asks the code location for can be sent to it."""

from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._serdes import serialize_value

from definitions import defs


def test_the_code_location_can_be_sent_to_the_ui() -> None:
    """An enum of ours where Dagster wants text loads, runs, and leaves the UI empty."""
    text = serialize_value(RepositorySnap.from_def(defs.get_repository_def()))
    assert '"published_signals"' in text
