"""The features of `calendar_features`: where in the week, the month and the year a session lies.

All are known before the session, and the same for all symbols but for the days since their last
one.
"""

from pipelines.features.groups import Feature, FeatureGroup
from pipelines.features.language import (
    day_number,
    days_left_in_month,
    delta,
    larger,
    month,
    month_day,
    third_friday,
    weekday,
    where,
)

_YES_OR_NO = "1 or 0"
_TURN = 3
"""Days on either side of the turn of the month."""

_is_month_of_quarter_end = (month - 3) * (month - 6) * (month - 9) * (month - 12)

CALENDAR_EFFECTS = FeatureGroup(
    name="calendar_features",
    description="Where in the week, the month and the year a session lies.",
    features=(
        Feature(
            name="weekday",
            expression=weekday + 0,
            unit="day",
            description="Day of the week, 1 Monday to 5 Friday.",
            source="French (1980), Stock Returns and the Weekend Effect",
            bounds=(1, 7),
        ),
        Feature(
            name="month",
            expression=month + 0,
            unit="month",
            description="Month of the year.",
            source="Bouman and Jacobsen (2002), The Halloween Indicator",
            bounds=(1, 12),
        ),
        Feature(
            name="day_of_month",
            expression=month_day + 0,
            unit="day",
            description="Day of the month.",
            source="Ariel (1987), A Monthly Effect in Stock Returns",
            bounds=(1, 31),
        ),
        Feature(
            name="days_to_month_end",
            expression=days_left_in_month + 0,
            unit="calendar days",
            description="Calendar days until the last one of the month.",
            source="Ariel (1987), A Monthly Effect in Stock Returns",
            bounds=(0, 30),
        ),
        Feature(
            name="is_turn_of_month",
            expression=larger(month_day <= _TURN, days_left_in_month <= _TURN),
            unit=_YES_OR_NO,
            description="Whether the session is among the first or last days of a month.",
            source="Lakonishok and Smidt (1988), Are Seasonal Anomalies Real?",
            bounds=(0, 1),
        ),
        Feature(
            name="is_quarter_end",
            expression=where(abs(_is_month_of_quarter_end) <= 0, days_left_in_month <= _TURN, 0),
            unit=_YES_OR_NO,
            description="Whether the session is among the last days of a quarter.",
            source="Carhart, Kaniel, Musto and Reed (2002), Leaning for the Tape",
            bounds=(0, 1),
        ),
        Feature(
            name="is_january",
            expression=month <= 1,
            unit=_YES_OR_NO,
            description="Whether the month is January.",
            source="Rozeff and Kinney (1976), Capital Market Seasonality",
            bounds=(0, 1),
        ),
        Feature(
            name="days_to_expiration",
            expression=third_friday - month_day,
            unit="calendar days",
            description="Days until the month's options expire; negative when they have.",
            source="Stoll and Whaley (1987), Program Trading and Expiration-Day Effects",
            bounds=(-16, 20),
        ),
        Feature(
            name="days_since_last_session",
            expression=delta(day_number, 1),
            unit="calendar days",
            description="Days since the symbol's session before: 1, 3 after a weekend, or more.",
            source="French and Roll (1986), Stock Return Variances",
            bounds=(1, None),
        ),
    ),
)
