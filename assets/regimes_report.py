"""What regimes report of themselves in the Dagster UI: the choice of a model, and two pictures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import dagster as dg
import polars as pl

from assets.reporting import count_by, picture_metadata
from pipelines.regimes.fits import RegimeFit
from pipelines.regimes.names import MARKET
from pipelines.regimes.report import candidates_table, fits_table, regime_shares
from pipelines.regimes.switches import switches_table
from pipelines.regimes.tables import REGIME_FITS

Metadata = dict[str, dg.MetadataValue]


@dataclass(frozen=True)
class FitsReport:
    """Metadata of the fits, and the pictures that MLflow keeps as well."""

    metadata: Metadata
    pictures: dict[str, bytes]


def fits_metadata(fits: Mapping[date, RegimeFit], history: pl.DataFrame | None) -> FitsReport:
    """Return how the newest fit was chosen, all fits, and the market through their time."""
    if not fits or history is None:
        return FitsReport({"fits": dg.MetadataValue.text("none yet: a year is needed")}, {})
    newest = fits[max(fits)]
    pictures = _pictures(history, "Out of sample, each session by a fit of its time")
    shares = ", ".join(f"{name} {share:.0%}" for name, share in regime_shares(history).items())
    return FitsReport(
        {
            "dagster/row_count": dg.MetadataValue.int(len(fits)),
            "newest_fit": dg.MetadataValue.text(str(newest.applies_from)),
            "series": dg.MetadataValue.text(newest.series),
            "fits": dg.MetadataValue.md(fits_table(list(fits.values()))),
            "candidates": dg.MetadataValue.md(candidates_table(newest)),
            "market_sessions": dg.MetadataValue.text(shares),
            **{name: picture_metadata(picture) for name, picture in pictures.items()},
        },
        pictures,
    )


def decisions_metadata(made: Sequence[RegimeFit]) -> dg.MetadataValue:
    """Return whether each new fit took the place of the one before it, and why."""
    lines = [f"- {fit.applies_from}: {fit.verdict}" for fit in made]
    return dg.MetadataValue.md("\n".join(lines) or "no new fit")


def states_metadata(
    held: pl.DataFrame, switches: pl.DataFrame, market: pl.DataFrame | None
) -> Metadata:
    """Return what was told of some sessions, what changed, and the market's last year or two."""
    is_market = pl.col("symbol") == MARKET
    newest = held.filter(is_market).row(-1, named=True)
    told: Metadata = {
        "dagster/partition_row_count": dg.MetadataValue.int(held.height),
        "market": dg.MetadataValue.text(
            newest["abstain_reason"] or f"{newest['regime']} ({newest[newest['regime']]:.0%})"
        ),
        "regimes": count_by(held.filter(pl.col("abstain_reason").is_null()), "regime"),
        "abstained": count_by(held, "abstain_reason"),
        "switches": dg.MetadataValue.int(switches.height),
        "sure_switches": dg.MetadataValue.md(switches_table(switches)),
    }
    if market is None:
        return told
    pictures = _pictures(market, "The market by the newest fit, its warm-up included")
    return told | {name: picture_metadata(picture) for name, picture in pictures.items()}


def switch_event(key: dg.AssetKey, switches: pl.DataFrame) -> dg.AssetObservation:
    """Return the observation that some regimes have changed."""
    return dg.AssetObservation(
        asset_key=key,
        description=f"regimes that changed with confidence: {switches.height}",
        metadata={"sure_switches": dg.MetadataValue.md(switches_table(switches))},
    )


def renaming_events(fits: Sequence[RegimeFit]) -> Iterator[dg.AssetObservation]:
    """Return an observation for each fit that made states something else than they were."""
    for fit in fits:
        if fit.naming.renamings:
            lines = [
                f"state {one.state}: {one.before.value} before, {one.after.value} now"
                for one in fit.naming.renamings
            ]
            yield dg.AssetObservation(
                asset_key=REGIME_FITS.name,
                description=f"states that the fit from {fit.applies_from} renamed: {len(lines)}",
                metadata={"renamed": "; ".join(lines), "applies_from": str(fit.applies_from)},
            )


def _pictures(history: pl.DataFrame, title: str) -> dict[str, bytes]:
    """Return the ribbon and the probabilities as PNG."""
    from pipelines.regimes.plots import probability_plot, ribbon_plot

    return {
        "ribbon_plot": ribbon_plot(history, title=title),
        "probability_plot": probability_plot(history, title=title),
    }
