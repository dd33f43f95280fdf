"""What this machine allows: installing packages of Debian, and the account that servers run as."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache

from script.local.problem import Problem


def is_root() -> bool:
    """Whether we may do everything; servers then run as somebody else."""
    return os.geteuid() == 0


def can_install() -> bool:
    """Whether missing packages can be installed with apt, without asking anybody."""
    return is_root() and shutil.which("apt-get") is not None


def cure(packages: Sequence[str]) -> str:
    """The command a person types to get these Debian packages."""
    return f"sudo apt-get install {' '.join(packages)}"


def install(packages: Sequence[str], why: str) -> None:
    """Installs Debian packages; raises Problem with the `why` sentence and the cure where that is not possible."""
    if not can_install():
        raise Problem(f"{why} Install it with: {cure(packages)}")
    print(f"  installing with apt: {' '.join(packages)}", flush=True)
    # Without the lock time-out, an unattended upgrade in the background would fail us.
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=180"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*apt, "update"], env=quiet, capture_output=True, check=False)
    done = subprocess.run(
        [*apt, "install", "-y", "--no-install-recommends", *packages], env=quiet, capture_output=True, text=True
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no word from apt").splitlines()[-1]
        raise Problem(f"{why} apt could not install it ({said}); try: {cure(packages)}")


@cache
def account() -> str | None:
    """The unprivileged account that servers run as when we are root; None: as ourselves."""
    if not is_root():
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    # PostgreSQL refuses to run as root; Debian's package brings this account along.
    for name in ("postgres", "nobody"):
        if name in known:
            return name
    raise Problem(
        "Servers must not run as root and this machine has no account 'nobody'; run this as an ordinary user."
    )
