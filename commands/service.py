"""One of Dagster's two processes in the foreground, as a service manager starts it.

`python -m commands.service daemon` launches what is scheduled, queued and backfilled; `… webserver`
shows the UI. `make ui` is both at once, for a person at a terminal.
"""

import argparse
import os
import sys
from pathlib import Path

from commands.instance import prepared_settings
from commands.processes import HOST, WORKSPACE
from resources.settings import Settings


def main() -> None:
    """Become the process that is asked for, on the state and settings of the desk."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("process", choices=("daemon", "webserver"))
    command = _command(parser.parse_args().process, prepared_settings())
    program = Path(sys.executable).with_name(command[0])
    os.execv(program, [str(program), *command[1:]])  # noqa: S606


def _command(process: str, settings: Settings) -> list[str]:
    """Return Dagster's own command for a process."""
    workspace = ["-w", str(WORKSPACE)]
    if process == "daemon":
        return ["dagster-daemon", "run", *workspace]
    return ["dagster-webserver", *workspace, "-h", HOST, "-p", str(settings.ui_port)]


if __name__ == "__main__":
    main()
