"""Portfolios: landed in the lake from MongoDB, a file and the market, and marked there."""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from pipelines.derivations import TableUpdate
from pipelines.forecasts.backend_portfolios import (
    BACKTESTS,
    EXECUTIONS,
    WATCHLISTS,
    backend_portfolios,
)
from pipelines.forecasts.curve import EquityCurve, UnfitCurveError
from pipelines.forecasts.equity import MarketPanel, equity_curve
from pipelines.forecasts.nightly import PUBLISHED_EQUITY_SESSIONS
from pipelines.forecasts.portfolio_file import read_portfolios
from pipelines.forecasts.portfolios import Portfolio, Source, equal_weights
from pipelines.forecasts.stored import equity_rows
from pipelines.forecasts.tables import PORTFOLIO_EQUITY, PORTFOLIOS
from pipelines.nights import Night
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.market import Market
from resources.serving import Serving

PRICES_QUERY = (
    "SELECT symbol, session, total_return_index FROM clean_prices WHERE session <= $session "
    "AND list_contains($symbols, symbol) ORDER BY session, symbol"
)


NO_VALUES = pl.DataFrame(
    schema={"portfolio_id": pl.String, "session": pl.Date, "value": pl.Float64}
)


class Portfolios(dg.ConfigurableResource[Any]):
    """What there is to forecast."""

    lake: dg.ResourceDependency[Lake]
    serving: dg.ResourceDependency[Serving]
    market: dg.ResourceDependency[Market]
    file: str = Field(default="", description="YAML file of portfolios; empty means none.")

    def land(self, *, night: Night) -> list[str]:
        """Copy all portfolios into the lake as they stand now; return the faults met.

        Where no server answers, those landed before stand. What a later night has landed is not
        overwritten.
        """
        from resources.mongodb import ServingUnavailableError

        own = self._own_portfolios()
        try:
            found, faults = [*own, *self._of_backend()], []
        except ServingUnavailableError as error:
            mine = {Source.UNIVERSE, Source.FILE}
            kept = [one for one in self.landed() if one.source not in mine]
            found = [*own, *kept]
            faults = [f"{error}; the backend's portfolios of the night before stand"]
        self.lake.commit(
            lambda writer: _replace(writer, found, night=night),
            night=night,
            message=f"land {len(found)} portfolios",
        )
        return faults

    def landed(self) -> list[Portfolio]:
        """Return the portfolios as last landed, in the order of their identity."""
        rows = self.lake.read("SELECT * FROM portfolios ORDER BY portfolio_id")
        return [
            Portfolio(row["portfolio_id"], row["name"], Source(row["source"]), **_fault(row))
            if row["reason"]
            else Portfolio.of_definition(
                row["portfolio_id"], row["name"], row["source"], row["definition"]
            )
            for row in rows.iter_rows(named=True)
        ]

    def mark(self, *, night: Night) -> tuple[TableUpdate, dict[str, UnfitCurveError]]:
        """Bring values up to date through a session; return why some portfolios have none."""
        portfolios = self.landed()
        panel = self._panel(portfolios, night.session)
        rows, faults = [NO_VALUES], {}
        for portfolio in portfolios:
            try:
                require_readable(portfolio)
                rows.append(equity_rows(portfolio.portfolio_id, equity_curve(portfolio, panel)))
            except UnfitCurveError as error:
                faults[portfolio.portfolio_id] = error
        update = self.lake.commit(
            lambda writer: _put_values(writer, pl.concat(rows), through=night),
            night=night,
            message="mark portfolios to market",
        )
        return update, faults

    def marked(self, portfolio: Portfolio, session: date) -> EquityCurve:
        """Return the values of one portfolio through a session, marked anew.

        Raises:
            UnfitCurveError: it can't be valued, with the reason.
        """
        # Cash alone has no prices, so its sessions are those of all the others.
        others = [portfolio] if portfolio.weights else self.landed()
        return equity_curve(portfolio, self._panel(others, session))

    def _panel(self, portfolios: list[Portfolio], session: date) -> MarketPanel:
        """Return prices of all symbols held, as known at a session."""
        symbols = sorted({symbol for one in portfolios for symbol in one.weights})
        prices = self.lake.read(PRICES_QUERY, {"session": session, "symbols": symbols})
        return MarketPanel.of(prices)

    def _own_portfolios(self) -> list[Portfolio]:
        """Return the universe of a recorded market in equal parts, and the file's portfolios."""
        made = []
        if self.market.is_recorded:
            symbols = self.market.universe().members(None)
            made.append(
                Portfolio(
                    "universe",
                    f"All symbols of the {self.market.name} market in equal parts",
                    Source.UNIVERSE,
                    equal_weights(list(symbols)),
                    is_equal=True,
                )
            )
        if self.file:
            path = Path(self.file)
            made += read_portfolios(path.read_text(encoding="utf-8"), source=str(path))
        return made

    def _of_backend(self) -> list[Portfolio]:
        """Return the backend's portfolios as they stand now."""
        with self.serving.connect() as database:
            return backend_portfolios(
                *(list(database[name].find()) for name in (WATCHLISTS, BACKTESTS, EXECUTIONS))
            )


def require_readable(portfolio: Portfolio) -> None:
    """Refuse a portfolio whose definition was found wrong when it was landed.

    Raises:
        UnfitCurveError: what was found.
    """
    if portfolio.reason:
        raise UnfitCurveError(portfolio.reason, portfolio.message or portfolio.reason)


def published_values(lake: Lake, session: date) -> pl.DataFrame:
    """Return a year of values through a session, each with the one before."""
    rows = lake.read(
        "SELECT *, lag(value) OVER (PARTITION BY portfolio_id ORDER BY session) AS value_before "
        "FROM portfolio_equity WHERE session <= $session ORDER BY session, portfolio_id",
        {"session": session},
    )
    shown = rows["session"].unique().sort().tail(PUBLISHED_EQUITY_SESSIONS)
    return rows.filter(pl.col("session").is_in(shown.implode()))


def _fault(row: dict[str, Any]) -> dict[str, Any]:
    """Return why a landed portfolio can't be valued."""
    return {"reason": row["reason"], "message": row["message"]}


def _replace(writer: LakeWriter, found: list[Portfolio], *, night: Night) -> None:
    """Make the table hold exactly these portfolios, unless a later night has written it."""
    newest = writer.read("SELECT max(landed_at) AS newest FROM portfolios").item()
    if newest is not None and newest > night.as_of:
        return
    instant = pl.Datetime("us", "UTC")
    schema = dict.fromkeys(PORTFOLIOS.column_names, pl.String) | {"landed_at": instant}
    rows = [
        (
            *(one.portfolio_id, one.name, one.source.value, one.definition(), one.definition_hash),
            *(one.reason, one.message, night.as_of),
        )
        for one in found
    ]
    writer.connection.execute(
        "DELETE FROM portfolios WHERE NOT list_contains($found, portfolio_id)",
        {"found": [one.portfolio_id for one in found]},
    )
    made = pl.DataFrame(rows, schema=schema, orient="row")
    held = writer.read(
        "SELECT portfolio_id, definition_hash, name, reason, message FROM portfolios"
    )
    changed = made.join(held, on=held.columns, how="anti", nulls_equal=True)
    writer.merge(PORTFOLIOS, changed)


def _put_values(writer: LakeWriter, rows: pl.DataFrame, *, through: Night) -> TableUpdate:
    """Make the values through a session these ones; later ones stay."""
    writer.connection.register("marked_values", rows.to_arrow())
    writer.connection.execute(
        "DELETE FROM portfolio_equity AS held WHERE held.session <= $session AND NOT EXISTS "
        "(FROM marked_values AS made WHERE made.portfolio_id = held.portfolio_id "
        "AND made.session = held.session)",
        {"session": through.session},
    )
    writer.connection.unregister("marked_values")
    return writer.merge(PORTFOLIO_EQUITY, rows)
