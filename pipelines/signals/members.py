"""The boosters of an ensemble as values that JSON can hold."""

from dataclasses import dataclass

from pipelines.signals.settings import Family


@dataclass(frozen=True)
class Member:
    """One booster: its family, itself as text, and how many trees it has."""

    family: Family
    text: str
    trees: int
