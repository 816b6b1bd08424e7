"""The market's regimes through time, each session by a fit of its own time."""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from pipelines.regimes.fits import RegimeFit
from pipelines.regimes.market_filter import filter_market
from pipelines.regimes.names import NAMES
from pipelines.regimes.series import MarketSeries
from pipelines.regimes.settings import RegimeSettings


def fit_history(
    fit: RegimeFit,
    series: Sequence[MarketSeries],
    *,
    first: date,
    last: date,
    settings: RegimeSettings,
) -> pl.DataFrame:
    """Return what a fit makes of the market from one session to another.

    The columns are session, market_return, regime, the chance of each name, log_score, and
    is_before, which tells the sessions that the fit was made of.
    """
    chosen = next(one for one in series if one.name == fit.series)
    panel = chosen.panel.filter(pl.col("session").is_between(first, last))
    seen = filter_market(fit.model, fit.naming.names, panel, settings)
    return pl.DataFrame(
        {
            "session": pl.Series(seen.sessions, dtype=pl.Date),
            "market_return": panel["market_return"],
            "regime": [NAMES[label].value for label in seen.labels],
            **{name.value: seen.probabilities[:, number] for number, name in enumerate(NAMES)},
            "log_score": seen.log_scores,
        }
    ).with_columns(is_before=pl.col("session") < fit.applies_from)


def market_history(
    fits: Mapping[date, RegimeFit], series: Sequence[MarketSeries], settings: RegimeSettings
) -> pl.DataFrame:
    """Return the market's regimes from the first fit on, nothing by a fit that saw the session."""
    sessions = series[0].sessions
    starts = sorted(fits)
    ends = [*starts[1:], date.max]
    frames = []
    for applies_from, end in zip(starts, ends, strict=True):
        warm_up = max(0, sessions.index(applies_from) - settings.warm_up_sessions)
        told = fit_history(
            fits[applies_from],
            series,
            first=sessions[warm_up],
            last=sessions[-1],
            settings=settings,
        )
        frames.append(told.filter(~pl.col("is_before"), pl.col("session") < end))
    return pl.concat(frames)
