"""`make ui`: the Dagster UI and daemon on this state, on loopback alone."""

import os
import signal
import sys
from pathlib import Path

from commands.instance import prepared_settings
from commands.processes import HOST, WORKSPACE, is_port_free, record_ui, ui_process
from resources.settings import Settings

QUIET = "ignore:Function `dev_command` is superseded"
"""Dagster advises `dg dev`, which does not read workspace.yaml."""


def main() -> None:
    """Become `dagster dev`, which serves the UI and runs schedules until it is ended."""
    settings = prepared_settings()
    _require_a_free_place(settings)
    record_ui(settings)
    # A shell that starts this in the background has these ignored, and a program that it becomes
    # would inherit that: `make stop` could not end it.
    for request in (signal.SIGINT, signal.SIGTERM):
        signal.signal(request, signal.SIG_DFL)
    os.environ["PYTHONWARNINGS"] = QUIET
    dagster = Path(sys.executable).with_name("dagster")
    arguments = ["dev", "-w", str(WORKSPACE), "-h", HOST, "-p", str(settings.ui_port)]
    os.execv(dagster, [str(dagster), *arguments])  # noqa: S606


def _require_a_free_place(settings: Settings) -> None:
    """End the command where the UI runs already or its port belongs to another program."""
    running = ui_process(settings)
    if running is not None:
        sys.exit(
            f"nightdesk: the UI runs already, at {running.address} (pid {running.pid}); "
            "`make stop` ends it"
        )
    if not is_port_free(settings.ui_port):
        sys.exit(
            f"nightdesk: port {settings.ui_port} of {HOST} is taken by another program: end it, or "
            f"choose another port, as in `make ui NIGHTDESK_UI_PORT={settings.ui_port + 1}`"
        )


if __name__ == "__main__":
    main()
