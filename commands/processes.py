"""The Dagster UI as a process: started by `make ui`, ended by `make stop`."""

import os
import signal
from pathlib import Path

from resources.settings import Settings


def record_ui(settings: Settings) -> None:
    """Note this process as the one that shows the UI."""
    _pid_file(settings).write_text(f"{os.getpid()}\n", encoding="utf-8")


def ui_process(settings: Settings) -> int | None:
    """Return the process that shows the UI, None where none runs."""
    try:
        pid = int(_pid_file(settings).read_text(encoding="utf-8"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    # A number alone proves nothing: it may have been given to another process since.
    return pid if b"dagster" in command or b"commands.ui" in command else None


def stop_ui(settings: Settings) -> bool:
    """End the UI; return whether one was running."""
    pid = ui_process(settings)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
    return pid is not None


def _pid_file(settings: Settings) -> Path:
    """Return where the UI's process is noted."""
    return settings.home / "ui.pid"
