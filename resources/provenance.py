"""What this installation is made of: a hash of its code and of its lock file."""

import hashlib
from functools import lru_cache
from pathlib import Path

from pipelines.forecasts.settings import ForecastSettings
from pipelines.manifest import Provenance
from pipelines.signals.settings import SignalSettings
from resources.settings import PROJECT_ROOT

CODE_FOLDERS = ("pipelines", "assets", "resources", "jobs", "schedules")
VERSION_DIGITS = 16


def provenance(settings: SignalSettings) -> Provenance:
    """Return the provenance of documents that this process makes."""
    return Provenance(
        code_version=code_version(PROJECT_ROOT),
        lock_hash=_sha256(PROJECT_ROOT / "requirements.lock"),
        seeds={"signal": settings.seed, "forecasts": ForecastSettings().seed},
    )


@lru_cache(maxsize=4)
def code_version(root: Path) -> str:
    """Return a hash of every Python file that can shape a document, by its path and its bytes.

    A hash of the files and not a commit: what runs may differ from what was committed.
    """
    digest = hashlib.sha256()
    for folder in CODE_FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:VERSION_DIGITS]


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
