"""What is said when something is missing to build the virtual environment."""

import os
import subprocess

import pytest

from script.local import ROOT, environment, machine
from script.local.problem import Problem

ALL = ["build-essential", "python3-dev", "libpq-dev", "libldap-dev", "libsasl2-dev"]


def test_missing_packages__no_compiler__names_all_that_is_needed(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert environment.missing_packages() == ALL


def test_missing_packages__compiler_but_no_header__names_those_of_the_headers(monkeypatch, tmp_path):
    # A compiler that finds nothing: as on a machine with gcc alone.
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CC", raising=False)
    assert environment.missing_packages() == ["libpq-dev", "libldap-dev", "libsasl2-dev"]


def test_missing_packages__all_there__names_nothing():
    assert environment.missing_packages() == []


def test_install__not_allowed__says_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Problem, match=r"A tool is missing\. Install it with: sudo apt-get install this that"):
        machine.install(["this", "that"], "A tool is missing.")


def test_ensure__done_before__returns_without_pip_and_network(monkeypatch, tmp_path):
    environment.ensure(["requirements.txt"])
    before = (environment.VENV / "installed.json").stat().st_mtime_ns
    environment.ensure(["requirements.txt"])
    assert (environment.VENV / "installed.json").stat().st_mtime_ns == before


def test_commands__python_too_old__say_so_in_one_sentence(tmp_path):
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\nif [ "$1" = --version ]; then echo Python 3.9.2; exit; fi\nexit 1\n')
    old.chmod(0o755)
    for name in ("bash", "dirname", "id"):
        (tmp_path / name).symlink_to(subprocess.check_output(["which", name], text=True).strip())
    done = subprocess.run(
        ["bash", ROOT / "script" / "demo"], env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.11 or newer is needed and this machine has Python 3.9.2")
    assert done.stderr.count("\n") == 1
