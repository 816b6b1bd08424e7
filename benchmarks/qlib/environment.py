"""An environment that holds pyqlib, made once; nothing of it is a dependency of this project."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resources.settings import load_settings

REQUIREMENTS = ("pyqlib==0.9.7", "pandas<3", "numpy<2.4", "tables")
"""pyqlib is not tested with pandas 3; tables is what its dataset cache writes."""

_SIDE = Path(__file__).with_name("side.py")


def qlib_python() -> Path:
    """Return the Python of the environment in the state folder, making it where there is none."""
    folder = load_settings().home / "benchmarks" / "pyqlib"
    ready = folder / ".ready"
    python = folder / "bin" / "python"
    if not ready.exists() or ready.read_text() != "\n".join(REQUIREMENTS):
        print(f"nightdesk: setting up pyqlib in {folder} (about 1 GB, once)", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)  # noqa: S603
        subprocess.run([python, "-m", "pip", "install", "-qq", *REQUIREMENTS], check=True)  # noqa: S603
        ready.write_text("\n".join(REQUIREMENTS))
    return python


def dump_bars(
    python: Path, folder: Path, bars: Mapping[str, NDArray[np.float64] | NDArray[np.str_]]
) -> Path:
    """Write bars as Qlib's files; return their folder.

    Args:
        python: That of the environment.
        folder: Where to.
        bars: `symbols`, `sessions`, and a table symbols × sessions for each field.
    """
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "bars.npz", **bars)
    store = folder / "store"
    _run(python, "dump", "--bars", folder / "bars.npz", "--store", store)
    return store


def compute(python: Path, store: Path, *options: str | Path) -> dict[str, float]:
    """Let Qlib compute factors in a process of its own; return what it took, and rows."""
    line = _run(python, "compute", "--store", store, *options).strip().splitlines()[-1]
    measured: dict[str, float] = json.loads(line)
    return measured


def _run(python: Path, *arguments: str | Path) -> str:
    ran = subprocess.run(  # noqa: S603 - our own script, our own environment
        [python, _SIDE, *arguments], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        message = f"Qlib's side failed with {ran.returncode}:\n{ran.stderr[-2000:]}"
        raise RuntimeError(message)
    return ran.stdout
