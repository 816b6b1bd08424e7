"""Which sessions a fit is run over for some nights: its own, after a warm-up that is always alike.

A filter begins at the same session however many nights are asked for, so a night alone and a
backfill of years tell the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipelines.nights import Night
from pipelines.regimes.fits import RegimeFit, fit_of
from pipelines.regimes.panel import TREND_SESSIONS
from pipelines.regimes.settings import RegimeSettings


@dataclass(frozen=True, eq=False)
class FitWindow:
    """Sessions that one fit is run over.

    Attributes:
        fit: The fit; None where there is none yet.
        nights: The nights that it tells of, in order.
        sessions: All sessions of the filter, the last night's the last.
        read_from: First session whose bars are needed: columns look back further than the filter.
    """

    fit: RegimeFit | None
    nights: tuple[Night, ...]
    sessions: tuple[date, ...]
    read_from: date


def fit_windows(
    nights: Sequence[Night],
    fits: Mapping[date, RegimeFit],
    sessions: Sequence[date],
    settings: RegimeSettings,
) -> list[FitWindow]:
    """Return the windows of some nights, one for each fit that tells of them.

    Args:
        nights: The nights, in order.
        fits: By the first session that each applies from.
        sessions: The exchange's sessions through the last night's, in order.
        settings: Length of the warm-up.
    """
    grouped: dict[date | None, list[Night]] = {}
    for night in nights:
        fit = fit_of(fits, night.session)
        grouped.setdefault(fit.applies_from if fit else None, []).append(night)
    ordinal = {session: number for number, session in enumerate(sessions)}
    windows = []
    for applies_from, told in grouped.items():
        first = ordinal[applies_from or told[0].session] - settings.warm_up_sessions
        last = ordinal[told[-1].session]
        windows.append(
            FitWindow(
                fit=fits[applies_from] if applies_from else None,
                nights=tuple(told),
                sessions=tuple(sessions[max(0, first) : last + 1]),
                read_from=sessions[max(0, first - TREND_SESSIONS - 1)],
            )
        )
    return windows
