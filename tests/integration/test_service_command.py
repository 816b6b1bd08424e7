"""Daemon and webserver as a service manager starts them: alive, and on the desk's own state."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError

import dagster as dg
import pytest

from resources.settings import PROJECT_ROOT
from tests.support.backfills import NOT_INHERITED, PATIENCE_SECONDS, end_with_children


def await_sign(process: subprocess.Popen[bytes], is_there: Callable[[], bool]) -> None:
    """Wait until a process gives a sign of life; fail at once where it has ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_there():
        assert process.poll() is None, f"the process ended with {process.returncode}"
        assert time.monotonic() < deadline, "the process gave no sign of life"
        time.sleep(0.2)


def answers(address: str) -> bool:
    """Return whether the UI's server answers."""
    try:
        with urllib.request.urlopen(address, timeout=5) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a process of the service on the test's state folder; all are ended afterwards."""
    kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    environment = kept | {"NIGHTDESK_HOME": str(tmp_path)}
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, **settings: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "commands.service", name],
            cwd=PROJECT_ROOT,
            env=environment | settings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        end_with_children(process)


@pytest.mark.slow
def test_daemon_and_webserver_serve_the_state_folder(
    tmp_path: Path, serve: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """A unit that starts a daemon on another instance would run no night, and say nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    webserver = serve("webserver", NIGHTDESK_UI_PORT=port)
    await_sign(webserver, lambda: answers(f"http://127.0.0.1:{port}/server_info"))
    home = tmp_path / "dagster"
    assert (home / "dagster.yaml").resolve() == PROJECT_ROOT / "dagster.yaml"
    daemon = serve("daemon")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        await_sign(daemon, lambda: "BACKFILL" in instance.get_daemon_heartbeats())
