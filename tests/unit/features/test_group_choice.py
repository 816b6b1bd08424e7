"""Which groups of features a night computes."""

import pytest

from pipelines.features.alpha158.groups import ALPHA158_GROUPS
from pipelines.features.catalogue import CORE_GROUPS, GROUPS, SIGNAL_GROUPS
from pipelines.features.choice import chosen_groups
from pipelines.features.regimes import REGIME_GROUPS


@pytest.mark.parametrize(
    ("words", "groups"),
    [
        ("", SIGNAL_GROUPS),
        ("core", CORE_GROUPS),
        ("all", GROUPS),
        ("alpha158", (*SIGNAL_GROUPS, *ALPHA158_GROUPS)),
        ("regimes", (*SIGNAL_GROUPS, *REGIME_GROUPS)),
        ("alpha158_bars , core", (*CORE_GROUPS, ALPHA158_GROUPS[0])),
    ],
)
def test_words_stand_for_groups_in_the_order_of_the_catalogue(
    words: str, groups: tuple[object, ...]
) -> None:
    """A night would leave out what its models read, or compute what nobody asked for."""
    assert chosen_groups(words) == groups


def test_a_word_that_is_no_group_is_refused() -> None:
    """A misspelt group would be missing every night, in silence."""
    with pytest.raises(
        ValueError, match="no group of features named alpha185: choose of all, core"
    ):
        chosen_groups("core, alpha185")
