"""The settings: what they read is documented, and what is missing or unsafe stops the start by name."""

import ast
import os
import re
import subprocess
import sys

import pytest

from script.local import ROOT, variables

OWN_SECRETS = {
    "PORTAL_SECRET_KEY": "k" * 60,
    "PORTAL_TOKEN_PEPPER": "p" * 40,
    "PORTAL_ENCRYPTION_KEYS": "2030:ZGVtby1rZXktb2YtcnVucy10aGF0LWtlZXAtbm90aGk=",
    "PORTAL_EXTERNAL_URL": "https://cloud.insurer.example",
    "PORTAL_LDAP_BIND_PASSWORD": "a-password-of-its-own",
}


def _start(changes, without=()):
    """Loads the settings in a process of its own: (exit code, last line of its errors)."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "DJANGO_"))}
    given |= variables.for_checks() | changes
    for name in without:
        del given[name]
    done = subprocess.run(
        [sys.executable, "-c", "import portal.settings"], cwd=ROOT, env=given, capture_output=True, text=True
    )
    return done.returncode, (done.stderr.strip().splitlines() or [""])[-1]


def _read_by_settings():
    """Variable name -> whether it has a default."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / "portal" / "settings.py").read_text())):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        name = node.args[0].value
        if isinstance(name, str) and re.fullmatch(r"PORTAL_\w+", name):
            # Their second argument is a least length, not a default.
            helper = node.func.id if isinstance(node.func, ast.Name) else ""
            has_default = helper in ("_optional_secret", "_networks") or len(node.args) > 1 or bool(node.keywords)
            found[name] = helper != "_secret" and has_default
    return found


def _in_example():
    lines = (ROOT / ".env.example").read_text().splitlines()
    matches = [re.match(r"(#?)(PORTAL_\w+)=", line) for line in lines]
    return {match[2]: match[1] == "#" for match in matches if match}


def test_example__every_variable_of_the_settings__is_listed_with_whether_it_is_needed():
    assert _in_example() == _read_by_settings()


def test_settings__all_variables_of_the_example_needed__start_in_the_demo():
    assert _start({}) == (0, "")


@pytest.mark.parametrize("name", sorted(name for name, has_default in _read_by_settings().items() if not has_default))
def test_settings__a_needed_variable_missing__stops_and_names_it(name):
    code, said = _start({}, without=[name])
    assert code != 0
    assert name in said


def test_settings__secrets_of_our_own_and_https__start_outside_the_demo():
    assert _start({**OWN_SECRETS, "PORTAL_DEMO": "false"}) == (0, "")


@pytest.mark.parametrize("name", ["PORTAL_SECRET_KEY", "PORTAL_TOKEN_PEPPER", "PORTAL_ENCRYPTION_KEYS"])
def test_settings__a_secret_of_the_demo_outside_of_it__stops_and_names_it(name):
    changes = {**OWN_SECRETS, "PORTAL_DEMO": "false", name: variables.for_checks()[name]}
    code, said = _start(changes)
    assert code != 0
    assert name in said
    assert "demo" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_SECRET_KEY", "short"),
        ("PORTAL_ENCRYPTION_KEYS", "a:bm90IDMyIGJ5dGVz"),
        ("PORTAL_ENCRYPTION_KEYS", "a:not base64"),
        ("PORTAL_DATABASE_URL", "mysql://x:y@127.0.0.1/z"),
        ("PORTAL_LDAP_URL", "ldap://localhost"),
        ("PORTAL_ROLE_GROUPS", "{"),
        ("PORTAL_ROLE_GROUPS", "[]"),
        ("PORTAL_WORK_LANE_LIMIT", "many"),
        ("PORTAL_METRICS_TOKEN", "short"),
        ("PORTAL_METRICS_NETWORKS", "10.0.0.1/8"),
    ],
)
def test_settings__a_malformed_value__stops_and_names_it(name, value):
    code, said = _start({name: value})
    assert code != 0
    assert name in said


def test_settings__plain_http_outside_the_demo__stops():
    changes = {**OWN_SECRETS, "PORTAL_DEMO": "false", "PORTAL_EXTERNAL_URL": "http://cloud.insurer.example"}
    code, said = _start(changes)
    assert code != 0
    assert "PORTAL_EXTERNAL_URL" in said


def test_settings__a_secret_in_a_file__is_read_from_it(tmp_path):
    file = tmp_path / "secret with a space"
    file.write_text("f" * 60 + "\n")
    code, said = _start({"PORTAL_SECRET_KEY_FILE": str(file)}, without=["PORTAL_SECRET_KEY"])
    assert (code, said) == (0, "")


def test_settings__a_secret_file_that_is_missing__stops_and_names_it(tmp_path):
    code, said = _start({"PORTAL_SECRET_KEY_FILE": str(tmp_path / "gone")}, without=["PORTAL_SECRET_KEY"])
    assert code != 0
    assert "gone" in said
