"""The Dagster UI as a process: started by `make ui`, ended by `make stop`."""

import json
import os
import signal
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from resources.processes import command_line, descendants, has_ended
from resources.settings import PROJECT_ROOT, Settings

HOST = "127.0.0.1"
WORKSPACE = PROJECT_ROOT / "workspace.yaml"
STOP_SECONDS = 10.0
"""The webserver, the daemon and the code server end one after another, in about five seconds."""
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class RunningUI:
    """The UI of a state folder: its process and its port on loopback."""

    pid: int
    port: int

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://{HOST}:{self.port}"


def record_ui(settings: Settings) -> None:
    """Note this process as the one that shows the UI."""
    running = RunningUI(pid=os.getpid(), port=settings.ui_port)
    _record(settings).write_text(json.dumps(asdict(running)), encoding="utf-8")


def ui_process(settings: Settings) -> RunningUI | None:
    """Return the process that shows the UI, None where none runs."""
    try:
        recorded = RunningUI(**json.loads(_record(settings).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    # A number alone proves nothing: it may have been given to another process since.
    command = command_line(recorded.pid)
    is_ours = f"dev -w {WORKSPACE}" in command or "-m commands.ui" in command
    return recorded if is_ours and not has_ended(recorded.pid) else None


def is_port_free(port: int) -> bool:
    """Return whether nothing listens on a port of loopback."""
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True


def stop_ui(settings: Settings) -> bool:
    """End the UI with the servers it has started; return whether one was running."""
    running = ui_process(settings)
    if running is None:
        return False
    # Listed first: children of an ended process belong to nobody and would not be found.
    processes = [running.pid, *descendants(running.pid)]
    _signal(processes[:1], signal.SIGTERM)
    if not _await_end(processes):
        _signal(processes, signal.SIGKILL)
        _await_end(processes)
    _record(settings).unlink(missing_ok=True)
    return True


def _signal(pids: list[int], request: signal.Signals) -> None:
    """Send a signal to those processes that still live."""
    for pid in pids:
        if not has_ended(pid):
            os.kill(pid, request)


def _await_end(pids: list[int]) -> bool:
    """Wait until all processes have ended; return whether they have."""
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if all(has_ended(pid) for pid in pids):
            return True
        time.sleep(POLL_SECONDS)
    return False


def _record(settings: Settings) -> Path:
    """Return where the UI's process is noted."""
    return settings.home / "ui.json"
