"""The UI as a process: found again, told from others, ended with what it has started."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from commands.processes import WORKSPACE, is_port_free, stop_ui, ui_process
from resources.processes import descendants, has_ended
from resources.settings import Settings

PARENT = (
    "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_DFL); "
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); time.sleep(60)"
)


def _settings(folder: Path) -> Settings:
    """Return settings whose state lies in a folder of the test's own."""
    return Settings.model_validate({"NIGHTDESK_HOME": str(folder)})


def _start(code: str, settings: Settings, *marks: str) -> subprocess.Popen[bytes]:
    """Start a process with a child of its own and record it as the UI."""
    process = subprocess.Popen([sys.executable, "-c", code, *marks])
    record = {"pid": process.pid, "port": settings.ui_port}
    (settings.home / "ui.json").write_text(json.dumps(record), encoding="utf-8")
    deadline = time.monotonic() + 10
    while not descendants(process.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def test_stop_ends_the_children_too(tmp_path: Path) -> None:
    """A webserver left behind would keep the port and show an ended desk."""
    settings = _settings(tmp_path)
    process = _start(PARENT, settings, "dev", "-w", str(WORKSPACE))
    children = descendants(process.pid)
    assert children
    assert stop_ui(settings)
    assert process.wait(5) != 0
    assert all(has_ended(child) for child in children)
    assert ui_process(settings) is None


def test_another_process_with_the_recorded_number_is_left_alone(tmp_path: Path) -> None:
    """Numbers are given out again: `make stop` would end a stranger."""
    settings = _settings(tmp_path)
    stranger = _start(PARENT, settings)
    try:
        assert not stop_ui(settings)
        assert stranger.poll() is None
    finally:
        for child in descendants(stranger.pid):
            os.kill(child, signal.SIGKILL)
        stranger.kill()
        stranger.wait()


def test_a_taken_port_is_seen_before_the_ui_starts() -> None:
    """Dagster would fail with a page of stack."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_port_free(server.getsockname()[1])
