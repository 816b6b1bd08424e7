"""The night is killed at many moments; run again, it ends as if it never was."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from signal import SIGKILL
from typing import Any

import numpy as np
import pytest
from pymongo import MongoClient

from assets.groups import Group
from pipelines.tables import TABLES
from resources.lake_attachment import detach
from resources.serving import Serving
from tests.support.desk import LEARNED_FEATURES, TRAINED_SESSION, Desk
from tests.support.killed_nights import (
    Moment,
    NightEnd,
    NightOrder,
    NightProcesses,
    night_processes,
)

SESSION = date(2004, 9, 2)
GROUPS = (
    *(Group.INGEST, Group.QUALITY, Group.FEATURES, Group.SIGNALS),
    *(Group.REGIMES, Group.FORECASTS, Group.LIFECYCLE, Group.PUBLISHING),
)
ROWS = 3
"""Nights that are killed in every group: 24 kills."""
DATABASE = "killed_nights"


@dataclass(frozen=True)
class PreparedDesk:
    """A desk with a trained model and the night before, and copies to go back to."""

    desk: Desk
    copy: Path
    documents: dict[str, list[dict[str, Any]]]

    @property
    def order(self) -> NightOrder:
        """The night that is to be killed."""
        return NightOrder(self.desk.folder, self.desk.serving.uri, DATABASE, SESSION)

    def restore(self) -> None:
        """Put files and documents back as they were before the night."""
        for original in self.copy.iterdir():
            changed = self.desk.folder / original.name
            shutil.rmtree(changed)
            shutil.copytree(original, changed)
        with MongoClient[dict[str, Any]](self.desk.serving.uri) as client:
            for collection in client[DATABASE].list_collection_names():
                client[DATABASE][collection].delete_many({})
                if documents := self.documents.get(collection):
                    client[DATABASE][collection].insert_many(documents)

    def outcome(self) -> dict[str, list[dict[str, Any]]]:
        """Return all that a night has published and stored, without the names of its runs."""
        lake, documents = self.desk.lake, self.desk.documents()
        for manifest in documents["pipeline_runs"]:
            manifest.pop("runs")
        rows = {name: lake.read(f"FROM {name} ORDER BY ALL").to_dicts() for name in TABLES}
        detach(lake.catalog_path)  # its files are about to be replaced
        return documents | {f"table {name}": stored for name, stored in rows.items()}


@pytest.fixture(scope="module")
def prepared(mongod_uri: str, tmp_path_factory: pytest.TempPathFactory) -> PreparedDesk:
    """A desk on the eve of the night, with a Dagster instance that knows no run yet."""
    folder = tmp_path_factory.mktemp("killed")
    desk = Desk(
        folder=folder / "desk",
        serving=Serving(uri=mongod_uri, database=DATABASE),
        feature_groups=LEARNED_FEATURES,
    )
    (desk.folder / "dagster").mkdir(parents=True)
    assert desk.run("training", TRAINED_SESSION).success
    assert desk.run("nightly", TRAINED_SESSION).success
    detach(desk.lake.catalog_path)
    shutil.copytree(desk.folder, folder / "copy")
    return PreparedDesk(desk, folder / "copy", desk.documents())


@pytest.fixture(scope="module")
def nights() -> Iterator[NightProcesses]:
    """Nights in processes of their own."""
    with night_processes() as processes:
        yield processes


def groups_of(steps: list[str], desk: Desk) -> dict[str, Group]:
    """Return for each step the group of the asset that it makes or checks."""
    graph = desk.definitions.resolve_asset_graph()
    names = {key.to_user_string(): graph.get(key).group_name for key in graph.get_all_asset_keys()}
    for made in graph.assets_defs:  # a step that makes several has a name of its own
        if made.keys:
            names[made.node_def.name] = graph.get(min(made.keys)).group_name
    return {
        step: Group(names[max((name for name in names if step.startswith(name)), key=len)])
        for step in steps
    }


def random_moments(undisturbed: NightEnd, groups: dict[str, Group]) -> list[list[Moment]]:
    """Return rows of moments: in each row one of every group, in the order of the night.

    Of a group the moments of all rows are spread over its duration.
    """
    rng = np.random.default_rng(20)
    rows: list[list[Moment]] = [[] for _ in range(ROWS)]
    for group in GROUPS:
        spent = {
            step: seconds
            for step, seconds in undisturbed.seconds_by_step().items()
            if groups[step] == group
        }
        ends = np.cumsum(list(spent.values()))
        for number, row in enumerate(rng.permutation(ROWS)):
            at = (number + rng.random()) / ROWS * ends[-1]
            index = int(np.searchsorted(ends, at))
            step = list(spent)[index]
            rows[row].append(Moment(step, float(at - ends[index] + spent[step])))
    return rows


def kill(prepared: PreparedDesk, nights: NightProcesses, moment: Moment) -> str:
    """Kill the night at a moment, or before where it was faster; return the step that was hit."""
    killed = nights.run(prepared.order, kill_at=moment)
    if killed.exit_code == 0:
        prepared.restore()
        return kill(prepared, nights, Moment(moment.step, moment.seconds / 2))
    assert killed.exit_code == -SIGKILL
    return list(killed.began)[-1]


@pytest.mark.slow
def test_a_night_killed_at_any_moment_ends_as_if_it_never_was(
    prepared: PreparedDesk, nights: NightProcesses
) -> None:
    """Rows twice, half a publication, another `as_of`, or a pool that nobody gives back.

    Each night is killed in one group of steps after the other, and then left alone.
    """
    prepared.restore()
    undisturbed = nights.run(prepared.order)
    assert undisturbed.exit_code == 0
    expected = prepared.outcome()
    groups = groups_of(list(undisturbed.began), prepared.desk)
    hit = []
    for row in random_moments(undisturbed, groups):
        prepared.restore()
        steps = [kill(prepared, nights, moment) for moment in row]
        hit += [groups[step] for step in steps]
        print(f"killed in {', '.join(steps)}")  # noqa: T201
        assert nights.run(prepared.order).exit_code == 0
        found = prepared.outcome()
        assert found.keys() == expected.keys()
        for name, rows in expected.items():
            assert found[name] == rows, f"{name} after kills in {steps}"
    assert len(hit) == ROWS * len(GROUPS)
    assert len(set(hit)) > len(GROUPS) / 2  # on a busy machine a kill may come in the next step
