"""Corporate actions, company overviews, listings and market data in the vendor's own form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from pipelines.markets.indexes import INDEX_NAMES, INDEX_VALUES
from pipelines.markets.profiles import CompanyProfile
from pipelines.vendor.listings import LISTING_HEADER
from pipelines.vendor.series_answers import Query

DELISTED_AFTER = timedelta(days=30)
"""A symbol without a bar for this long has left the market."""
_INDEX_HEADER = "timestamp,open,high,low,close"


@dataclass(frozen=True)
class ShownMarket:
    """What the vendor knows on its today: bars by symbol, oldest first, companies and indexes."""

    history: Mapping[str, pl.DataFrame]
    profiles: Mapping[str, CompanyProfile] = field(default_factory=dict)
    indexes: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The newest session of any symbol."""
        return max(_last(bars) for bars in self.history.values())

    def profile(self, symbol: str) -> CompanyProfile:
        """Return what is known of a company, its symbol for its name where nothing is."""
        return self.profiles.get(symbol, CompanyProfile(symbol))


def dividends_answer(bars: pl.DataFrame, query: Query) -> str:
    """Answer DIVIDENDS, newest first."""
    paid = bars.filter(pl.col("dividend_amount") != 0).reverse()
    rows = [
        {
            "ex_dividend_date": str(session),
            "declaration_date": "None",
            "record_date": "None",
            "payment_date": "None",
            "amount": f"{amount:.4f}",
        }
        for session, amount in paid.select("session", "dividend_amount").iter_rows()
    ]
    header = "ex_dividend_date,declaration_date,record_date,payment_date,amount"
    return _table(query, rows, header)


def splits_answer(bars: pl.DataFrame, query: Query) -> str:
    """Answer SPLITS, newest first."""
    split = bars.filter(pl.col("split_coefficient") != 1).reverse()
    rows = [
        {"effective_date": str(session), "split_factor": f"{factor:.4f}"}
        for session, factor in split.select("session", "split_coefficient").iter_rows()
    ]
    return _table(query, rows, "effective_date,split_factor")


def overview_answer(market: ShownMarket, query: Query) -> str:
    """Answer OVERVIEW: a flat object, empty for a symbol that is not known."""
    symbol = query.get("symbol", "").upper()
    if symbol not in market.history:
        return "{}"
    profile = market.profile(symbol)
    return json.dumps(
        {
            "Symbol": symbol,
            "AssetType": "Common Stock" if profile.asset_type == "Stock" else profile.asset_type,
            "Name": profile.name,
            "Exchange": profile.exchange,
            "Currency": "USD",
            "Country": "USA",
            "Sector": profile.sector,
            "Industry": profile.industry,
            "MarketCapitalization": "None",
            "EBITDA": "-",
        },
        indent=4,
    )


def listing_answer(market: ShownMarket, query: Query) -> str:
    """Answer LISTING_STATUS, in CSV, as of the `date` that is asked for or today."""
    day = date.fromisoformat(query.get("date", str(market.today)))
    is_wanted_active = query.get("state", "active") == "active"
    lines = [LISTING_HEADER]
    for symbol, bars in sorted(market.history.items()):
        first, last = bars["session"][0], _last(bars)
        has_left = min(day, market.today) - last > DELISTED_AFTER
        if first > day or has_left is is_wanted_active:
            continue
        profile = market.profile(symbol)
        name = f'"{profile.name}"' if "," in profile.name else profile.name
        status = f"{last},Delisted" if has_left else "null,Active"
        lines.append(f"{symbol},{name},{profile.exchange},{profile.asset_type},{first},{status}")
    return "\r\n".join(lines) + "\r\n"


def market_status_answer(_: ShownMarket, __: Query) -> str:
    """Answer MARKET_STATUS: our recordings are only asked when the exchange is closed."""
    market = {
        "market_type": "Equity",
        "region": "United States",
        "primary_exchanges": "NASDAQ, NYSE, AMEX, BATS",
        "local_open": "09:30",
        "local_close": "16:15",
        "current_status": "closed",
        "notes": "",
    }
    return json.dumps({"endpoint": "Global Market Open & Close Status", "markets": [market]})


def index_answer(market: ShownMarket, query: Query) -> str:
    """Answer INDEX_DATA, newest first; numbers are text, as short as they are ("6754.3")."""
    symbol = query["symbol"].upper()
    shown = market.indexes[symbol].reverse().iter_rows(named=True)
    rows = [
        {"date": str(bar["session"]), **{name: str(bar[name]) for name in INDEX_VALUES}}
        for bar in shown
    ]
    if query.get("datatype") == "csv":
        return _csv(_INDEX_HEADER, rows)
    about = {"symbol": symbol, "name": INDEX_NAMES.get(symbol, symbol), "interval": "daily"}
    return json.dumps({**about, "data": rows}, indent=4)


def _table(query: Query, rows: list[dict[str, str]], header: str) -> str:
    """Write a symbol's rows as JSON or CSV."""
    if query.get("datatype") == "csv":
        return _csv(header, rows)
    return json.dumps({"symbol": query["symbol"].upper(), "data": rows}, indent=4)


def _csv(header: str, rows: list[dict[str, str]]) -> str:
    """Write rows below their header."""
    return "\r\n".join([header, *(",".join(row.values()) for row in rows)]) + "\r\n"


def _last(bars: pl.DataFrame) -> date:
    """Return the newest session of bars that are sorted."""
    newest: date = bars["session"][-1]
    return newest
