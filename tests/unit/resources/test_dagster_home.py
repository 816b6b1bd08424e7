"""Dagster's home follows the settings: SQLite by default, PostgreSQL where one is named."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml

from resources.dagster_home import prepare_dagster_home
from resources.settings import PROJECT_ROOT, Settings

ADDRESS = "postgresql+psycopg2://desk:s3cr3t@127.0.0.1:5432/dagster"


def test_the_configuration_follows_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of yesterday's settings would keep the runs in the wrong place."""
    target = tmp_path / "dagster" / "dagster.yaml"
    shared = (PROJECT_ROOT / "dagster.yaml").read_text(encoding="utf-8")
    for address in ("", ADDRESS, ADDRESS, "", ""):
        monkeypatch.setenv("DAGSTER_HOME", "")
        monkeypatch.setenv("NIGHTDESK_DAGSTER_DATABASE", address)
        prepare_dagster_home(Settings(NIGHTDESK_HOME=str(tmp_path)))
        written = target.read_text(encoding="utf-8")
        assert target.is_symlink() == (not address)
        assert yaml.safe_load(written).items() >= yaml.safe_load(shared).items()
        assert ("storage" in yaml.safe_load(written)) == bool(address)
        assert "s3cr3t" not in written


OPENED = """
import dagster as dg
from resources.dagster_home import prepare_dagster_home
from resources.settings import Settings
dg.DagsterInstance.from_config(str(prepare_dagster_home(Settings()))).dispose()
"""


def test_processes_that_open_a_new_home_at_once_leave_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make ui` beside the first `make nightly`: two creators would stamp the databases twice."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("NIGHTDESK_HOME", str(tmp_path))
    at_once = [
        subprocess.Popen([sys.executable, "-c", OPENED], cwd=PROJECT_ROOT, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in at_once:
        _, told = process.communicate()
        assert process.returncode == 0, told.decode()
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        assert instance.get_runs() == []
