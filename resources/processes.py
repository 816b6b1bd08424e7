"""Processes that are not our children: what they are and whether they have ended."""

import subprocess
from pathlib import Path

PROCESSES = Path("/proc")


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


def _lists_processes() -> bool:
    """Return whether the system shows processes as files, as Linux does and macOS does not."""
    return (PROCESSES / "self" / "stat").exists()


def _listed(pid: int, column: str) -> str:
    """Return what `ps` says of a process; nothing if it has ended."""
    listing = subprocess.run(  # noqa: S603  the command is ours, word by word
        ["/bin/ps", "-ww", "-o", column, "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return listing.stdout.strip()
