"""Portfolios: landed in the lake from MongoDB, a file and the market, and marked there."""

from datetime import date
from functools import partial
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from pipelines.derivations import TableUpdate
from pipelines.forecasts.curve import EquityCurve, UnfitCurveError
from pipelines.forecasts.equity import equity_curve
from pipelines.forecasts.nightly import PUBLISHED_EQUITY_SESSIONS
from pipelines.forecasts.portfolio_file import PortfolioFileError
from pipelines.forecasts.portfolios import OF_BACKEND, Portfolio, Source
from pipelines.forecasts.stored import equity_rows
from pipelines.forecasts.tables import PORTFOLIO_EQUITY, PORTFOLIOS
from pipelines.nights import Night
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.market import Market
from resources.portfolio_prices import held_panel
from resources.portfolio_sources import (
    portfolios_of_backend,
    portfolios_of_file,
    portfolios_of_market,
)
from resources.serving import Serving

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

        Where no server answers or the file can't be read, those landed before stand: the vendor is
        asked next, and prices are not to wait for a slip in a file. What a later night has landed
        is not overwritten.
        """
        from resources.mongodb import ServingUnavailableError

        found, faults = portfolios_of_market(self.market), []
        readers = (
            ({Source.FILE}, partial(portfolios_of_file, self.file)),
            (OF_BACKEND, partial(portfolios_of_backend, self.serving)),
        )
        for sources, read in readers:
            try:
                found += read()
            except (PortfolioFileError, ServingUnavailableError) as error:
                found += [one for one in self.landed() if one.source in sources]
                faults.append(f"{error}; these portfolios of the night before stand")
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
        panel = held_panel(self.lake, portfolios, night.session)
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
        return equity_curve(portfolio, held_panel(self.lake, others, session))


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
