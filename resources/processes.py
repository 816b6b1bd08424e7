"""Processes that are not our children: what they are and whether they have ended."""

import os
import subprocess
import time
from pathlib import Path

PROCESSES = Path("/proc")
_START_FIELD = 19
"""Where a process's start stands behind its name in its line of `stat` (proc(5), field 22)."""


def command_line(pid: int) -> str:
    """Return the command line of a process, its words joined by spaces; empty if it has ended."""
    if not _lists_processes():
        return _listed(pid, "command=")
    try:
        return (PROCESSES / str(pid) / "cmdline").read_text(errors="replace").replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def has_ended(pid: int) -> bool:
    """Return whether a process is gone for good, its files and ports given back.

    A killed process loses its command line first and its open files later; where nobody collects
    it, it stays in the list as a zombie of one thread.
    """
    if not _lists_processes():
        return _listed(pid, "stat=")[:1] in ("", "Z")
    process = PROCESSES / str(pid)
    try:
        state = (process / "stat").read_text().rpartition(") ")[2][:1]
        return state in ("Z", "X") and len(list((process / "task").iterdir())) <= 1
    except (FileNotFoundError, ProcessLookupError):
        return True


def started_at(pid: int) -> float | None:
    """Return when a process began, in seconds since 1970; None if it has ended."""
    if not _lists_processes():
        told = _listed(pid, "lstart=")
        return time.mktime(time.strptime(told)) if told else None
    try:
        fields = (PROCESSES / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    lines = (PROCESSES / "stat").read_text().splitlines()
    (booted_at,) = (float(line.split()[1]) for line in lines if line.startswith("btime "))
    return booted_at + int(fields[_START_FIELD]) / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have, in any order."""
    parents = _parents()
    found = [pid]
    for ancestor in found:
        found += [child for child, parent in parents.items() if parent == ancestor]
    return found[1:]


def _parents() -> dict[int, int]:
    """Return every process with the one that started it."""
    if not _lists_processes():
        pairs = (line.split() for line in _listing("-axo", "pid=,ppid=").splitlines())
        return {int(pid): int(parent) for pid, parent in pairs}
    parents = {}
    for process in PROCESSES.glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended while we looked
        parents[int(process.name)] = int(fields[1])
    return parents


def _lists_processes() -> bool:
    """Return whether the system shows processes as files, as Linux does and macOS does not."""
    return (PROCESSES / "self" / "stat").exists()


def _listed(pid: int, column: str) -> str:
    """Return what `ps` says of a process; nothing if it has ended."""
    return _listing("-ww", "-o", column, "-p", str(pid))


def _listing(*arguments: str) -> str:
    """Return what `ps` answers, for systems that do not show processes as files."""
    listing = subprocess.run(  # noqa: S603  the command is ours, word by word
        ["/bin/ps", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return listing.stdout.strip()
