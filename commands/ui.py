"""`make ui`: the Dagster UI and daemon on this state, on loopback alone."""

import os
import sys
from pathlib import Path

from commands.instance import prepared_settings
from commands.processes import record_ui, ui_process
from resources.settings import PROJECT_ROOT


def main() -> None:
    """Become `dagster dev`, which serves the UI and runs schedules until it is ended."""
    settings = prepared_settings()
    running = ui_process(settings)
    if running is not None:
        sys.exit(
            f"nightdesk: the UI runs already, at http://127.0.0.1:{settings.ui_port} (pid "
            f"{running}); `make stop` ends it"
        )
    record_ui(settings)
    dagster = Path(sys.executable).with_name("dagster")
    arguments = ["dev", "-w", str(PROJECT_ROOT / "workspace.yaml"), "-h", "127.0.0.1"]
    os.execv(dagster, [str(dagster), *arguments, "-p", str(settings.ui_port)])  # noqa: S606


if __name__ == "__main__":
    main()
