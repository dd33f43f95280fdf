"""The demo: servers of this machine, a seeded portal, its three processes; stopped together."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from script.local import ROOT, commands, environment, leftovers, ports, processes, state
from script.local.demo_clusters import ADVICE, RealCluster, git_repository, own_cluster
from script.local.demo_servers import Servers
from script.local.problem import Problem
from script.local.variables import as_shell

_LOGINS = (
    ("dev", "developer of the tenant claims", "开发人员"),
    ("owner", "owner of the tenant claims", "租户负责人"),
    ("architect", "approver: architecture", "架构审批"),
    ("datacenter", "approver: data centre", "数据中心审批"),
    ("security", "approver: security", "安全审批"),
    ("platform", "approver: platform", "平台审批"),
    ("admin", "platform administrator", "平台管理员"),
    ("admin2", "platform administrator, decides what admin asks for", "另一位平台管理员"),
    ("auditor", "auditor", "审计"),
    ("stranger", "developer of the tenant motor", "其他租户"),
)
_PASSWORD = "portal-demo"  # nosec B105  # of the demo, which says it


def main() -> None:
    """script/demo: starts everything, says where, and stops everything on Ctrl-C."""
    parser = argparse.ArgumentParser(prog="script/demo", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8000, help="port of the portal on 127.0.0.1 (default: 8000)")
    parser.add_argument("--reset", action="store_true", help="forget all data of an earlier demo first")
    parser.add_argument("--kubeconfig", type=Path, metavar="FILE", help="register a cluster of your own as well")
    parser.add_argument("--context", default="", help="which of the kubeconfig's (default: its current one)")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        own = own_cluster(options.kubeconfig, options.context)
        folder = state.prepare()
        address = f"http://127.0.0.1:{options.port}"
        with state.lock(folder, f"process {os.getpid()}, {address}"):
            _clear(folder, wipe=options.reset)
            ports.check_free(options.port, "script/demo")
            Demo(folder, options.port, address, own).run()
    except Problem as problem:
        sys.exit(f"\n{problem}")
    except KeyboardInterrupt:
        print("\nStopped.")


class Demo:
    """One run of the demo on the state in `folder`."""

    def __init__(self, folder: Path, port: int, address: str, own: dict[str, str]) -> None:
        self.folder = folder
        self.port = port
        self.address = address
        self.running: list[processes.Process] = []
        self.variables: dict[str, str] = {}
        # Which cluster of the user's own is registered, for `seed_demo` alone.
        self.own = own

    def run(self) -> None:
        """Starts everything and watches it until somebody stops us or a process ends."""
        started = time.monotonic()
        try:
            self._prepare()
            self._start_portal()
            _greet(self.address, self.folder, time.monotonic() - started)
            if self.own:
                print(ADVICE, flush=True)
            self._watch()
        finally:
            self._stop()

    def _prepare(self) -> None:
        with step("Python packages"):
            environment.ensure(["requirements.txt", "requirements-demo.txt"])
        with step("front-end assets"):
            self._command("assets", [ROOT / "script" / "assets"], PYTHON=str(environment.PYTHON))
        # What follows is nobody else's to read; the packages and assets above are.
        os.umask(0o077)
        with step("PostgreSQL, Redis and LDAP directory"):
            servers = Servers(self.folder, self.running)
            servers.start()
            self._note()
            self.variables = servers.variables(self.address)
        cluster = RealCluster(self.folder)
        cluster.begin()
        self.variables |= git_repository(self.folder)
        with step("translations, tables and static files"):
            self._python("prepare", "-m", "script.local.preparation")
        with step("Kubernetes API server" if cluster.is_built else "no Kubernetes API server, GitOps only"):
            self.variables |= cluster.wait(self.running)
            self._note()
        _write_environment(self.folder, self.variables)
        with step("people, tenants and clusters"):
            self._command("seed", [environment.PYTHON, "manage.py", "seed_demo"], **self.own)

    def _start_portal(self) -> None:
        with step("web, worker and dispatch"):
            web = self._start("web", *commands.web("127.0.0.1", self.port))
            self._start("worker", *commands.WORKER)
            self._start("dispatch", *commands.DISPATCH)
            self._note()
            processes.wait_until(web, self._is_ready, 60)

    def _is_ready(self) -> bool:
        """Whether the portal answers; raises Problem if any process has ended meanwhile."""
        self._check()
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.address}/readyz", timeout=5) as response:  # nosec B310
            return bool(response.status == 200)
        return False

    def _start(self, name: str, *arguments: str) -> processes.Process:
        command = [str(environment.PYTHON), *arguments]
        log = self.folder / "log" / f"{name}.log"
        process = processes.start(name, command, log=log, env=self._env(), cwd=ROOT)
        self.running.append(process)
        return process

    def _python(self, name: str, *arguments: str) -> None:
        self._command(name, [environment.PYTHON, *arguments])

    def _command(self, name: str, command: Sequence[str | Path], **more: str) -> None:
        """Runs a step to its end; raises Problem with the end of its log when it fails."""
        log = self.folder / "log" / f"{name}.log"
        log.parent.mkdir(mode=0o700, exist_ok=True)
        with log.open("wb") as output:
            done = subprocess.run(
                [str(part) for part in command],
                cwd=ROOT,
                env=self._env() | more,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            raise Problem(f"The step {name} failed. The end of {log}:\n{processes.last_lines(log)}")

    def _env(self) -> dict[str, str]:
        return {**os.environ, "PYTHONUNBUFFERED": "1", **self.variables}

    def _note(self) -> None:
        leftovers.write_down(self.folder / "processes.json", ROOT, self.running)

    def _watch(self) -> None:
        while True:
            self._check()
            time.sleep(0.3)

    def _check(self) -> None:
        for process in self.running:
            if not process.is_alive:
                raise Problem(f"{processes.death(process)}\nEverything is stopped.")

    def _stop(self) -> None:
        """The portal first, then what it needs: nothing logs errors about a server that went before it."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        of_portal = [process for process in self.running if process.name in ("web", "worker", "dispatch")]
        processes.stop(of_portal)
        processes.stop([process for process in self.running if process not in of_portal])
        (self.folder / "processes.json").unlink(missing_ok=True)


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Prints the name of what goes on, and how long it took."""
    print(f"  {name:<42}", end="", flush=True)
    started = time.monotonic()
    yield
    print(f"{time.monotonic() - started:6.1f} s", flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _clear(folder: Path, *, wipe: bool) -> None:
    names = leftovers.stop_leftovers(folder / "processes.json", ROOT)
    if names:
        print(f"  stopped what an earlier run left behind: {', '.join(names)}")
    if wipe:
        state.reset(folder)


def _write_environment(folder: Path, variables: dict[str, str]) -> None:
    """For whoever wants to run manage.py beside the demo: `. var/environment`."""
    file = folder / "environment"
    file.touch(mode=0o600)
    file.write_text(as_shell(variables))


def _greet(address: str, folder: Path, seconds: float) -> None:
    print(f"\nThe portal is ready after {seconds:.0f} s: {address}\n\nLogins, password of all: {_PASSWORD}")
    for name, english, chinese in _LOGINS:
        print(f"  {name:<12}{english:<52}{chinese}")
    print(
        f"\nLogs: {folder / 'log'}. Stop everything with Ctrl-C; forget everything with script/demo --reset.",
        flush=True,
    )


if __name__ == "__main__":
    main()
