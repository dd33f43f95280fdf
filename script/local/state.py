"""The demo's state, var/: where it lies, its secrets, and starting anew."""

import base64
import fcntl
import hashlib
import os
import secrets
import shutil
from pathlib import Path
from typing import IO

from script.local import ROOT, machine
from script.local.problem import Problem

VAR = ROOT / "var"
# The accounts that servers run as cannot enter root's home: as root the state lies here and var/ points to it.
_SHELTER = Path("/var/lib/cloud-portal-demo")
# Tools that were fetched are no state.
_KEPT = {"node-tool"}


def prepare() -> Path:
    """The folder of the state, made and linked if need be; its path holds no link."""
    if machine.is_root():
        return _prepare_shelter()
    if VAR.is_symlink() or (VAR.exists() and not os.access(VAR, os.W_OK)):
        raise Problem(f"{VAR} belongs to a demo run as root; run it as root again, or remove it with: sudo rm -r var")
    VAR.mkdir(mode=0o700, exist_ok=True)
    return VAR.resolve()


def reset(folder: Path) -> None:
    """Forgets everything: data, secrets, logs."""
    for entry in folder.iterdir():
        if entry.name in _KEPT:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def lock(folder: Path, note: str) -> IO[str]:
    """Holds the state until the file that is answered is closed (or we die); raises Problem if a demo runs on it."""
    file = (folder / "demo.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise Problem(f"The demo of this clone runs already ({file.read().strip()}); stop it with Ctrl-C.") from None
    file.truncate(0)
    file.write(note)
    file.flush()
    return file


def secret(folder: Path, name: str) -> Path:
    """The file of a secret that was made once: text for settings, "demo-" in front so that only a demo takes it."""
    return _once(folder, name, "demo-" + secrets.token_urlsafe(48))


def encryption_key(folder: Path, name: str) -> Path:
    """The file of a list of encryption keys with one key in it, as PORTAL_ENCRYPTION_KEYS wants it."""
    return _once(folder, name, "demo-1:" + base64.b64encode(secrets.token_bytes(32)).decode())


def _once(folder: Path, name: str, text: str) -> Path:
    file = folder / "secrets" / name
    file.parent.mkdir(mode=0o700, exist_ok=True)
    if not file.exists():
        fresh = file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(text)
        fresh.replace(file)
    return file


def _prepare_shelter() -> Path:
    folder = _SHELTER / hashlib.sha256(str(ROOT).encode()).hexdigest()[:16]
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    # mkdir obeys the umask of whoever calls; servers must be able to pass through both.
    for part in (_SHELTER, folder):
        part.chmod(0o711)
    if VAR.is_symlink():
        # A copied clone brings a link to the state of the original.
        VAR.unlink()
    if VAR.exists():
        if (VAR / "postgres").exists():
            raise Problem(f"{VAR} holds a demo of an ordinary user; run it as that user, or remove it with: rm -r var")
        for entry in VAR.iterdir():
            shutil.move(entry, folder / entry.name)
        VAR.rmdir()
    VAR.symlink_to(folder)
    return folder
