"""Indexes of the sample market: S&P 500 and Nasdaq Composite, recorded in the package arch.

The package's VIX begins in 2014, after the sample market has ended, and has closes alone: the
sample market has none. Nor has it the Nasdaq 100.
"""

import gzip
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import polars as pl

from pipelines.markets.indexes import INDEX_SCHEMA, INDEX_VALUES
from pipelines.markets.names import LAST_SAMPLE_SESSION

_RECORDINGS: Mapping[str, str] = MappingProxyType({"SPX": "sp500", "COMP": "nasdaq"})
_DATE = "%m/%d/%Y"
POINT_DECIMALS = 2
"""Decimals of an index; the recording holds more, left over from single precision."""


def load_sample_indexes() -> pl.DataFrame:
    """Return the recorded indexes (INDEX_SCHEMA) from 1999-01-04 to the sample's last session."""
    recorded = [_recording(symbol, name) for symbol, name in _RECORDINGS.items()]
    return pl.concat(recorded).filter(pl.col("session") <= LAST_SAMPLE_SESSION)


def _recording(symbol: str, name: str) -> pl.DataFrame:
    """Return one recorded index."""
    frame = pl.read_csv(gzip.decompress(_file_of(name).read_bytes()))
    values = [
        pl.col(value.capitalize()).round(POINT_DECIMALS).alias(value) for value in INDEX_VALUES
    ]
    session = pl.col("Date").str.to_date(_DATE).alias("session")
    return frame.select(pl.lit(symbol).alias("symbol"), session, *values).cast(INDEX_SCHEMA)


def _file_of(name: str) -> Path:
    """Return a recording's file without importing arch, which takes six seconds.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    found = find_spec("arch")
    if found is None or found.origin is None:
        message = "the sample market's indexes come from the package arch: run `make setup`"
        raise FileNotFoundError(message)
    return Path(found.origin).parent / "data" / name / f"{name}.csv.gz"
