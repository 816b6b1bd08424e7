"""The embedded mongod: one at a time, found again, and whole after a crash."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from resources.embedded_mongo import RunningMongod, ensure_running, status, stop
from resources.mongod_launch import EmbeddedMongoError
from tests.support.mongod import wait_for_end

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A state folder with a space in its path; its mongod is ended afterwards."""
    state = tmp_path / "state folder"
    yield state
    stop(state)


def started(folder: Path) -> RunningMongod:
    """Start a mongod and return it."""
    ensure_running(folder)
    running = status(folder)
    assert running is not None
    return running


def processes_of(folder: Path) -> list[int]:
    """Return the pids of all mongod processes on a state folder."""
    listing = subprocess.run(
        ["/usr/bin/env", "pgrep", "-f", "--", f"--dbpath {folder}/mongo/data "],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(pid) for pid in listing.stdout.split()]


def executable(path: Path, script: str) -> Path:
    """Write a stand-in for a mongod that cannot run."""
    path.write_text(script)
    path.chmod(0o755)
    return path


def test_callers_at_the_same_time_share_one_process(folder: Path) -> None:
    """Two processes on one data folder are refused by mongod, two ports would split the night."""
    with ThreadPoolExecutor(4) as pool:
        uris = set(pool.map(ensure_running, [folder] * 4))
    assert len(uris) == 1
    assert len(processes_of(folder)) == 1
    assert ensure_running(folder) in uris


def test_a_killed_mongod_is_started_again_with_its_data(folder: Path) -> None:
    """A crash leaves a lock file and a stale record; neither may stop the next night."""
    before = started(folder)
    with MongoClient[dict[str, Any]](before.uri) as client:
        client["test"].get_collection("kept").insert_one({"_id": 1})
        client.admin.command("fsync")
    os.kill(before.pid, signal.SIGKILL)
    wait_for_end(before.pid)
    after = started(folder)
    assert after.pid != before.pid
    with MongoClient[dict[str, Any]](after.uri) as client:
        assert client["test"]["kept"].count_documents({}) == 1


def test_stopping_ends_it_for_good(folder: Path) -> None:
    """`make stop` must leave nothing running, and may be repeated."""
    running = started(folder)
    assert stop(folder)
    assert processes_of(folder) == []
    assert status(folder) is None
    assert not stop(folder)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", running.port), timeout=1)


def test_it_outlives_the_command_that_started_it_and_inherits_nothing(folder: Path) -> None:
    """An open file of the starter would keep its pipes and locks alive for days."""
    script = (
        "import os, sys; from pathlib import Path; "
        "from resources.embedded_mongo import ensure_running; "
        "os.set_inheritable(os.open(sys.argv[2], os.O_RDWR | os.O_CREAT), True); "
        "ensure_running(Path(sys.argv[1]))"
    )
    secret = folder.parent / "left open"
    subprocess.run([sys.executable, "-c", script, str(folder), str(secret)], cwd=ROOT, check=True)
    running = status(folder)
    assert running is not None
    assert secret.exists()
    assert os.getsid(running.pid) != os.getsid(0)
    descriptors = Path(f"/proc/{running.pid}/fd").iterdir()
    assert secret not in {descriptor.resolve() for descriptor in descriptors}


def test_a_reused_pid_is_neither_trusted_nor_killed(folder: Path) -> None:
    """After a reboot the recorded pid may be anybody's: here it is this test's own."""
    (folder / "mongo").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        record = {"pid": os.getpid(), "port": somebody.getsockname()[1]}
        (folder / "mongo" / "mongod.json").write_text(json.dumps(record))
        assert status(folder) is None
        running = started(folder)
    assert running.pid != record["pid"]
    assert running.port != record["port"]


@pytest.mark.parametrize("record", [None, "{"], ids=["lost", "cut"])
def test_a_mongod_without_its_record_is_replaced(folder: Path, record: str | None) -> None:
    """Otherwise it would hold the data folder, and nobody could find it or start another."""
    before = started(folder)
    (folder / "mongo" / "mongod.json").unlink()
    if record is not None:
        (folder / "mongo" / "mongod.json").write_text(record)
    after = started(folder)
    assert processes_of(folder) == [after.pid]
    assert after.pid != before.pid


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            '#!/bin/sh\necho "mongod: error while loading shared libraries: libcrypto.so.3: '
            'cannot open shared object file" >&2\nexit 127\n',
            "system library libcrypto.so.3 is missing",
        ),
        ("#!/bin/sh\necho 'write: No space left on device'\nexit 14\n", "the disk is full"),
        ("not a program", "cannot be run here"),
        ("#!/bin/sh\nexit 1\n", "exit code 1.*it logged no error.*MONGODB_URI"),
    ],
    ids=["library", "disk", "format", "unknown"],
)
def test_a_mongod_that_cannot_start_says_why(folder: Path, script: str, sentence: str) -> None:
    """A newcomer must learn what to install, or that MONGODB_URI is the way out."""
    broken = executable(folder.parent / "broken-mongod", script)
    with pytest.raises(EmbeddedMongoError, match=sentence):
        ensure_running(folder, binary=broken)


def test_a_damaged_data_folder_is_reported_with_what_mongod_logged(folder: Path) -> None:
    """The reason stands in a log of thousands of JSON lines: nobody would find it there."""
    data = folder / "mongo" / "data"
    data.mkdir(parents=True)
    (data / "WiredTiger").write_text("damaged")
    (data / "storage.bson").write_bytes(b"damaged")
    with pytest.raises(EmbeddedMongoError, match=r"Unable to read the storage engine metadata"):
        ensure_running(folder)
