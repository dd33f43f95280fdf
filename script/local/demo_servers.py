"""The demo's own PostgreSQL, Redis and LDAP directory, and what the portal must know of them."""

import secrets
import subprocess
from pathlib import Path

from script.local import ROOT, environment, leftovers, ports, postgres, processes, redis, state
from script.local.problem import Problem
from script.local.variables import directory

_PROGRAM = ROOT / "script" / "local" / "ldap_directory.py"
_LDIF = ROOT / "script" / "local" / "directory.ldif"


class Servers:
    """Three servers on free ports of 127.0.0.1 with their data in `folder`; what was started goes into `running`."""

    def __init__(self, folder: Path, running: list[processes.Process]) -> None:
        self._folder = folder
        self._running = running
        self._postgres_port, self._redis_port, self._ldap_port = (ports.free_port() for _ in range(3))
        self._redis_password = secrets.token_urlsafe(24)
        self._certificates = folder / "certificates"

    def start(self) -> None:
        """Starts all three at once and waits until each answers."""
        password = self._postgres_password()
        data, log = self._folder / "postgres", self._folder / "log"
        postgres.initialise(data, password)
        database = self._keep(postgres.start(data, self._postgres_port, log / "postgres.log"))
        broker = self._keep(
            redis.start(self._folder / "redis", self._redis_port, self._redis_password, log / "redis.log")
        )
        ready = self._start_directory(log / "ldap.log")
        processes.wait_until(database, lambda: postgres.is_ready(data, self._postgres_port), 60)
        processes.wait_until(broker, lambda: redis.is_ready(self._redis_port, self._redis_password), 20)
        processes.wait_until(self._running[-1], ready.exists, 30)

    def variables(self, address: str) -> dict[str, str]:
        """The portal's environment variables for these servers and for itself at `address`."""
        return {
            "PORTAL_DEMO": "true",
            "PORTAL_SECRET_KEY_FILE": str(state.secret(self._folder, "secret-key")),
            "PORTAL_TOKEN_PEPPER_FILE": str(state.secret(self._folder, "token-pepper")),
            "PORTAL_ENCRYPTION_KEYS_FILE": str(state.encryption_key(self._folder, "encryption-keys")),
            "PORTAL_EXTERNAL_URL": address,
            "PORTAL_ALLOWED_HOSTS": "127.0.0.1,localhost",
            "PORTAL_DATABASE_URL": postgres.url(self._postgres_port, self._postgres_password()),
            "PORTAL_REDIS_URL": redis.url(self._redis_port, self._redis_password),
            "PORTAL_STATIC_ROOT": str(self._folder / "static"),
            **directory(self._ldap_port, self._certificates / "ca.pem"),
        }

    def _postgres_password(self) -> str:
        return state.secret(self._folder, "postgres-password").read_text()

    def _start_directory(self, log: Path) -> Path:
        """Starts the LDAP server; the file that appears once it answers."""
        # Made anew at every start: a certificate of an old demo would have run out.
        made = subprocess.run(
            [environment.PYTHON, "-m", "script.local.certificates", self._certificates],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise Problem(f"The directory's certificate could not be made: {made.stderr.strip().splitlines()[-1]}")
        ready = self._folder / "ldap.ready"
        ready.unlink(missing_ok=True)
        command: list[str | Path] = [environment.PYTHON, _PROGRAM, "--port", str(self._ldap_port), "--ldif", _LDIF]
        command += ["--cert", self._certificates / "server.pem", "--key", self._certificates / "server.key"]
        command += ["--ready-file", ready]
        self._keep(processes.start("LDAP directory", command, log=log, cwd=ROOT))
        return ready

    def _keep(self, process: processes.Process) -> processes.Process:
        self._running.append(process)
        # At once: we may be killed before the next one is started.
        leftovers.write_down(self._folder / "processes.json", ROOT, self._running)
        return process
