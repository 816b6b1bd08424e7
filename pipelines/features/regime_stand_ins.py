"""Stand-ins for told regimes, made of bars: what a trial of features puts in place of the lake's.

A trial changes bars after a session. Regimes that follow from them change as well, and a feature
that reads a later one is found out. Nothing else is asked of them but to be of the table's form.
"""

import polars as pl

from pipelines.regimes.names import MARKET, NAMES
from pipelines.regimes.tables import REGIME_STATES

_DAYS = {"applies_from", "last_seen"}
_UNKNOWN = ("applies_from", "recipe", "last_seen", "foretold", "abstain_reason")
_SAID = ("night_id", "origin", "regime")


def stand_in_states(bars: pl.DataFrame) -> pl.DataFrame:
    """Return rows of `regime_states` for every bar and for the market of every session.

    A symbol's follow from its own bar alone, the market's from the session's bars.
    """
    own = bars.select("symbol", "session", level=pl.col("total_return_index"))
    market = (
        own.sort("session", "symbol")
        .group_by("session", maintain_order=True)
        .agg(pl.col("level").mean())
        .select(pl.lit(MARKET).alias("symbol"), "session", "level")
    )
    return pl.concat([own, market]).with_columns(**_values()).select(REGIME_STATES.column_names)


def _values() -> dict[str, pl.Expr]:
    """Return every column but the key, of `level`."""
    weights = [1 + _digits(factor) for factor in (311.0, 523.0, 719.0, 953.0)]
    total = pl.sum_horizontal(*weights)
    values = {
        name: _digits(97.0) * 40 + 1
        for name in REGIME_STATES.value_names
        if name not in {*_UNKNOWN, *_SAID}
    }
    chances = {name.value: one / total for name, one in zip(NAMES, weights, strict=True)}
    return {
        **values,
        **chances,
        "transition_risk": _digits(61.0),
        "sessions_in_regime": values["sessions_in_regime"].cast(pl.Int32),
        **dict.fromkeys(_SAID, pl.lit("stand-in")),
        **{name: pl.lit(None, pl.Date if name in _DAYS else pl.String) for name in _UNKNOWN},
    }


def _digits(factor: float) -> pl.Expr:
    """Return a number from 0 to 1 of the digits of `level`."""
    scaled = pl.col("level") * factor
    return scaled - scaled.floor()
