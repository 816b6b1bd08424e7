"""Alpha158 against what pyqlib itself made of the same bars (`benchmarks.qlib.recording`).

Three things differ, on purpose, and each is shown here: Qlib computes a window of fewer rows at the
start of a series, keeps ratios in 32-bit floats on the way to a correlation, and leaves a row
without a value out of a window, where here the window has none.
"""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from pipelines.features.alpha158.groups import ALPHA158_GROUPS
from pipelines.features.kernels.panel import FeaturePanel, compute_features
from pipelines.features.language import close, delay, log, volume

RECORDING = Path(__file__).parents[2] / "support" / "alpha158_by_qlib.npz"
EXPRESSIONS = {name: tree for group in ALPHA158_GROUPS for name, tree in group.expressions.items()}
TOLERANCE = 1e-6

# From ratios of 32-bit floats, which are off by 6e-8 of a price, not of its change.
OF_ROUNDED_RATIOS = [name for name in EXPRESSIONS if name.startswith(("cord", "wvma"))]
ROUNDED_TOLERANCE = 1e-5

Columns = dict[str, NDArray[np.float64]]


@pytest.fixture(scope="module")
def recorded() -> Columns:
    """Return Qlib's values by lower-case name, by symbol and session, NaN for none."""
    held = np.load(RECORDING)
    values = np.where(np.isfinite(held["values"]), held["values"], np.nan).astype(np.float64)
    return dict(zip(held["names"].tolist(), values.T, strict=True))


@pytest.fixture(scope="module")
def panel() -> FeaturePanel:
    """Return the recorded bars."""
    held = np.load(RECORDING)
    symbols, sessions = len(held["symbols"]), len(held["sessions"])
    days = held["sessions"].astype("datetime64[D]").astype(np.int64)
    return FeaturePanel(
        starts=np.arange(symbols + 1) * sessions,
        days=np.tile(days, symbols),
        leaves={
            name: held[name].astype(np.float64).ravel()
            for name in ("open", "high", "low", "close", "volume")
        },
        wanted=np.arange(symbols * sessions),
    )


@pytest.fixture(scope="module")
def computed(panel: FeaturePanel) -> Columns:
    """Return our values of the same bars."""
    return compute_features(EXPRESSIONS, panel)


def has_look_back(name: str, panel: FeaturePanel) -> NDArray[np.bool_]:
    """Tell on which rows a symbol has as many earlier rows as the feature needs."""
    number = np.arange(len(panel.days)) - np.repeat(panel.starts[:-1], np.diff(panel.starts))
    return number >= EXPRESSIONS[name].look_back


def error(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the difference as a share of the value, or of 1 where that is more."""
    return np.abs(ours - theirs) / np.maximum(1.0, np.abs(theirs))


def test_all_158_features_are_there_by_qlibs_names(recorded: Columns) -> None:
    """A paper's feature would be looked for in vain."""
    assert set(recorded) == set(EXPRESSIONS)
    assert len(recorded) == 158


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_a_feature_is_what_qlib_makes_of_the_same_bars(
    name: str, recorded: Columns, computed: Columns, panel: FeaturePanel
) -> None:
    """It would bear Qlib's name and be something else."""
    rows = has_look_back(name, panel)
    ours, theirs = computed[name][rows], recorded[name][rows]
    is_known = ~np.isnan(ours)
    assert is_known.sum() > 90
    tolerance = ROUNDED_TOLERANCE if name in OF_ROUNDED_RATIOS else TOLERANCE
    assert error(ours, theirs)[is_known].max() < tolerance
    if not name.startswith("cord"):
        np.testing.assert_array_equal(is_known, ~np.isnan(theirs))


@pytest.mark.parametrize("rows", [5, 20, 60])
def test_from_qlibs_rounded_ratios_its_correlations_follow(
    rows: int, recorded: Columns, panel: FeaturePanel
) -> None:
    """A difference put down to rounding could be another one."""
    parts = compute_features(
        {"move": close / delay(close, 1), "growth": log(volume / delay(volume, 1) + 1)}, panel
    )
    rounded = pl.DataFrame(
        {name: part.astype(np.float32).astype(np.float64) for name, part in parts.items()}
    ).fill_nan(None)
    symbol = np.repeat(np.arange(3), np.diff(panel.starts))
    followed = rounded.with_columns(symbol=symbol).select(
        pl.rolling_corr("move", "growth", window_size=rows, min_samples=rows).over("symbol")
    )["move"]
    name = f"cord{rows}"
    is_known = followed.is_not_null().to_numpy() & has_look_back(name, panel)
    is_known &= np.isfinite(followed.fill_null(np.nan).to_numpy())
    is_known &= ~np.isnan(recorded[name])
    assert is_known.sum() > 90
    assert error(followed.to_numpy()[is_known], recorded[name][is_known]).max() < TOLERANCE


def test_qlib_fills_windows_that_are_short_and_we_do_not(
    recorded: Columns, computed: Columns, panel: FeaturePanel
) -> None:
    """A mean of two rows would pass for one of sixty."""
    for name in ("ma60", "std20", "rank30", "qtlu10", "imax60"):
        is_short = ~has_look_back(name, panel)
        assert np.isnan(computed[name][is_short]).all()
        assert np.isfinite(recorded[name][is_short]).sum() > is_short.sum() / 2


def test_qlib_skips_a_row_without_a_value_and_we_have_no_window_then(
    recorded: Columns, computed: Columns, panel: FeaturePanel
) -> None:
    """Growth from no volume is no number: for as long as it is in the window, nor is ours."""
    rows = has_look_back("cord20", panel)
    is_skipped = np.isnan(computed["cord20"]) & np.isfinite(recorded["cord20"]) & rows
    first_without_volume = int(panel.starts[2]) + 40
    assert set(np.flatnonzero(is_skipped)) <= set(
        range(first_without_volume, first_without_volume + 24)
    )
    assert is_skipped.sum() > 15
