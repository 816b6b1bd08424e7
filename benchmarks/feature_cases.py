"""The bars and the features that every side of `make bench-features` is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.simulated_lake import fill, lake_in, night_of
from pipelines.features.alpha158.groups import ALPHA158_GROUPS
from pipelines.features.expressions import Expression
from pipelines.features.inputs import leaf_columns
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.nights import Night
from pipelines.prices.total_return import CLEAN_PRICES_DERIVATION
from pipelines.tables import CLEAN_PRICES

LEAVES = ("close", "high", "low", "open", "volume")
ALPHA158: Mapping[str, Expression] = {
    name: tree for group in ALPHA158_GROUPS for name, tree in group.expressions.items()
}
FOURTEEN = (
    "kmid", "roc20", "ma20", "std20", "beta20", "rsqr20", "max20", "qtlu20", "rank20", "rsv20",
    "corr20", "cntp20", "sump20", "vstd20",
)  # fmt: skip
"""One factor of each kind; Qlib's own benchmark names the number and not which."""

CASES: Mapping[str, Mapping[str, Expression]] = {
    "14 factors": {name: ALPHA158[name] for name in FOURTEEN},
    "Alpha158": ALPHA158,
}


@dataclass(frozen=True)
class Bench:
    """A market, and the folder with its lake, its bars and Qlib's files."""

    settings: SimulationSettings
    folder: Path

    @property
    def lake(self) -> Path:
        """Folder of the lake."""
        return self.folder / "lake"

    @property
    def bars(self) -> Path:
        """The leaves of every bar, as 32-bit floats hold them, by symbol and session."""
        return self.folder / "bars.arrow"

    @property
    def made(self) -> Path:
        """What a side writes that has no lake."""
        return self.folder / "made.parquet"

    def values(self, side: str) -> Path:
        """What a side made of Alpha158, to be compared."""
        return self.folder / f"{side}.arrow"

    @property
    def night(self) -> Night:
        """The night of the last session."""
        return night_of(self.settings.days[-1])


def leaves_query() -> str:
    """Return the statement that reads symbol, session and the leaves from the lake."""
    return f"""SELECT bar.symbol, bar.session, {leaf_columns(LEAVES)}
        FROM {CLEAN_PRICES.name} AS bar ORDER BY bar.symbol, bar.session"""


def prepare(bench: Bench) -> int:
    """Make the lake and the file of bars; return how many there are."""
    fill(bench.lake, bench.settings)
    lake = lake_in(bench.lake)
    lake.bring_up_to_date(CLEAN_PRICES_DERIVATION, night=bench.night)
    rows = lake.read(leaves_query())
    exact = pl.col(LEAVES).cast(pl.Float32).cast(pl.Float64)
    rows.with_columns(exact).write_ipc(bench.bars)
    return rows.height


def tables_of(rows: pl.DataFrame) -> dict[str, NDArray[np.float64] | NDArray[np.str_]]:
    """Return bars as tables symbols × sessions, NaN where a symbol was not listed, for Qlib."""
    symbols, symbol = np.unique(rows["symbol"].to_numpy().astype(str), return_inverse=True)
    days, day = np.unique(rows["session"].to_numpy(), return_inverse=True)
    tables = {name: np.full((len(symbols), len(days)), np.nan) for name in LEAVES}
    for name, table in tables.items():
        table[symbol, day] = rows[name].to_numpy()
    vwap = (tables["high"] + tables["low"] + tables["close"]) / 3
    return {"symbols": symbols, "sessions": days.astype(str), **tables, "vwap": vwap}
