"""A body is data, a refusal, or unreadable, before anyone parses it."""

import pytest

from pipelines.vendor.responses import judge_body


@pytest.mark.parametrize(
    ("body", "outcome", "words"),
    [
        ('{"Meta Data": {}}', "data", None),
        ('{"Note": "Our standard API call frequency is 5 calls per minute"}', "burst", "5 calls"),
        ('{"Meta Data": {"1. Inf', "unreadable", "not JSON"),
        ("<!DOCTYPE html><html></html>", "unreadable", "<!DOCTYPE html>"),
        ("", "unreadable", "not JSON"),
        ("[1]", "unreadable", "not a JSON object"),
        ("[" * 200_000, "unreadable", "not JSON"),
    ],
    ids=["data", "refusal", "cut short", "html", "empty", "list", "nested without end"],
)
def test_a_body_is_told_by_its_form(body: str, outcome: str, words: str | None) -> None:
    """What is taken for data here is handed to a parser; what is not never reaches a table."""
    judgement = judge_body(body)
    assert judgement.outcome == outcome
    assert (judgement.message is None) == (words is None)
    assert (words or "") in (judgement.message or "")


def test_a_message_shows_no_more_than_the_start_of_a_body() -> None:
    """A page of HTML in a log line hides the sentence before it."""
    message = judge_body("<html>" + "x" * 10_000).message
    assert message is not None
    assert len(message) < 200
