"""The front end's build: what is locked, what comes out."""

import json
import re
import subprocess

from django.conf import settings

ROOT = settings.BASE_DIR
DIST = ROOT / "static/dist"


def built():
    """Builds where something changed; the suite's own start has done so, then this is nothing."""
    return subprocess.run([ROOT / "script/assets"], capture_output=True, text=True, timeout=280)


def test_lock_file__packages__names_no_registry_and_has_digests():
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    installed = {path: entry for path, entry in packages.items() if path}
    assert installed and [path for path, entry in installed.items() if "resolved" in entry] == []
    assert [path for path, entry in installed.items() if not entry.get("integrity")] == []


def test_assets__nothing_changed__second_call_says_and_does_nothing():
    assert built().returncode == 0
    before = {path: path.stat().st_mtime_ns for path in DIST.iterdir()}
    again = built()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert {path: path.stat().st_mtime_ns for path in DIST.iterdir()} == before


def test_assets__style_sheet__refers_to_nothing_that_is_not_there():
    assert built().returncode == 0
    css = (DIST / "portal.css").read_text(encoding="utf-8")
    addresses = set(re.findall(r"url\([\"']?([^\"')]+)", css))
    assert addresses and [address for address in addresses if not (DIST / address).exists()] == []
