"""Record what pyqlib makes of a few bars: the reference that the tests hold Alpha158 to.

`python -m benchmarks.qlib.recording` writes `tests/support/alpha158_by_qlib.npz`: the bars of three
made-up symbols and the 158 values of each. One is a random walk; one has prices in steps of a
quarter, which brings ties, and three sessions without volume; one has a price that stands still.
"""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.qlib.environment import compute, dump_bars, qlib_python

RECORDING = Path(__file__).parents[2] / "tests" / "support" / "alpha158_by_qlib.npz"
SESSIONS = 110
STALE = slice(50, 62)
WITHOUT_VOLUME = slice(40, 43)

Tables = dict[str, NDArray[np.float64]]


def main() -> None:
    """Make the bars, let Qlib compute, and write both."""
    bars = recorded_bars(np.random.default_rng(158))
    sessions = np.busday_offset("2019-01-01", np.arange(SESSIONS), roll="forward").astype(str)
    symbols = np.array(["PLAIN", "STALE", "TICKS"])
    with tempfile.TemporaryDirectory() as name:
        folder, python = Path(name), qlib_python()
        store = dump_bars(python, folder, {"symbols": symbols, "sessions": sessions, **bars})
        compute(python, store, "--values", folder / "values.npz")
        made = np.load(folder / "values.npz")
        np.savez_compressed(
            RECORDING,
            symbols=symbols,
            sessions=sessions,
            **{name: table.astype(np.float32) for name, table in bars.items()},
            names=np.char.lower(made["names"]),
            values=made["values"].astype(np.float32),
        )
    print(f"{RECORDING}: {made['values'].shape[1]} features of {len(made['values'])} bars")


def recorded_bars(rng: np.random.Generator) -> Tables:
    """Return the bars, as 32-bit floats hold them, which is what Qlib reads."""
    plain, stale, ticks = _walk(rng, 50), _walk(rng, 1200), np.round(_walk(rng, 9) * 4) / 4
    stale[:, STALE] = stale[3, STALE.start]
    prices = np.stack([plain, stale, ticks], axis=1).astype(np.float32).astype(np.float64)
    volume = rng.lognormal(12, 1, (3, SESSIONS)).round().astype(np.float32).astype(np.float64)
    volume[2, WITHOUT_VOLUME] = 0
    bars = dict(zip(("open", "high", "low", "close"), prices, strict=True))
    return {**bars, "volume": volume, "vwap": (bars["high"] + bars["low"] + bars["close"]) / 3}


def _walk(rng: np.random.Generator, start: float) -> NDArray[np.float64]:
    """Return open, high, low and close of a random walk."""
    close = start * np.exp(np.cumsum(0.02 * rng.standard_normal(SESSIONS)))
    opened = close * np.exp(0.008 * rng.standard_normal(SESSIONS))
    shadows = np.exp(np.abs(0.006 * rng.standard_normal((2, SESSIONS))))
    high, low = np.maximum(opened, close) * shadows[0], np.minimum(opened, close) / shadows[1]
    return np.array([opened, high, low, close])


if __name__ == "__main__":
    main()
