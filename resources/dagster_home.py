"""Dagster's own home under the state folder, with the repository's `dagster.yaml` linked in.

At the project's root Dagster would write its databases into our package `schedules`.
"""

import os
from pathlib import Path

from resources.settings import PROJECT_ROOT, Settings


def prepare_dagster_home(settings: Settings) -> Path:
    """Create DAGSTER_HOME where it is not there yet, and point this process and its children at it.

    An instance of the user's own, set in DAGSTER_HOME, is left as it is.
    """
    if os.environ.get("DAGSTER_HOME"):
        return Path(os.environ["DAGSTER_HOME"])
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    link = home / "dagster.yaml"
    if not link.exists():
        link.unlink(missing_ok=True)  # a link that points nowhere since the project was moved
        link.symlink_to(PROJECT_ROOT / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    return home
