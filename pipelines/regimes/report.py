"""Fits and their choice as tables for people."""

from collections.abc import Sequence

import polars as pl

from pipelines.regimes.fits import RegimeFit
from pipelines.regimes.names import NAMES
from pipelines.regimes.naming import state_moments


def regime_shares(history: pl.DataFrame) -> dict[str, float]:
    """Return the share of sessions in each regime."""
    regimes = history["regime"].to_list()
    return {name.value: regimes.count(name.value) / max(1, len(regimes)) for name in NAMES}


def states_in_words(fit: RegimeFit) -> str:
    """Return the states of a fit: name, drift and volatility a year."""
    return ", ".join(
        f"{name.value} ({moments.drift:+.0%}, {moments.volatility:.0%})"
        for moments, name in zip(state_moments(fit.model), fit.naming.names, strict=True)
    )


def fits_table(fits: Sequence[RegimeFit]) -> str:
    """Return fits as a table of Markdown, the newest first."""
    head = [
        "| from | model | states (drift, volatility a year) | renamed |",
        "| --- | --- | --- | ---: |",
    ]
    return "\n".join(
        head
        + [
            f"| {fit.applies_from} | {fit.model.candidate.name} | {states_in_words(fit)} "
            f"| {len(fit.naming.renamings)} |"
            for fit in sorted(fits, key=lambda fit: fit.applies_from, reverse=True)
        ]
    )


def candidates_table(fit: RegimeFit) -> str:
    """Return the candidates that a fit was chosen from as a table of Markdown."""
    head = [
        "| candidate | nats a session | behind | its error | switches a year | agreement |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    ranked = [
        f"| {'**' if one is fit.standing else ''}{one.name}{'**' if one is fit.standing else ''} "
        f"| {one.score:.4f} | {one.behind:.4f} | {one.error:.4f} | {one.switches_per_year:.1f} "
        f"| {one.agreement:.0%} |"
        for one in fit.ranked
    ]
    refused = [f"| {name} | – | {reason} | | | |" for name, reason in fit.refused.items()]
    return "\n".join([*head, *ranked, *refused])
