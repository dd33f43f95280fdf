"""The virtual environment at .venv: made once, filled from pinned requirements whose hashes are checked."""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from script.local import ROOT, machine
from script.local.problem import Problem

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
_STAMP = VENV / "installed.json"
_LOG = VENV / "pip.log"
# psycopg2 and python-ldap have no wheels: they are built here, against the machine's own libraries.
_BUILT = ("psycopg2", "python_ldap")
_HEADERS = {"libpq-fe.h": "libpq-dev", "ldap.h": "libldap-dev", "sasl/sasl.h": "libsasl2-dev"}


def ensure(files: Sequence[str]) -> None:
    """Makes .venv hold what the requirement `files` (names in the clone) say; at once, and offline, when it does."""
    with _alone():
        wanted = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in files}
        stamp = _read_stamp()
        if stamp is None:
            _create()
            stamp = {}
        if wanted.items() <= stamp.items():
            return
        _check_compiler()
        _install(files)
        _STAMP.write_text(json.dumps({"place": _place(), "files": stamp | wanted}, indent=1))


def _create() -> None:
    """A new virtual environment, unless there is one of unknown content at this very place, which is kept."""
    if _STAMP.exists() or not _works():
        shutil.rmtree(VENV, ignore_errors=True)
    if VENV.exists():
        return
    made = _make_venv()
    if made.returncode != 0 and machine.can_install():
        machine.install(["python3-venv"], "Python's venv module is incomplete.")
        shutil.rmtree(VENV, ignore_errors=True)
        made = _make_venv()
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise Problem(f"Python's venv module is incomplete. Install it with: {machine.cure([version])}")


def _make_venv() -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, check=False)


def _works() -> bool:
    if not PYTHON.exists():
        return False
    asked = [str(PYTHON), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def _check_compiler() -> None:
    """Raises Problem, or installs with apt as root, when what pip must compile could not be compiled."""
    if all(any(VENV.glob(f"lib/python3.*/site-packages/{name}-*.dist-info")) for name in _BUILT):
        return
    missing = missing_packages()
    if missing and machine.can_install():
        machine.install(missing, "A compiler or header is missing.")
        missing = missing_packages()
    if missing:
        raise Problem(
            "A C compiler or header is missing that psycopg2 and python-ldap are built with. "
            f"Install it with: {machine.cure(missing)}"
        )


def missing_packages() -> list[str]:
    """Debian packages without which the two libraries cannot be built."""
    compiler = os.environ.get("CC", "").split() or [shutil.which("cc") or shutil.which("gcc") or ""]
    missing = []
    if not compiler[0] or shutil.which(compiler[0]) is None:
        # Without a compiler nothing can be said about headers: name them all.
        return ["build-essential", "python3-dev", *_HEADERS.values()]
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        missing.append("python3-dev")
    if shutil.which("pg_config") is None:
        missing.append("libpq-dev")
    for header, package in _HEADERS.items():
        if package not in missing and not _has_header(compiler, header):
            missing.append(package)
    return missing


def _has_header(compiler: Sequence[str], header: str) -> bool:
    flags = []
    if header == "libpq-fe.h":
        said = subprocess.run(["pg_config", "--includedir"], capture_output=True, text=True, check=False)
        flags = [f"-I{said.stdout.strip()}"]
    done = subprocess.run(
        [*compiler, *flags, "-E", "-x", "c", "-o", os.devnull, "-"],
        input=f"#include <{header}>\n".encode(),
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def _install(files: Sequence[str]) -> None:
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--require-hashes"]
    for name in files:
        command += ["-r", str(ROOT / name)]
    with _LOG.open("w") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        lines = _LOG.read_text(errors="replace").splitlines()
        said = next((line for line in lines if line.lstrip().startswith("ERROR:")), lines[-1] if lines else "")
        raise Problem(f"pip could not install the requirements ({said.strip()}); all it said is in {_LOG}")


def _place() -> str:
    """What a virtual environment depends on: a copied or moved one holds the paths of another place."""
    return f"{VENV} {platform.python_version()} {sys.base_prefix}"


def _read_stamp() -> dict[str, str] | None:
    try:
        stamp = json.loads(_STAMP.read_text())
    except (OSError, ValueError):
        return None
    if stamp.get("place") != _place() or not _works():
        return None
    files: dict[str, str] = stamp["files"]
    return files


@contextmanager
def _alone() -> Iterator[None]:
    """Lets one of several commands of this clone work on .venv at a time."""
    handle = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


if __name__ == "__main__":
    try:
        ensure(sys.argv[1:])
    except Problem as problem:
        sys.exit(str(problem))
