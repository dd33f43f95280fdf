"""The git program, run for one remote repository: with settings of our own and nobody else's, and limits on everything.

Debian's git with OpenSSH rather than a library: both are kept up by many, can be killed when time is up, and check
certificates and host keys as administrators know it. It speaks to the remote; commits are made in Python.
"""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from django.utils.translation import gettext_noop

from clusters.drivers.base import Connection, DriverError, Unreachable
from clusters.drivers.gitops.address import Address, check_host
from clusters.drivers.gitops.head import LARGEST_FILE
from web.sentences import Sentence

# Of one file that git writes, the fetched pack above all; in blocks of 512 bytes: 256 MiB.
_LARGEST_BLOCKS = 512 * 1024
# Of what git says, in bytes; the end counts.
_LONGEST_WORDS = 64 * 1024
# Servers that take a token ask for some user name with it.
_ANYBODY = "git"
_ENDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Said(NamedTuple):
    """How git ended and what it printed; without credentials, whoever put them there."""

    code: int
    out: str
    err: str


class Program:
    """Runs git over an empty bare repository in a private folder, whose remote `origin` is the address.

    Nothing of this machine's configuration is read: no system or user settings, no hooks, no agents, no prompts, no
    proxies, no redirects, and no protocol but the address's. Credentials are in files of mode 0600 while git runs.
    """

    def __init__(self, address: Address, connection: Connection) -> None:
        self._address, self._connection = address, connection
        self._folder = tempfile.TemporaryDirectory(prefix="portal-git-")
        self._home = Path(self._folder.name)
        self.repository = self._home / "repository.git"
        for name in ("objects/info", "objects/pack", "refs/heads"):
            (self.repository / name).mkdir(parents=True)
        (self.repository / "HEAD").write_text("ref: refs/heads/unborn\n")
        (self.repository / "config").write_text(self._settings())

    def run(self, *arguments: str, deadline: float) -> Said:
        """One git command. `deadline` is a time of time.monotonic(); Unreachable is raised once it has passed."""
        check_host(self._address.host)
        out, err = self._home / "out", self._home / "err"
        # The shell sets a limit that the program and all it starts keep.
        command = ["sh", "-c", f'ulimit -f {_LARGEST_BLOCKS} && exec "$@"', "sh", "git", *arguments]
        with self._secrets(), out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                command,
                cwd=self._home,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                words = {"host": self._address.host}
                text = gettext_noop("The Git server %(host)s did not answer in time.")
                raise Unreachable(Sentence(text, words), transient=True) from None
            finally:
                # With what it started: ssh, or the helper that speaks https.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.returncode == 127:
            text = gettext_noop("The program git is missing on the portal's machine.")
            raise DriverError(Sentence(text), transient=False, operator=True)
        return Said(process.returncode, self._clean(out), self._clean(err))

    def close(self) -> None:
        """Removes the folder."""
        self._folder.cleanup()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._home),
            "LC_ALL": "C",
            "GIT_DIR": str(self.repository),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": self._address.scheme,
            "GIT_SSH_VARIANT": "ssh",
        }

    def _settings(self) -> str:
        """The repository's configuration: the only one that git reads."""
        lines = [
            *("[core]", "repositoryFormatVersion = 1", "bare = true", f"hooksPath = {os.devnull}"),
            f"sshCommand = {_quoted(self._ssh())}",
            *("[extensions]", "partialClone = origin"),
            *("[gc]", "auto = 0", "[maintenance]", "auto = false"),
            *('[remote "origin"]', f"url = {_quoted(self._address.url)}", "promisor = true"),
            f"partialCloneFilter = blob:limit={LARGEST_FILE}",
            *("[protocol]", "allow = never", f'[protocol "{self._address.scheme}"]', "allow = always"),
            *("[http]", "followRedirects = false", "sslVerify = true"),
        ]
        if self._connection.ca:
            lines.append(f"sslCAInfo = {_quoted(str(self._file('ca', self._connection.ca)))}")
        store = f"store --file={shlex.quote(str(self._home / 'credentials'))}"
        lines += ["[credential]", f"helper = {_quoted(store)}"]
        return "\n".join([*lines, ""])

    def _ssh(self) -> str:
        options = {
            "IdentityFile": self._home / "key",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "UserKnownHostsFile": self._file("known_hosts", self._connection.known_hosts),
            "GlobalKnownHostsFile": os.devnull,
            "StrictHostKeyChecking": "yes",
            "UpdateHostKeys": "no",
            "CheckHostIP": "no",
            "BatchMode": "yes",
            "PreferredAuthentications": "publickey",
            "ClearAllForwardings": "yes",
            "ForwardAgent": "no",
            "PermitLocalCommand": "no",
            "ControlMaster": "no",
            "LogLevel": "ERROR",
        }
        return shlex.join(["ssh", "-F", "none", *(f"-o{name}={value}" for name, value in options.items())])

    @contextlib.contextmanager
    def _secrets(self) -> Iterator[None]:
        """The credentials in files while git runs."""
        token, user = self._connection.token, self._connection.username or _ANYBODY
        if self._address.scheme == "ssh":
            name, text = "key", token.strip().replace("\r\n", "\n") + "\n"
        else:
            parts = urlsplit(self._address.url)
            name, text = "credentials", f"https://{quote(user, '')}:{quote(token, '')}@{parts.netloc}\n"
        if not token:
            yield
            return
        path = self._file(name, text)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

    def _file(self, name: str, text: str) -> Path:
        """Writes a file that nobody else may read."""
        path = self._home / name
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        return path

    def _clean(self, path: Path) -> str:
        """The end of what was printed, readable, without the credentials that a server may have sent back."""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LONGEST_WORDS))
            text = file.read().decode("utf-8", "replace").replace("\r", "\n")
        token = self._connection.token
        for secret in (token, quote(token, ""), *token.strip().splitlines()[1:-1]):
            # A short one would take out half of the words, and is none.
            if len(secret) >= 4:
                text = text.replace(secret, "***")
        return _ENDS.sub("", text)


def _quoted(value: str) -> str:
    """A value in git's configuration file."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
