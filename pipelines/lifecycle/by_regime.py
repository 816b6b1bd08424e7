"""Records by the regime of the market that was published when the predictions were made.

A name of the same live night, told by a filter: a later night that would call the session otherwise
moves no record. Predictions of nights that told no regime count in no regime's record.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import polars as pl

from pipelines.regimes.names import MARKET, NAMES

TOLD_REGIMES_QUERY = f"""
    SELECT session, regime FROM regime_states
    WHERE symbol = '{MARKET}' AND origin = 'live' AND abstain_reason IS NULL
      AND session BETWEEN $since AND $last
    ORDER BY session
"""
"""The market's regime by session, as live nights published it."""

ToldRegimes = Mapping[date, str]
"""The market's published regime by session."""


def in_each_regime(outcomes: pl.DataFrame, told: ToldRegimes) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each regime that was told of a session of the outcomes, with the outcomes of these."""
    known: Iterable[date] = outcomes["session"].unique()
    for name in NAMES:
        sessions = [session for session in known if told.get(session) == name]
        if sessions:
            yield name.value, outcomes.filter(pl.col("session").is_in(sessions))


def basis_in(basis: str, regime: str | None) -> str:
    """Return the basis of a record that counts one regime's sessions alone."""
    return basis if regime is None else f"{basis}_in_{regime}"
