"""Pictures of the forecasts: tonight's fan, how well bands held, and days that broke through."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipelines.documents.portfolio_forecast import FanPoint
from pipelines.forecasts.evaluation import PUBLISHED, Evaluations
from pipelines.forecasts.quantiles import FloatArray
from pipelines.forecasts.record import HorizonRecord
from pipelines.forecasts.risk import SESSIONS
from pipelines.pictures import new_figure, png_of

SHOWN_SESSIONS = 63
SHADES = (("p01", "p99", 0.12), ("p05", "p95", 0.2), ("p10", "p90", 0.25), ("p25", "p75", 0.35))


def fan_plot(name: str, past: FloatArray, fan: Sequence[FanPoint]) -> bytes:
    """Return a portfolio's last quarter and the fan ahead of it."""
    figure, axes = new_figure(name, "sessions from tonight", "value, $")
    past = past[-SHOWN_SESSIONS:]
    axes.plot(np.arange(1 - len(past), 1), past, color="black", lw=1)
    ahead = np.arange(len(fan) + 1)

    def column(quantile: str) -> list[float]:
        return [float(past[-1]), *(getattr(point, quantile) for point in fan)]

    for low, high, alpha in SHADES:
        axes.fill_between(ahead, column(low), column(high), color="C0", alpha=alpha, lw=0)
    axes.plot(ahead, column("p50"), color="C0", lw=1.5)
    axes.axvline(0, color="grey", lw=0.8, ls=":")
    return png_of(figure)


def coverage_plot(records: Mapping[str, Mapping[int, HorizonRecord | None]]) -> bytes:
    """Return the share of outcomes within the band of 90 %, by portfolio and horizon."""
    figure, axes = new_figure("Last year's coverage of 5 to 95 %", "sessions ahead", "share within")
    horizons = sorted({horizon for by_horizon in records.values() for horizon in by_horizon})
    for number, (portfolio_id, by_horizon) in enumerate(records.items()):
        for place, horizon in enumerate(horizons):
            record = by_horizon.get(horizon)
            if record is None:
                continue
            at = place + 0.6 * (number + 0.5) / len(records) - 0.3
            made = record.coverage
            label = portfolio_id if place == 0 else None
            axes.plot([at, at], [made.low, made.high], color=f"C{number % 10}", lw=1)
            axes.plot(at, made.share, "o", color=f"C{number % 10}", ms=4, label=label)
    axes.axhline(0.9, color="black", lw=1, ls="--")
    axes.set_xticks(range(len(horizons)), [str(horizon) for horizon in horizons])
    if records:
        axes.legend(fontsize=6, loc="upper left")
    return png_of(figure)


def exceedance_plot(name: str, evaluations: Evaluations) -> bytes:
    """Return a year of one-session returns beside the value at risk of the evening before."""
    figure, axes = new_figure(f"{name}: 99 % value at risk", "session", "return, %")
    known = np.isfinite(evaluations.outcomes[:, 0])
    returns = 100 * np.expm1(evaluations.outcomes[known, 0])[-SESSIONS:]
    at_risk = evaluations.of("var_99", horizon=1, model=PUBLISHED)[known]
    limit = -100 * at_risk[-SESSIONS:]
    days = np.arange(len(returns))
    axes.bar(days, returns, color="grey", width=1)
    axes.plot(days, limit, color="C3", lw=1)
    broken = returns < limit
    axes.plot(days[broken], returns[broken], "v", color="C3", ms=5)
    axes.set_title(f"{name}: 99 % value at risk, broken {int(broken.sum())} times")
    return png_of(figure)
