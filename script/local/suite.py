"""script/test: installs what the suite needs where that is allowed, then runs pytest."""

import os
import shutil
import subprocess
import sys

from script.local import ROOT, environment, machine
from script.local.problem import Problem

# Debian's packages, each with a program or file that tells whether it is there.
_NEEDED = {
    "postgresql": "/usr/lib/postgresql",
    "redis-server": "redis-server",
    "slapd": "/usr/sbin/slapd",
    "ldap-utils": "ldapsearch",
    "chromium": "chromium",
    "fonts-noto-cjk": "/usr/share/fonts/opentype/noto",
    "gettext": "msgfmt",
    "git": "git",
    "jq": "jq",
    "openssl": "openssl",
    "docker-compose": "docker-compose",
    "openssh-server": "/usr/sbin/sshd",
}


def main() -> None:
    """Runs pytest with the arguments given, on two processes unless they say otherwise."""
    try:
        missing = [package for package, sign in _NEEDED.items() if not _is_there(sign)]
        if missing and machine.can_install():
            machine.install(missing, "The suite needs programs that this machine lacks.")
        elif missing:
            print(f"Tests that need a program this machine lacks will fail or be skipped: {machine.cure(missing)}")
        environment.ensure(["requirements.txt", "requirements-demo.txt", "requirements-dev.txt"])
    except Problem as problem:
        sys.exit(str(problem))
    built = subprocess.run(
        [ROOT / "script" / "assets"], env={**os.environ, "PYTHON": str(environment.PYTHON)}, check=False
    )
    if built.returncode != 0:
        sys.exit("The front-end assets could not be built.")
    arguments = sys.argv[1:]
    if not any(argument.startswith("-n") for argument in arguments):
        arguments = ["-n", "2", *arguments]
    os.execv(environment.PYTHON, [str(environment.PYTHON), "-m", "pytest", *arguments])  # nosec B606  # no shell


def _is_there(sign: str) -> bool:
    return os.path.exists(sign) if sign.startswith("/") else shutil.which(sign) is not None


if __name__ == "__main__":
    main()
