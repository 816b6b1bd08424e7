"""Which stored documents a published set replaces."""

from datetime import date

import pytest

from resources.publishing_scope import PublishingScope


def test_no_conditions_mean_the_whole_collection() -> None:
    """Publishing all prices replaces all of them."""
    assert PublishingScope.of({}).query() == {}


def test_days_match_the_text_they_are_stored_as() -> None:
    """A scope by session would otherwise find nothing and delete nothing."""
    scope = PublishingScope.of({"session": date(2013, 3, 1)})
    assert scope.query() == {"session": {"$in": ["2013-03-01"]}}
    scope.require({"session": "2013-03-01"})


def test_a_document_outside_the_scope_is_refused() -> None:
    """It would be written, but never found and never removed again."""
    scope = PublishingScope.of({"symbol": ["AAPL", "IBM"]})
    scope.require({"symbol": "IBM"})
    with pytest.raises(ValueError, match="symbol='MSFT' lies outside"):
        scope.require({"symbol": "MSFT"})
