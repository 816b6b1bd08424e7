"""Canaries of a regime fit: controls with a known answer, run beside each.

Sessions in a random order have no regimes: whoever foretells them better than the same states
without their dynamics has seen them. One state is no fair measure there, since several make fat
tails, which a random order keeps.
"""

import json
from collections.abc import Callable

import numpy as np
import polars as pl

from pipelines.lifecycle.evidence import Canary, CanaryName
from pipelines.regimes.fitting import fit_candidate
from pipelines.regimes.foretelling import ForetoldReturn
from pipelines.regimes.market_filter import FilteredMarket, filter_market
from pipelines.regimes.model import RegimeModel
from pipelines.regimes.naming import name_states
from pipelines.regimes.settings import MARKET_RETURN, RegimeSettings
from pipelines.regimes.states import UnusableFitError

NOISE_LIMIT = 3.29
"""One-sided 0.05 %: with a fit a year, a false alarm in 2,000 years."""

Filter = Callable[[RegimeModel, pl.DataFrame], FilteredMarket]


def regime_canaries(
    model: RegimeModel,
    panel: pl.DataFrame,
    settings: RegimeSettings,
    *,
    scored: Filter | None = None,
) -> tuple[Canary, ...]:
    """Return what every control says of a fit.

    Args:
        model: The fit.
        panel: The sessions that it was made of.
        settings: How it was made.
        scored: How a model is run; another one in tests of broken filters.
    """

    def filtered(one: RegimeModel, sessions: pl.DataFrame) -> FilteredMarket:
        return filter_market(one, name_states(one).names, sessions, settings)

    run = scored or filtered
    return _shuffled(model, panel, settings, run), _repeat(model, panel, run)


def _shuffled(
    model: RegimeModel, panel: pl.DataFrame, settings: RegimeSettings, run: Filter
) -> Canary:
    """Fit on two thirds of the sessions in a random order, and foretell the rest."""
    name = CanaryName.SHUFFLED_RETURNS
    order = np.random.default_rng(settings.seed).permutation(panel.height)
    mixed = panel[order].with_columns(panel["session"])
    cut = 2 * panel.height // 3
    try:
        fit = fit_candidate(mixed[:cut], model.candidate, settings=settings).model
    except UnusableFitError as error:
        return Canary(name, passed=True, note=f"no regimes found in them: {error}")
    returns = mixed[cut:][MARKET_RETURN].fill_null(np.nan).to_numpy()
    still = ForetoldReturn.of(fit, fit.start)
    gain = run(fit, mixed[cut:]).log_scores - np.array([still.log_score(one) for one in returns])
    gain = gain[np.isfinite(gain)]
    deviation = float(gain.std(ddof=1)) / len(gain) ** 0.5
    z = float(gain.mean()) / deviation if deviation > 1e-12 else 0.0
    note = f"dynamics gain {gain.mean():+.1e} nats a session, {z:+.1f} standard errors"
    return Canary(name, z < NOISE_LIMIT, note)


def _repeat(model: RegimeModel, panel: pl.DataFrame, run: Filter) -> Canary:
    """Run the model twice, the second time as a copy that was stored and read back."""
    stored = RegimeModel.from_document(json.loads(json.dumps(model.to_document())))
    first, second = run(model, panel), run(stored, panel)
    differing = int((first.posterior != second.posterior).any(axis=1).sum())
    note = f"{len(first.sessions)} sessions filtered twice, {differing} differ"
    return Canary(CanaryName.REPEAT, differing == 0, note)
