"""Results of trials, kept one file each: a run that was stopped goes on where it was."""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import astuple
from pathlib import Path

import numpy as np

from benchmarks.forecast_trials import Trial, TrialResult, run_trial

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".nightdesk" / "bench-forecasts"
HITS = "hits of what was published"


def results_of(trials: Sequence[Trial], workers: int) -> Iterator[TrialResult]:
    """Yield the result of each trial, in order; those that this code has not run are run first."""
    folder = FOLDER / _code()
    folder.mkdir(parents=True, exist_ok=True)
    missing = [trial for trial in trials if not _file(folder, trial).exists()]
    if missing:
        print(f"{len(trials) - len(missing)} of {len(trials)} trials are known from {folder}")
        with ProcessPoolExecutor(workers) as processes:
            running = {processes.submit(run_trial, trial): trial for trial in missing}
            for done in as_completed(running):
                _keep(_file(folder, running[done]), done.result())
    for trial in trials:
        yield _read(_file(folder, trial), trial.process)


def _code() -> str:
    """Return a digest of all code that decides a result: what older code said is not counted."""
    sources = sorted((ROOT / "pipelines" / "forecasts").rglob("*.py"))
    sources += [ROOT / "benchmarks" / f"forecast_{name}.py" for name in ("processes", "trials")]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]


def _file(folder: Path, trial: Trial) -> Path:
    """Return where a trial's result is kept."""
    return folder / f"{'-'.join(map(str, astuple(trial))).replace(' ', '_')}.npz"


def _keep(file: Path, result: TrialResult) -> None:
    """Write a result, under its name only once it is whole."""
    part = file.with_suffix(".part.npz")
    np.savez_compressed(part, **{HITS: result.hits, **result.scores})
    part.rename(file)


def _read(file: Path, process: str) -> TrialResult:
    """Read a result."""
    with np.load(file) as held:
        scores = {name: held[name] for name in held.files if name != HITS}
        return TrialResult(process, scores, held[HITS])
