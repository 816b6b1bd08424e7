"""How near the desk's regimes come to the filter that knows the market's parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from benchmarks.regime_markets import KnownMarket, walked
from pipelines.regimes.filtering import filtered
from pipelines.regimes.fits import RegimeFit
from pipelines.regimes.fitting import FEWEST_SESSIONS_A_STATE
from pipelines.regimes.history import market_history
from pipelines.regimes.labels import IntArray, settled, switches_per_year
from pipelines.regimes.market_filter import filter_market
from pipelines.regimes.model import FloatArray, long_run
from pipelines.regimes.names import NAMES, SESSIONS_PER_YEAR, Regime
from pipelines.regimes.naming import Moments, name_matrix, rule_name
from pipelines.regimes.settings import RegimeSettings


@dataclass(frozen=True)
class Rates:
    """Share of sessions named right, and changes of name a year, over the judged sessions."""

    accuracy: float
    switches: float


@dataclass(frozen=True)
class Comparison:
    """The desk beside the filter that knows, under the same hysteresis, and that one without.

    `exact_by_rule` knows which state every past session was in, and all parameters for filtering,
    but names states by the desk's rule from ten years of them: more nobody can know who is not
    told the drifts.
    """

    desk: Rates
    desk_by_states: Rates
    exact: Rates
    exact_by_rule: Rates
    exact_without_hysteresis: Rates
    candidate: str


def compare(market: KnownMarket, settings: RegimeSettings, *, judged_from: int) -> Comparison:
    """Walk through a market and judge its sessions from an ordinal on.

    The filter that knows sees returns alone, as the truth defines them; the desk whatever it has.
    """
    fits, history = walked(market.series, settings)
    truth = name_matrix([kind.name for kind in market.kinds]).argmax(axis=1)[market.states]
    ordinals = {name.value: number for number, name in enumerate(NAMES)}
    told = np.array([ordinals[name] for name in history["regime"]])[-len(truth) + judged_from :]
    states = _states(fits, market, settings)[judged_from:]
    posterior = _exact(market)
    chances = posterior @ name_matrix([kind.name for kind in market.kinds])
    by_rule, label = (
        settled(seen, margin=settings.margin, dwell=settings.dwell_sessions)
        for seen in (_named_by_rule(posterior, sorted(fits), market, settings), chances)
    )
    return Comparison(
        desk=_rates(told, truth[judged_from:]),
        desk_by_states=_rates(states, truth[judged_from:]),
        exact=_rates(label[judged_from:], truth[judged_from:]),
        exact_by_rule=_rates(by_rule[judged_from:], truth[judged_from:]),
        exact_without_hysteresis=_rates(chances[judged_from:].argmax(axis=1), truth[judged_from:]),
        candidate=fits[max(fits)].model.candidate.name,
    )


def _states(
    fits: Mapping[date, RegimeFit], market: KnownMarket, settings: RegimeSettings
) -> IntArray:
    """Return the desk's labels, had each fit named its states by the truth of its own sessions.

    Whether the states are found at all is one thing, whether their drift can be told another.
    """
    (series, *_), names = market.series, [kind.name for kind in market.kinds]
    truth = np.eye(len(names))[market.states]
    named = {}
    for start, fit in fits.items():
        end = series.sessions.index(start)
        window = slice(max(0, end - settings.most_sessions), end)
        seen = filter_market(fit.model, fit.naming.names, series.panel[window], settings)
        owner = (seen.posterior.T @ truth[window]).argmax(axis=1)
        naming = replace(fit.naming, names=tuple(names[one] for one in owner))
        named[start] = replace(fit, naming=naming)
    history = market_history(named, market.series, settings)
    ordinals = {name.value: number for number, name in enumerate(NAMES)}
    told = np.array([ordinals[name] for name in history["regime"]])
    return np.append(np.zeros(len(market.states) - len(told), dtype=np.int64), told)


def _exact(market: KnownMarket) -> FloatArray:
    """Return the chances of states by the filter that knows all parameters."""
    returns = _returns(market)
    drift = np.array([kind.drift for kind in market.kinds]) / SESSIONS_PER_YEAR
    volatility = np.array([kind.volatility for kind in market.kinds]) / SESSIONS_PER_YEAR**0.5
    likelihoods = -0.5 * ((returns[:, None] - drift) / volatility) ** 2 - np.log(volatility)
    likelihoods[0] = 0.0  # no return of the first session is known
    _, posterior = filtered(
        likelihoods, start=long_run(market.transition), transition=market.transition
    )
    return posterior


def _named_by_rule(
    posterior: FloatArray, starts: Sequence[date], market: KnownMarket, settings: RegimeSettings
) -> FloatArray:
    """Return the chances of names where each year's are those of the rule for the true states."""
    sessions, returns = market.series[0].sessions, _returns(market)
    chances = np.zeros((len(posterior), len(NAMES)))
    names: list[Regime | None] = [None] * len(market.kinds)
    for start in starts:
        end = sessions.index(start)
        window = slice(max(1, end - settings.most_sessions), end)
        moments = [
            _moments(returns[window][market.states[window] == state])
            for state in range(len(market.kinds))
        ]
        names = [
            rule_name(one, before=before) if one else before
            for one, before in zip(moments, names, strict=True)
        ]
        chances[end:] = posterior[end:] @ name_matrix([name or Regime.SIDEWAYS for name in names])
    return chances


def _moments(returns: FloatArray) -> Moments | None:
    """Return the moments of a state's sessions; None where there are next to none."""
    if len(returns) < FEWEST_SESSIONS_A_STATE:
        return None
    volatility = float(returns.std()) * SESSIONS_PER_YEAR**0.5
    drift = float(returns.mean()) * SESSIONS_PER_YEAR + volatility**2 / 2
    return Moments(drift, volatility, len(returns) / SESSIONS_PER_YEAR)


def _returns(market: KnownMarket) -> FloatArray:
    """Return the market's log returns; the first is not known."""
    return market.series[0].panel["market_return"].fill_null(np.nan).to_numpy()


def _rates(labels: IntArray, truth: IntArray) -> Rates:
    """Return how often labels are right, and how often they change."""
    return Rates(float((labels == truth).mean()), switches_per_year(labels))
