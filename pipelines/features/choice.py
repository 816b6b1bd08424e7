"""Which groups of features a night computes beside those that the signals learn from."""

from pipelines.features.alpha158.groups import ALPHA158_GROUPS
from pipelines.features.catalogue import CORE_GROUPS, GROUPS, SIGNAL_GROUPS
from pipelines.features.groups import FeatureGroup
from pipelines.features.regimes import REGIME_GROUPS

OPTIONAL_GROUPS = tuple(group for group in GROUPS if group not in SIGNAL_GROUPS)

_WORDS = {
    "all": GROUPS,
    "core": CORE_GROUPS,
    "alpha158": ALPHA158_GROUPS,
    "regimes": REGIME_GROUPS,
    **{group.name: (group,) for group in GROUPS},
}


def chosen_groups(text: str) -> tuple[FeatureGroup, ...]:
    """Return the groups that a list of words asks for, the signals' own always among them.

    Args:
        text: Names of groups with commas between; `core`, `alpha158`, `regimes` and `all` stand for
            several.

    Raises:
        ValueError: a word is no group.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in _WORDS]
    if unknown:
        message = f"no group of features named {', '.join(unknown)}: choose of {', '.join(_WORDS)}"
        raise ValueError(message)
    asked = {group.name for word in words for group in _WORDS[word]}
    return tuple(group for group in GROUPS if group in SIGNAL_GROUPS or group.name in asked)
