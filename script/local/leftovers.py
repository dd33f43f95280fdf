"""Processes that an earlier run left behind (it was killed): written down, recognised, and stopped."""

import json
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from script.local.processes import MARK, Process

_PROC = Path("/proc")


@dataclass(frozen=True)
class _Stat:
    """What /proc/<pid>/stat says: session, and start time in clock ticks since the machine started."""

    session: int
    started: int
    is_zombie: bool


def write_down(file: Path, clone: Path, processes: Iterable[Process]) -> None:
    """Notes the processes of a run of this `clone` in `file`, for `stop_leftovers` of the next run."""
    rows = []
    for process in processes:
        stat = _stat(process.popen.pid)
        if stat is not None:
            rows.append({"name": process.name, "pid": process.popen.pid, "started": stat.started})
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({"clone": str(clone), "boot": _boot(), "processes": rows}))
    fresh.replace(file)


def stop_leftovers(file: Path, clone: Path, seconds: float = 15) -> list[str]:
    """Stops what is left of the run that wrote `file` and names it.

    A process is ours if it has the number and the start time that were written down, or belongs to the session of
    such a one and carries the clone's mark. A file of another clone (a copied folder) is not believed.
    """
    rows = _read(file, clone)
    found = {pid: str(row["name"]) for row in rows for pid in _ours(row, clone)}
    for pid in found:
        _signal(pid, signal.SIGTERM)
    # SIGTERM lets PostgreSQL wait for its clients, which may be among those just asked: SIGINT does not.
    for pid, name in found.items():
        if name == "PostgreSQL":
            _signal(pid, signal.SIGINT)
    deadline = time.monotonic() + seconds
    while any(_is_running(pid) for pid in found):
        if time.monotonic() > deadline:
            for row in rows:
                for pid in _ours(row, clone):
                    _signal(pid, signal.SIGKILL)
            break
        time.sleep(0.05)
    file.unlink(missing_ok=True)
    return sorted(set(found.values()))


def _read(file: Path, clone: Path) -> list[dict[str, object]]:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return []
    if content.get("clone") != str(clone) or content.get("boot") != _boot():
        return []
    rows: list[dict[str, object]] = content["processes"]
    return rows


def _ours(row: dict[str, object], clone: Path) -> list[int]:
    leader, started = int(str(row["pid"])), int(str(row["started"]))
    stat = _stat(leader)
    if stat is not None and stat.started != started:
        return []
    members = [pid for pid in _pids() if (member := _stat(pid)) is not None and member.session == leader]
    if stat is not None:
        return members
    return [pid for pid in members if _carries_mark(pid, clone)]


def _carries_mark(pid: int, clone: Path) -> bool:
    try:
        variables = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return f"{MARK}={clone}".encode() in variables


def _pids() -> list[int]:
    if not _PROC.is_dir():
        return []
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> _Stat | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name in brackets may hold anything; what follows it is fixed (proc(5), fields 3 and on).
    fields = text.rpartition(")")[2].split()
    return _Stat(session=int(fields[3]), started=int(fields[19]), is_zombie=fields[0] == "Z")


def _is_running(pid: int) -> bool:
    stat = _stat(pid)
    return stat is not None and not stat.is_zombie


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return
