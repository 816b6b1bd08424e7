"""Value types of published documents: what a number, an instant or a symbol must be.

MongoDB keeps milliseconds, and two threads may sum to different last digits, so values are cut to
what reads back equal and comes out equal when a night is replayed.
"""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

SIGNIFICANT_DIGITS = 10
MICROSECONDS_PER_MILLISECOND = 1000
LARGEST_MONGO_INTEGER = 2**63 - 1

_STORED_AS_THEY_ARE = frozenset({str, float, int, bool, datetime, type(None)})


def round_significant(value: float, digits: int = SIGNIFICANT_DIGITS) -> float:
    """Round to a number of significant digits; minus zero becomes zero.

    Raises:
        ValueError: the number is not finite, before or after rounding.
    """
    rounded = float(f"{value:.{digits - 1}e}") + 0.0
    if not math.isfinite(rounded):
        message = (
            f"{value} is not a finite number: documents hold finite numbers only, "
            "publish null where nothing is known"
        )
        raise ValueError(message)
    return rounded


def cut_to_milliseconds(instant: datetime) -> datetime:
    """Return the instant in UTC, cut to the whole milliseconds that MongoDB keeps.

    Raises:
        ValueError: the instant has no time zone.
    """
    if instant.tzinfo is None:
        message = f"{instant.isoformat()} has no time zone: hand over instants in UTC"
        raise ValueError(message)
    utc = instant.astimezone(UTC)
    excess = utc.microsecond % MICROSECONDS_PER_MILLISECOND
    return utc.replace(microsecond=utc.microsecond - excess)


def midnight_of(session: date) -> datetime:
    """Return the instant that stands for a session in the backend's prices: its midnight in UTC."""
    return datetime.combine(session, time.min, tzinfo=UTC)


def to_mongo_value(value: object) -> object:
    """Return a value as MongoDB stores it: dates as ISO text, tuples as arrays, models as maps."""
    if type(value) in _STORED_AS_THEY_ARE:  # nearly every value is one of these
        return value
    if isinstance(value, BaseModel):
        return {name: to_mongo_value(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {name: to_mongo_value(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_mongo_value(entry) for entry in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    message = f"{value!r} ({type(value).__name__}) cannot be part of a published document"
    raise TypeError(message)


def _require_midnight(instant: datetime) -> datetime:
    """Refuse an instant that is not the midnight which stands for a session."""
    if instant.time() != time.min:
        message = f"{instant.isoformat()} is not midnight UTC: a price's date is its session"
        raise ValueError(message)
    return instant


# The outer rule allows NaN in, so that round_significant refuses it with the way out.
Number = Annotated[float, Field(allow_inf_nan=True), AfterValidator(round_significant)]
Probability = Annotated[Number, Field(ge=0, le=1)]
Price = Annotated[Number, Field(gt=0)]
Count = Annotated[int, Field(ge=0, le=LARGEST_MONGO_INTEGER)]
Instant = Annotated[datetime, AfterValidator(cut_to_milliseconds)]
SessionInstant = Annotated[Instant, AfterValidator(_require_midnight)]
Symbol = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9.^=/_-]*$", max_length=32)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# A key of a stored map: with a dot or a dollar sign no query could reach it.
MapKey = Annotated[str, Field(pattern=r"^[^.$\x00]+$")]
