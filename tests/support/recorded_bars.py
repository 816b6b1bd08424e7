"""Bars built inline, as a vendor would send them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from pipelines.markets.recorded import BAR_SCHEMA, RecordedMarket, with_adjusted_close

FIRST_DAY = date(2024, 1, 1)


def bars_of(symbol: str, closes: Sequence[float], **changes: Mapping[int, float]) -> pl.DataFrame:
    """Return a bar a day for the closes; `split_coefficient={3: 2.0}` changes row 3."""
    frame = pl.DataFrame(
        {
            "symbol": [symbol] * len(closes),
            "session": [FIRST_DAY + timedelta(days=row) for row in range(len(closes))],
            "open": list(closes),
            "high": [close + 1 for close in closes],
            "low": [close / 2 for close in closes],
            "close": list(closes),
            "volume": [1_000 + row for row in range(len(closes))],
            "adjusted_close": list(closes),
            "dividend_amount": _changed(0.0, len(closes), changes.get("dividend_amount", {})),
            "split_coefficient": _changed(1.0, len(closes), changes.get("split_coefficient", {})),
        },
        schema=BAR_SCHEMA,
    )
    return with_adjusted_close(frame)


def market_of(*frames: pl.DataFrame) -> RecordedMarket:
    """Return a market of the frames."""
    return RecordedMarket(name="inline", exchange="XNYS", bars=pl.concat(frames))


def changed_body(payload: dict[str, Any], day: str, **fields: str | None) -> dict[str, Any]:
    """Return a payload with fields of one day changed, or taken out where None."""
    series = {date: dict(bar) for date, bar in payload["Time Series (Daily)"].items()}
    for name, value in fields.items():
        field = next(key for key in series[day] if key.endswith(f". {name.replace('_', ' ')}"))
        if value is None:
            del series[day][field]
        else:
            series[day][field] = value
    return {**payload, "Time Series (Daily)": series}


def _changed(value: float, rows: int, changes: Mapping[int, float]) -> list[float]:
    """Return a column of one value with some rows changed."""
    return [changes.get(row, value) for row in range(rows)]
