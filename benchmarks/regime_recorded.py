"""The S&P 500 through its regimes, 1999 to 2018: what was said of years that everyone remembers."""

from datetime import date
from pathlib import Path
from time import process_time

import numpy as np
import polars as pl

from benchmarks.regime_markets import recorded_market, walked
from pipelines.regimes.names import Regime
from pipelines.regimes.plots import ribbon_plot
from pipelines.regimes.report import regime_shares
from pipelines.regimes.settings import RegimeSettings

CRASHES = (
    ("2007-10 to 2009", date(2007, 10, 9)),
    ("2008, after the rally of December", date(2007, 12, 10)),
    ("2011-08", date(2011, 4, 29)),
)
"""Each with the session of the high before it."""
CALM_YEARS = (("2004 to 2006", 2004, 2006), ("2017", 2017, 2017))
FALL = 0.10
WITHIN_SESSIONS = 10
DOWN = {Regime.BEARISH.value, Regime.VOLATILE.value}
UP = (Regime.BULLISH.value, Regime.SIDEWAYS.value)


def print_recorded(*, picture: Path | None) -> None:
    """Print what was said when, each session by a fit of its own time."""
    started = process_time()
    fits, history = walked(recorded_market(), RegimeSettings())
    took = process_time() - started
    print(f"\nS&P 500   {history['session'][0]} to {history['session'][-1]}, out of sample")
    for words, high in CRASHES:
        _print_crash(words, history, high)
    for words, first, last in CALM_YEARS:
        year = pl.col("session").dt.year()
        shares = regime_shares(history.filter(year.is_between(first, last)))
        share = sum(shares[name] for name in UP)
        print(f"  {words:36} bullish or sideways on {share:.1%} of sessions (asked: ≥ 80 %)")
    switches = (history["regime"] != history["regime"].shift(1)).sum() - 1
    renamed = sum(len(fit.naming.renamings) for fit in fits.values())
    print(f"  changes of name a year               {switches / history.height * 252:.1f}")
    print(f"  {len(fits)} fits renamed {renamed} states; all took {took:.1f} s of processor time")
    if picture:
        picture.write_bytes(
            ribbon_plot(history, title="S&P 500, each session by a fit of its time")
        )
        print(f"  ribbon in {picture}")


def _print_crash(words: str, history: pl.DataFrame, high: date) -> None:
    """Print how many sessions after a fall of ten per cent it was called what it was."""
    since = history.filter(pl.col("session") >= high)
    level = np.exp(since["market_return"].to_numpy()[1:].cumsum())
    passed = int((level < 1.0 - FALL).argmax()) + 1
    waited = next(
        number for number, name in enumerate(since["regime"][passed:].to_list()) if name in DOWN
    )
    print(
        f"  {words:36} {since['session'][passed]} falls 10 %: "
        f"{since['regime'][passed + waited]} after {waited} sessions (asked: ≤ {WITHIN_SESSIONS})"
    )
