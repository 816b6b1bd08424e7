"""The night report: one page for a person, made of what the night published and nothing else."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.documents.portfolio_forecast import FanPoint
from pipelines.forecasts.plots import fan_plot
from pipelines.lifecycle.track_record import ALL_VERSIONS, Basis
from pipelines.pages import rendered
from pipelines.regimes.names import MARKET

Stored = Mapping[str, Any]
"""A document as MongoDB stores it."""

MOST_ROWS = 20
MOST_PORTFOLIOS = 6
FIGURES = {
    "auc": "AUC (0.5 is a coin)",
    "brier_skill": "Brier skill (0 is the base rate)",
    "calibration_slope": "calibration slope (1 is honest)",
    "rank_ic": "rank IC",
    "net_return": "return after costs, a year",
}

BY_REGIME = {
    "auc": "AUC",
    "brier_skill": "Brier skill",
    "calibration_slope": "slope",
    "rank_ic": "rank IC",
    "net_return": "return a year",
    "coverage_90": "within 90 %",
    "crps_gain": "CRPS gain",
}
SIGNAL = "signal"


@dataclass(frozen=True)
class NightDocuments:
    """What a night published.

    Attributes:
        manifest: Of `pipeline_runs`.
        signals: Of `ml_signals`.
        former: The signals of the session before.
        regimes: Of `market_regimes`.
        forecasts: Of `portfolio_forecasts`.
        quality: Of `data_quality_summaries`; None without one.
        reviews: Of `quarantined_prices`, those that wait for a person, of any session.
        records: Of `track_records`: signals and forecasts.
    """

    manifest: Stored
    signals: Sequence[Stored]
    former: Sequence[Stored]
    regimes: Sequence[Stored]
    forecasts: Sequence[Stored]
    quality: Stored | None
    reviews: Sequence[Stored]
    records: Sequence[Stored]


def report_page(night: NightDocuments) -> str:
    """Return the report as one HTML page that needs no other file."""
    kinds = (night.quality or {"anomaly_types": ()})["anomaly_types"]
    return rendered(
        "lifecycle/night_report.html",
        manifest=night.manifest,
        moved=moves(night.signals, night.former),
        abstained=Counter(
            one["abstain_reason"] for one in night.signals if one["abstain_reason"]
        ).most_common(),
        regimes=[one for one in night.regimes if one["symbol"] == MARKET],
        portfolios=_portfolios(night.forecasts),
        record=_record(one for one in night.records if one["basis"] == Basis.PUBLISHED.value),
        by_regime=list(_by_regime(night.records)),
        quality=night.quality,
        kinds=[(one["anomaly_type"], one["severity"], one["count"]) for one in kinds],
        reviews=[
            (one["symbol"], f"{one['date']:%Y-%m-%d}", one["severity"], "; ".join(one["reasons"]))
            for one in night.reviews[:MOST_ROWS]
        ],
        collections=[
            (name, f"{told['documents']:,}")
            for name, told in sorted(night.manifest["collections"].items())
        ],
    )


def moves(signals: Iterable[Stored], former: Iterable[Stored]) -> list[tuple[str, ...]]:
    """Return symbols with an opinion in both nights, those that moved most first, as cells."""
    before = {one["symbol"]: one for one in former if not one["abstain_reason"]}
    both = [one for one in signals if not one["abstain_reason"] and one["symbol"] in before]
    both.sort(
        key=lambda one: (
            -abs(one["probability"] - before[one["symbol"]]["probability"]),
            one["symbol"],
        )
    )
    return [
        (
            one["symbol"],
            f"{one['probability']:.4f}",
            f"{before[one['symbol']]['probability']:.4f}",
            one["recommendation"],
        )
        for one in both[:MOST_ROWS]
    ]


def _portfolios(forecasts: Iterable[Stored]) -> list[Stored]:
    """Return the furthest forecast of each portfolio, with its fan drawn."""
    furthest: dict[str, Stored] = {}
    for one in sorted(forecasts, key=lambda one: (one["portfolio_id"], one["horizon_days"])):
        furthest[one["portfolio_id"]] = one
    return [
        {**one, "picture": _fan(one) if one["fan"] else ""}
        for one in list(furthest.values())[:MOST_PORTFOLIOS]
    ]


def _fan(forecast: Stored) -> str:
    """Return the drawn fan of a forecast, as Base64."""
    past = np.array([forecast["last_portfolio_value"]], dtype=np.float64)
    points = [FanPoint.model_validate(point) for point in forecast["fan"]]
    return b64encode(fan_plot(forecast["name"], past, points)).decode()


def _by_regime(records: Iterable[Stored]) -> Iterator[tuple[str, ...]]:
    """Yield the records of all versions in each regime as cells: signals, then forecasts."""
    for one in sorted(records, key=lambda one: (one["model_name"] != SIGNAL, one["basis"])):
        is_of_models = one["basis"].startswith(Basis.MODEL.value)
        if one["regime"] and one["model_version"] == ALL_VERSIONS and not is_of_models:
            yield (
                one["basis"].removesuffix(f"_in_{one['regime']}").replace("_", " "),
                one["regime"],
                f"{one['rows']:,} of {one['sessions']:,} sessions",
                one["note"] or "; ".join(_words(one)),
            )


def _words(record: Stored) -> Iterator[str]:
    """Yield the figures of a record by regime."""
    held = {**(record["family"] or {}), **{name: record[name] for name in FIGURES}}
    for name, words in BY_REGIME.items():
        if figure := held.get(name):
            yield (
                f"{words} {figure['estimate']:.3f} "
                f"[{figure['low']:.3f},\N{NO-BREAK SPACE}{figure['high']:.3f}]"
            )


def _record(records: Iterable[Stored]) -> list[tuple[str, str, str]]:
    """Return the record with the most outcomes, a row a figure."""
    longest = max(records, key=lambda one: (one["rows"], one["window_sessions"]), default=None)
    if longest is None:
        return []
    rows = [("outcomes", f"{longest['rows']:,}", f"{longest['sessions']:,} sessions")]
    for name, words in FIGURES.items():
        if figure := longest[name]:
            interval = f"{figure['low']:.4f} … {figure['high']:.4f}"
            rows.append((words, f"{figure['estimate']:.4f}", interval))
    return rows
