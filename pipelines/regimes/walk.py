"""The fits of a market's life: one a year, each made of sessions before it alone.

A fit applies from the first session of a calendar year, the first one as soon as there is enough
history. Before it is made, every candidate is judged on the sessions since the last cut, by a fit
that ended at the cut. Fits are kept for good: a walk only ever adds to those that are there.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from pipelines.regimes.canaries import regime_canaries
from pipelines.regimes.fits import RegimeFit, promoted
from pipelines.regimes.fitting import Fit, fit_candidate
from pipelines.regimes.market_filter import FilteredMarket, filter_market
from pipelines.regimes.naming import Naming, name_states
from pipelines.regimes.promotion import Contender, HeldOutComparison, compare_fits, decide
from pipelines.regimes.selection import HeldOutBlock, Standing, choose, standings
from pipelines.regimes.series import MarketSeries, best_series, returns_matrix
from pipelines.regimes.settings import BASELINE, Candidate, RegimeSettings
from pipelines.regimes.states import UnusableFitError
from pipelines.regimes.symbols import MarketPast, SymbolLevel, fit_symbol_level

SYMBOL_SESSIONS = 504
"""Sessions of symbols' returns that their level is fitted on."""

Progress = Callable[[str], None]


def fit_starts(sessions: Sequence[date], settings: RegimeSettings) -> list[date]:
    """Return the sessions from which fits apply: the first possible one, and each year's first."""
    possible = sessions[settings.fewest_sessions :]
    befores = [None, *possible[:-1]] if possible else []
    return [
        session
        for before, session in zip(befores, possible, strict=True)
        if before is None or before.year != session.year
    ]


def walk_forward(
    series: Sequence[MarketSeries],
    symbol_returns: pl.DataFrame,
    *,
    known: Sequence[RegimeFit],
    settings: RegimeSettings,
    progress: Progress,
) -> Iterator[RegimeFit]:
    """Make the fits that are missing, oldest first.

    Args:
        series: What may stand for the market, the best first, over the same sessions.
        symbol_returns: symbol, session and log_return of some symbols.
        known: Fits that are there already, oldest first.
        settings: How to fit and choose.
        progress: Told of each fit.
    """
    from threadpoolctl import threadpool_limits

    sessions = series[0].sessions
    starts = fit_starts(sessions, settings)
    made = [fit for fit in known if fit.applies_from in starts]
    walks = {one.name: _Walk(one, settings) for one in series}
    for number, applies_from in enumerate(starts):
        if made and applies_from <= made[-1].applies_from:
            continue
        end = sessions.index(applies_from)
        walk = walks[best_series(series, end, settings).name]
        cuts = [sessions.index(start) for start in starts[max(0, number - 2) : number]]
        try:
            # Two threads for matrices of three columns wait for one another: 30 times slower on a
            # busy machine.
            with threadpool_limits(limits=1):
                fit = walk.fit(
                    end, cuts=cuts, former=made, walks=walks, symbol_returns=symbol_returns
                )
        except UnusableFitError as error:
            progress(f"no fit for sessions from {applies_from}: {error}")
            continue
        made.append(fit)
        progress(
            f"from {applies_from}: {fit.model.candidate.name}, {fit.standing.score:.4f} nats a "
            f"session, {fit.standing.switches_per_year:.1f} switches a year, "
            f"states renamed: {len(fit.naming.renamings)}; {fit.verdict}"
        )
        yield fit


@dataclass
class _Walk:
    """Fits on one series; each is made once."""

    series: MarketSeries
    settings: RegimeSettings
    fits: dict[tuple[str, int], Fit] = field(default_factory=dict)
    refused: dict[tuple[str, int], str] = field(default_factory=dict)

    def fit(
        self,
        end: int,
        *,
        cuts: Sequence[int],
        former: Sequence[RegimeFit],
        walks: Mapping[str, "_Walk"],
        symbol_returns: pl.DataFrame,
    ) -> RegimeFit:
        """Judge the candidates, choose one, and fit it on all sessions before `end`.

        Raises:
            UnusableFitError: not even one state can be fitted.
        """
        cut = cuts[-1] if cuts else end * 2 // 3
        earlier = cuts[-2] if len(cuts) > 1 else None
        held_out = self._held_out(cut, end, earlier)
        ranked = standings([*(one.held_out for one in former), held_out])
        reigning = promoted(former)
        previous = reigning[-1] if reigning else None
        chosen = self._chosen(ranked, end, previous)
        naming = self._named(chosen, end, previous, walks)
        return RegimeFit(
            applies_from=self.series.sessions[end],
            recipe=self.settings.recipe,
            series=self.series.name,
            model=chosen.model,
            naming=naming,
            level=self._level(chosen, naming, end, symbol_returns),
            held_out=held_out,
            ranked=tuple(ranked),
            refused={
                name: reason for (name, at), reason in self.refused.items() if at in (cut, end)
            },
            decision=decide(
                regime_canaries(chosen.model, self._window(end), self.settings),
                self._challenge(chosen.model.candidate, previous, cut, end),
                champion=previous.applies_from if previous else None,
            ),
            data_hash=_hash_of(self._window(end)),
        )

    def seen_by(self, fit: Fit, first: int, end: int) -> FilteredMarket:
        """Return what a fit makes of sessions, named by the rule alone."""
        names = name_states(fit.model).names
        return filter_market(fit.model, names, self.series.panel[first:end], self.settings)

    def _held_out(self, cut: int, end: int, earlier: int | None) -> dict[str, HeldOutBlock]:
        """Return how each usable candidate did on the sessions from the cut on."""
        first = max(0, cut - self.settings.warm_up_sessions)
        blocks = {}
        for candidate in self.settings.candidates:
            fit = self._at(candidate, cut)
            before = self._at(candidate, earlier) if earlier else None
            if fit is not None:
                blocks[candidate.name] = HeldOutBlock.of(
                    self.seen_by(fit, first, end),
                    cut - first,
                    self.seen_by(before, first, end) if before else None,
                )
        if BASELINE.name not in blocks:
            raise UnusableFitError(self.refused[BASELINE.name, cut])
        return blocks

    def _challenge(
        self, candidate: Candidate, reigning: RegimeFit | None, cut: int, end: int
    ) -> HeldOutComparison | None:
        """Return a candidate's fit of the cut beside the reigning one, on the sessions since.

        None where no fit reigns, where it sees the market by another series, or where the
        candidate had no fit then.
        """
        fit = self._at(candidate, cut)
        if reigning is None or fit is None or reigning.series != self.series.name:
            return None
        first = max(0, cut - self.settings.warm_up_sessions)
        panel = self.series.panel[first:end]
        champion, challenger = (
            Contender(
                model,
                filter_market(model, name_states(model).names, panel, self.settings),
                cut - first,
            )
            for model in (reigning.model, fit.model)
        )
        returns = self.series.panel[cut:end]["market_return"].fill_null(np.nan).to_numpy()
        return compare_fits(champion, challenger, returns)

    def _window(self, end: int) -> pl.DataFrame:
        """Return the sessions that a fit before an ordinal is made of."""
        return self.series.panel[max(0, end - self.settings.most_sessions) : end]

    def _chosen(self, ranked: Sequence[Standing], end: int, previous: RegimeFit | None) -> Fit:
        """Return the fit of the best candidate that can be fitted on all sessions."""
        by_name = {candidate.name: candidate for candidate in self.settings.candidates}
        left = [one for one in ranked if one.name in by_name]
        while left:
            standing = choose(left, standing=previous.model.candidate.name if previous else None)
            fit = self._at(by_name[standing.name], end)
            if fit is not None:
                return fit
            left.remove(standing)
        raise UnusableFitError(self.refused[BASELINE.name, end])

    def _at(self, candidate: Candidate, end: int) -> Fit | None:
        """Return a candidate's fit on sessions before an ordinal; None where there is none."""
        key = (candidate.name, end)
        if key not in self.fits and key not in self.refused:
            befores = [at for name, at in self.fits if name == candidate.name and at < end]
            previous = self.fits[candidate.name, max(befores)].states if befores else None
            window = self._window(end)
            try:
                self.fits[key] = fit_candidate(
                    window, candidate, settings=self.settings, previous=previous
                )
            except UnusableFitError as error:
                self.refused[key] = str(error)
        return self.fits.get(key)

    def _named(
        self, fit: Fit, end: int, previous: RegimeFit | None, walks: Mapping[str, "_Walk"]
    ) -> Naming:
        """Name the states of a fit after those of the previous one."""
        if previous is None or previous.series not in walks:
            return name_states(fit.model)
        window = slice(max(0, end - self.settings.most_sessions), end)
        names = name_states(fit.model).names
        now, then = (
            filter_market(model, called, panel[window], self.settings).posterior
            for model, called, panel in (
                (fit.model, names, self.series.panel),
                (previous.model, previous.naming.names, walks[previous.series].series.panel),
            )
        )
        return name_states(fit.model, former=previous.naming.names, shared=now.T @ then)

    def _level(
        self, fit: Fit, naming: Naming, end: int, symbol_returns: pl.DataFrame
    ) -> SymbolLevel:
        """Return how symbols relate to the market in the last sessions of a fit."""
        window = self.series.panel[max(0, end - SYMBOL_SESSIONS) : end]
        seen = filter_market(fit.model, naming.names, window, self.settings)
        market = MarketPast(
            window["market_return"].fill_null(float("nan")).to_numpy(), seen.posterior
        )
        symbols = symbol_returns["symbol"].unique().sort().to_list()
        returns = returns_matrix(symbol_returns, seen.sessions, symbols=symbols)
        return fit_symbol_level(fit.model, market, returns)


def _hash_of(panel: pl.DataFrame) -> str:
    """Return the SHA-256 of sessions and their columns, to the bit."""
    digest = hashlib.sha256(repr([*panel.columns, *panel["session"].to_list()]).encode())
    for name in panel.columns[1:]:
        digest.update(panel[name].cast(pl.Float64).fill_null(float("nan")).to_numpy().tobytes())
    return digest.hexdigest()
