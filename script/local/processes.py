"""Processes of ours: started, watched until they are ready, stopped; they never outlive us."""

import ctypes
import json
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from script.local import ROOT
from script.local.problem import Problem

# The environment variable by which a later run recognises a process of this clone.
MARK = "CLOUD_PORTAL_CLONE"
_PR_SET_PDEATHSIG = 1


class Identity(TypedDict, total=False):
    """Arguments of subprocess.Popen and subprocess.run."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Process:
    """A running program with its log; `stop_signal` asks it to end in order."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    stop_signal: int

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.popen.poll() is None


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    account: str | None = None,
    cwd: Path | str = "/",
    stop_signal: int = signal.SIGTERM,
) -> Process:
    """Starts `command` in a session of its own with its output in `log`, as `account` if given.

    Call it from the main thread: the child gets `stop_signal` when the thread that started it ends.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    variables = dict(os.environ if env is None else env)
    variables[MARK] = str(ROOT)
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=variables,
            cwd=cwd,
            # Ctrl-C in the terminal reaches us alone, so that we stop them in order.
            start_new_session=True,
            preexec_fn=_ends_with_parent(stop_signal),
            **identity(account),
        )
    return Process(name, popen, log, stop_signal)


def wait_until(process: Process, is_ready: Callable[[], bool], seconds: float) -> None:
    """Asks `is_ready` until it says yes; raises Problem with the last log lines if the process ends or time is up."""
    deadline = time.monotonic() + seconds
    while not is_ready():
        if not process.is_alive:
            raise Problem(death(process))
        if time.monotonic() > deadline:
            raise Problem(f"{process.name} is not ready after {seconds:.0f} s. {_log_tail(process.log)}")
        time.sleep(0.05)


def stop(processes: Iterable[Process], seconds: float = 10) -> None:
    """Asks all of them to end at once, and ends what is left of them after `seconds`."""
    running = list(processes)
    for process in running:
        _send(process, process.stop_signal)
    deadline = time.monotonic() + seconds
    for process in running:
        try:
            process.popen.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        # Whether or not the leader ended: what it left behind goes too.
        _kill_group(process.popen.pid)
        process.popen.wait()


def death(process: Process) -> str:
    """A sentence on how a process ended, with its last log lines."""
    code = process.popen.poll()
    how = f"was ended by {signal.Signals(-code).name}" if code is not None and code < 0 else f"ended with code {code}"
    return f"{process.name} {how}. {_log_tail(process.log)}"


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, indented."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-count:]
    except OSError:
        lines = []
    return "\n".join(f"    {_readable(line)[:400]}" for line in lines)


def _readable(line: str) -> str:
    """What a person needs of a line of the portal's JSON log; other lines as they are."""
    try:
        record = json.loads(line)
        reason = (record.get("exc_info") or "").strip().splitlines()[-1:]
        return ": ".join([record["level"], record["message"], *reason])
    except (ValueError, KeyError, TypeError, AttributeError):
        return line


def _log_tail(log: Path) -> str:
    return f"The end of {log}:\n{last_lines(log)}"


def _send(process: Process, number: int) -> None:
    if process.is_alive:
        process.popen.send_signal(number)


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def identity(account: str | None) -> Identity:
    """The arguments of subprocess that run a program as `account`, or as ourselves."""
    if account is None:
        return {}
    entry = pwd.getpwnam(account)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _ends_with_parent(number: int) -> Callable[[], None] | None:
    """Asks Linux to send the child a signal when we die, even by SIGKILL."""
    if sys.platform != "linux":
        return None
    parent = os.getpid()
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        # We may have died before the request was made.
        if os.getppid() != parent:
            os._exit(1)

    return ask
