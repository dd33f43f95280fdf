"""The demo's LDAP server (script/local/ldap_directory.py) serves the portal as slapd does."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import ldap
import pytest
from django.conf import settings as portal_settings
from pytest_django.fixtures import Settings

from accounts import directory as people
from accounts.backends import DirectoryBackend
from script.local import ROOT, certificates, ports, processes
from tests.plugins.directory import BASE, LDIF, PASSWORD


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and CA file of a running demo directory."""
    folder = tmp_path_factory.mktemp("demo directory")
    certificates.create(folder)
    port, ready = ports.free_port(), folder / "ready"
    command = [sys.executable, ROOT / "script" / "local" / "ldap_directory.py", "--port", str(port)]
    command += ["--ldif", LDIF, "--cert", folder / "server.pem", "--key", folder / "server.key"]
    process = processes.start("demo directory", [*command, "--ready-file", ready], log=folder / "log" / "ldap.log")
    processes.wait_until(process, ready.exists, 30)
    yield f"ldaps://127.0.0.1:{port}", str(folder / "ca.pem")
    processes.stop([process])


@pytest.fixture
def demo(served: tuple[str, str], settings: Settings) -> None:
    """The portal asks the demo's directory."""
    settings.LDAP_URL, settings.LDAP_CA_FILE = served


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("username", "roles", "groups"),
    [
        ("dev", [], ["claims-team"]),
        ("owner", [], ["claims-team"]),
        ("stranger", [], ["motor-team"]),
        ("admin", ["administrator"], ["portal-administrators"]),
        ("auditor", ["auditor"], ["portal-auditors"]),
        ("architect", ["approver:architecture"], ["approvers-architecture"]),
        ("datacenter", ["approver:datacenter"], ["approvers-datacenter"]),
        ("platform", ["approver:platform"], ["approvers-platform"]),
        ("SECURITY", ["approver:security"], ["approvers-security"]),
    ],
)
def test_demo_directory__every_person__signs_in_with_roles(
    demo: None, username: str, roles: list[str], groups: list[str]
) -> None:
    user = DirectoryBackend().authenticate(None, username, PASSWORD)
    assert user is not None
    assert user.roles == roles
    assert user.directory_groups == [f"cn={group},ou=groups,{BASE}" for group in groups]
    assert user.email == f"{username.lower()}@insurer.example"


@pytest.mark.django_db
@pytest.mark.parametrize(("username", "password"), [("dev", "wrong"), ("dev", ""), ("nobody-here", PASSWORD)])
def test_demo_directory__wrong__refused(demo: None, username: str, password: str) -> None:
    assert DirectoryBackend().authenticate(None, username, password) is None


def test_demo_directory__lookups__as_in_slapd(demo: None) -> None:
    assert [person.username for person in people.find_people("李明", 10)] == ["dev"]
    assert [person.username for person in people.find_people("dev", 10)] == ["dev"]
    assert len(people.find_people("insurer.example", 4)) == 4
    assert [group.cn for group in people.find_groups("team", 10)] == ["claims-team", "motor-team"]
    assert people.person_exists("dev")
    assert not people.person_exists("nobody-here")
    assert people.group_named(f"CN=Claims-Team,ou=groups,{BASE}").cn == "claims-team"
    with pytest.raises(people.UnusableGroup):
        people.group_named(f"cn=gone,ou=groups,{BASE}")
    assert people.groups_of_person("dev") == [f"cn=claims-team,ou=groups,{BASE}"]


def test_demo_directory__nobody_bound__nothing_told_and_nothing_written(served: tuple[str, str]) -> None:
    connection = ldap.initialize(served[0])
    connection.set_option(ldap.OPT_X_TLS_CACERTFILE, served[1])
    connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        connection.search_s(BASE, ldap.SCOPE_SUBTREE, "(uid=dev)")
    connection.simple_bind_s(portal_settings.LDAP_BIND_DN, portal_settings.LDAP_BIND_PASSWORD)
    with pytest.raises(ldap.UNWILLING_TO_PERFORM):
        connection.delete_s(f"uid=dev,ou=people,{BASE}")
    with pytest.raises(ldap.INVALID_CREDENTIALS):
        connection.simple_bind_s(portal_settings.LDAP_BIND_DN, "wrong")
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        connection.search_s(BASE, ldap.SCOPE_SUBTREE, "(uid=dev)")


def test_demo_directory__file_cut_off__says_so(tmp_path: Path) -> None:
    (tmp_path / "bad.ldif").write_text("this is no LDIF\n")
    certificates.create(tmp_path)
    command = [sys.executable, str(ROOT / "script" / "local" / "ldap_directory.py"), "--port", "0"]
    command += ["--ldif", str(tmp_path / "bad.ldif"), "--cert", str(tmp_path / "server.pem")]
    command += ["--key", str(tmp_path / "server.key"), "--ready-file", str(tmp_path / "ready")]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode != 0
    assert not (tmp_path / "ready").exists()
