"""The Basel Committee's traffic light (1996): what a year of exceptions says of a risk model."""

from enum import StrEnum


class Light(StrEnum):
    """The Basel Committee's traffic light."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
