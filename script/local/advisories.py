"""Whether holes are known in the packages the portal runs on, as far as the service that knows can be reached."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from script.local import ROOT, environment
from script.local.problem import Problem

LOCKED = "requirements.txt"
# The service answers within seconds or not at all.
_SECONDS = 180


class Verdict(NamedTuple):
    """`checked` False: nobody could be asked. `holes`: sentences, one for each that is known."""

    checked: bool
    holes: list[str]


def verdict_of(report: str) -> Verdict:
    """What pip-audit's report in JSON says; an empty or broken one, or one that left packages out, is no answer."""
    try:
        packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Verdict(False, [])
    holes = [_told(package, hole) for package in packages for hole in package.get("vulns", [])]
    is_whole = bool(packages) and not any("skip_reason" in package for package in packages)
    return Verdict(is_whole or bool(holes), holes)


def _told(package: dict[str, Any], hole: dict[str, Any]) -> str:
    mended = ", ".join(hole["fix_versions"]) or "none yet"
    return f"{package['name']} {package['version']}: {hole['id']}, mended in {mended}"


def asked() -> Verdict:
    """Asks about every package of requirements.txt, in the versions that it locks."""
    with tempfile.TemporaryDirectory(prefix="portal-advisories-") as folder:
        report = Path(folder, "report.json")
        command = [environment.PYTHON, "-m", "pip_audit", "--requirement", str(ROOT / LOCKED), "--disable-pip"]
        command += ["--require-hashes", "--progress-spinner", "off", "--format", "json", "--output", str(report)]
        try:
            subprocess.run([str(part) for part in command], capture_output=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return Verdict(False, [])
        return verdict_of(report.read_text() if report.exists() else "")


def main() -> None:
    """Ends with 1 where a hole is known; where nobody can be asked it says so and goes on."""
    try:
        environment.ensure(["requirements.txt", "requirements-demo.txt", "requirements-dev.txt"])
    except Problem as problem:
        sys.exit(str(problem))
    verdict = asked()
    for hole in verdict.holes:
        print(hole)
    if verdict.holes:
        sys.exit(f"{len(verdict.holes)} holes are known in the packages of {LOCKED}.")
    if not verdict.checked:
        print("NOT CHECKED: the service that knows of holes in packages cannot be reached from here.")
        return
    print(f"No hole is known in the packages of {LOCKED}.")


if __name__ == "__main__":
    main()
