"""Regimes: the fits, each night's states of the market and of symbols, and what is told of them."""

import dagster as dg

from assets.groups import Group
from assets.indexes import index_prices
from assets.partitions import sessions_of_run
from assets.published import published_asset
from assets.quality import clean_prices
from assets.regimes_report import (
    decisions_metadata,
    fits_metadata,
    renaming_events,
    states_metadata,
    switch_event,
)
from assets.reporting import publishing_metadata
from assets.tables import table_asset
from pipelines.documents.regime import MarketRegime
from pipelines.regimes.fits import promoted
from pipelines.regimes.scope import regime_scope
from pipelines.regimes.settings import RegimeSettings
from pipelines.regimes.tables import REGIME_CALLS, REGIME_FITS, REGIME_STATES
from pipelines.signals.nightly import rewritable
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.regime_evidence import RegimeEvidence
from resources.regime_fits import fits_behind, keep_fits, make_fits, stored_fits, told_history
from resources.regime_heartbeat import settle_older
from resources.regime_states import tell_regimes
from resources.regime_switches import RegimeSwitches
from resources.serving import Serving
from resources.vendor_archive import VendorArchive
from resources.watchlists import Watchlists


@table_asset(
    REGIME_FITS, Group.TRAINING, deps=[index_prices, clean_prices], kinds={"mlflow", "scikitlearn"}
)
def regime_fits(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    regime_evidence: RegimeEvidence,
) -> dg.MaterializeResult:
    """Models of the market's regimes, one a year, each made of sessions before it alone.

    Hidden Markov models, mixtures and k-means compete by what they foretell of held-out sessions;
    states keep their names from fit to fit where the rule allows. A fit takes the former's place if
    its canaries pass and it foretold a year that neither had seen no worse. None is ever changed.
    """
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    settings = RegimeSettings()
    made = make_fits(lake, night=night, settings=settings, progress=context.log.info)
    fits = stored_fits(lake, settings=settings, as_of=night.as_of)
    fits |= {fit.applies_from: fit for fit in promoted(made)}
    report = fits_metadata(fits, told_history(lake, fits, last=night.session, settings=settings))
    run_id = regime_evidence.log(made, night=night, settings=settings, pictures=report.pictures)
    keep_fits(lake, made, night=night, run_id=run_id)
    for event in renaming_events(made):
        context.log_event(event)
    return dg.MaterializeResult(
        metadata={
            **report.metadata,
            "fits_made": len(made),
            "decisions": decisions_metadata(made),
            "mlflow_run": run_id or "no news",
        }
    )


@table_asset(
    REGIME_STATES,
    Group.REGIMES,
    deps=[index_prices, clean_prices, regime_fits],
    kinds={"numpy"},
    by_session=True,
)
def regime_states(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    vendor_archive: VendorArchive,
    watchlists: Watchlists,
    regime_switches: RegimeSwitches,
) -> dg.MaterializeResult:
    """The regime of the market and of each symbol, filtered: nothing after the session is used."""
    sessions = sessions_of_run(context.run.tags, market)
    tonight = nights.join(sessions)
    fresh = rewritable(tonight, lake.of_sessions(REGIME_STATES, sessions))
    told = tell_regimes(
        lake,
        fresh,
        universe=watchlists.joined_with(market.universe()),
        first_sessions=vendor_archive.first_sessions(),
        settings=RegimeSettings(),
    )
    lake.replace_sessions(REGIME_STATES, told.rows, nights=fresh)
    switches = regime_switches.between(sessions[0], sessions[-1])
    if switches.height:
        context.log_event(switch_event(context.asset_key, switches))
    held = lake.of_sessions(REGIME_STATES, sessions)
    return dg.MaterializeResult(metadata=states_metadata(held, switches, told.market))


@published_asset(
    [regime_states],
    by_session=True,
)
def published_regimes(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights, serving: Serving
) -> dg.MaterializeResult:
    """The regime of the market and of each symbol in `market_regimes`, with its chances."""
    from pipelines.regimes.publishing import regime_documents

    sessions = sessions_of_run(context.run.tags, market)
    tonight = nights.find(sessions)
    states = lake.of_sessions(REGIME_STATES, sessions)
    serving.ensure_indexes([MarketRegime])
    report = serving.reconcile(
        MarketRegime,
        regime_documents(
            states, tonight, fits=fits_behind(lake, sessions), calendar=market.calendar
        ),
        scope=regime_scope(tonight),
        as_of=tonight[-1].as_of,
    )
    settled = settle_older(serving, market=market.name)
    return dg.MaterializeResult(
        metadata={**publishing_metadata(report), "older_given_their_instant_back": settled}
    )


@table_asset(REGIME_CALLS, Group.PUBLISHING, deps=[published_regimes])
def regime_calls(
    context: dg.AssetExecutionContext,
    market: Market,
    nights: Nights,
    regime_switches: RegimeSwitches,
) -> dg.MaterializeResult:
    """Live nights whose sure changes of regime the webhook was told of, each of them once."""
    tonight = nights.find(sessions_of_run(context.run.tags, market))
    calls = regime_switches.tell(tonight)
    if calls.fault:
        context.log.warning(f"changes of {calls.waiting} nights wait to be told: {calls.fault}")
    return dg.MaterializeResult(
        metadata={
            "nights_told": calls.delivered,
            "nights_waiting": calls.waiting,
            "why_they_wait": calls.fault or "none waits",
        }
    )
