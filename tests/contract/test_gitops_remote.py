"""GitOps over https and ssh against real servers: what goes wrong there, in words, and what never leaves the portal."""

import os
import socket
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from clusters.drivers.base import Connection, DriverError, Unreachable
from clusters.drivers.gitops import GitOpsDriver, address, program
from script.local import ports
from tests.contract.conftest import GitPlace
from tests.plugins.git_servers import TOKEN, HttpsServer, SshServer


def refused(place: GitPlace, **changes: object) -> DriverError:
    """What the driver says when it looks at the branch with this changed of its connection."""
    with pytest.raises(DriverError) as caught:
        GitOpsDriver(replace(place.connection, **changes), 10).observe([place.namespaced().ref])
    return caught.value


def hook(place: GitPlace, script: str) -> None:
    path = place.folder / "hooks" / "pre-receive"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_commit__two_drivers_and_somebody_by_hand_at_once__nothing_lost(remote_place: GitPlace) -> None:
    remote_place.done(remote_place.namespaced())
    places = [replace(remote_place, namespace=f"{remote_place.namespace}-{number}") for number in range(2)]
    rounds, start, failures = 3, threading.Barrier(3), []

    def by_driver(place: GitPlace) -> None:
        start.wait(30)
        for turn in range(rounds):
            name = f"q{turn}"
            GitOpsDriver(place.connection, 60).commit([place.quota(name=name)], [], f"{place.namespace} {name}\n")

    def by_hand() -> None:
        start.wait(30)
        turn = 0
        while turn < rounds:
            try:
                remote_place.push(lambda clone, turn=turn: (clone / f"by-hand-{turn}").write_text("x"))
                turn += 1
            except subprocess.CalledProcessError as error:
                assert "rejected" in error.stderr or "cannot lock" in error.stderr

    def guarded(work, *arguments) -> None:
        try:
            work(*arguments)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(by_driver, place)) for place in places]
    threads.append(threading.Thread(target=guarded, args=(by_hand,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    files = remote_place.git("ls-tree", "-r", "--name-only", "main").splitlines()
    assert sorted(files) == sorted(
        [remote_place.file(remote_place.namespaced().ref)]
        + [place.file(place.quota(name=f"q{turn}").ref) for place in places for turn in range(rounds)]
        + [f"by-hand-{turn}" for turn in range(rounds)]
    )
    assert len(remote_place.git("log", "--format=%H", "main").splitlines()) == 1 + 3 * rounds
    remote_place.git("fsck", "--strict")


def test_commit__somebody_pushes_between_reading_and_pushing__judged_again(remote_place: GitPlace) -> None:
    remote_place.done(remote_place.namespaced(), remote_place.quota(1, pods="1"))
    newer, asked = replace(remote_place), []

    def still_ours() -> None:
        asked.append(1)
        if len(asked) == 1:
            newer.done(newer.quota(3, newer.bundle, pods="3"))

    older = remote_place.quota(2, remote_place.bundle, pods="2")
    head = remote_place.open().commit([older], [], "late\n", still_ours)
    assert len(asked) == 2
    assert remote_place.live(older.ref)["spec"]["hard"] == {"pods": "3"}
    assert head == remote_place.git("rev-parse", "main")


def test_commit__lease_lost__nothing_pushed(remote_place: GitPlace) -> None:
    class Lost(Exception):
        pass

    def still_ours() -> None:
        raise Lost

    with pytest.raises(Lost):
        remote_place.open().commit([remote_place.namespaced()], [], "late\n", still_ours)
    assert remote_place.git("for-each-ref") == ""


def test_commit__hook_refuses__its_words_are_shown_and_nothing_is_lost(remote_place: GitPlace) -> None:
    remote_place.done(remote_place.namespaced())
    hook(remote_place, "echo 'Freeze until Monday: ask the release office.' >&2; exit 1")
    with pytest.raises(DriverError, match=r"refused the commit.*Freeze until Monday.*hook declined") as caught:
        remote_place.done(remote_place.quota())
    assert not caught.value.transient and not caught.value.operator
    assert remote_place.live(remote_place.quota().ref) is None
    (remote_place.folder / "hooks" / "pre-receive").unlink()
    remote_place.done(remote_place.quota())
    assert remote_place.live(remote_place.quota().ref)


def test_commit__server_repeats_the_token__not_in_the_error(https_place: GitPlace) -> None:
    hook(https_place, f"echo 'You came with {TOKEN} today' >&2; exit 1")
    with pytest.raises(DriverError, match=r"You came with \*\*\* today") as caught:
        https_place.done(https_place.namespaced())
    assert TOKEN not in repr(caught.value) + str(caught.value.sentence.stored())


def test_commit__branch_deleted_and_another_left__refused_instead_of_starting_anew(remote_place: GitPlace) -> None:
    remote_place.done(remote_place.namespaced())
    remote_place.git("branch", "-m", "main", "old")
    error = refused(remote_place)
    assert error.operator and "no branch main" in str(error) and "old" in str(error)
    with pytest.raises(DriverError, match="no branch main"):
        remote_place.done(remote_place.quota())
    assert remote_place.git("for-each-ref", "--format=%(refname)") == "refs/heads/old"


def test_commit__branch_and_folder_configured__only_there(remote_place: GitPlace) -> None:
    remote_place.done(remote_place.namespaced())
    remote_place.git("branch", "fleet/prod", "main")
    before = remote_place.git("rev-parse", "main")
    remote_place.connection = replace(remote_place.connection, branch="fleet/prod", folder="clusters/alpha")
    remote_place.done(remote_place.namespaced(), remote_place.quota())
    files = remote_place.git("ls-tree", "-r", "--name-only", "fleet/prod").splitlines()
    assert f"clusters/alpha/{remote_place.file(remote_place.quota().ref)}" in files
    assert remote_place.git("rev-parse", "main") == before
    assert remote_place.open().inventory(remote_place.namespace) == (remote_place.quota().ref,)


@pytest.mark.parametrize("folder", ["..", "a/../b", "a/.git", "a//b", "a\\b"])
def test_commit__folder_that_leads_elsewhere__refused(git_place: GitPlace, folder: str) -> None:
    git_place.connection = replace(git_place.connection, folder=folder)
    with pytest.raises(DriverError, match="cannot be the name"):
        git_place.done(git_place.namespaced())


@pytest.mark.parametrize("branch", ["", "a b", "../x", "-x", "x.lock", "a\nb", "x..y", "*"])
def test_open__name_that_no_branch_can_have__refused(git_place: GitPlace, branch: str) -> None:
    assert refused(git_place, branch=branch).operator


def test_observe__wrong_token__said_and_not_shown(https_place: GitPlace) -> None:
    error = refused(https_place, token="wrong-token-7")
    assert error.operator and not error.transient
    assert "does not accept the portal's credentials" in str(error) and "wrong-token-7" not in str(error)
    assert "does not accept" in str(refused(https_place, token=""))


def test_observe__other_authority__certificate_not_trusted(https_place: GitPlace, https_server: HttpsServer) -> None:
    error = refused(https_place, ca="")
    assert error.operator and "certificate of the Git server 127.0.0.1 is not trusted" in str(error)
    assert https_server.seen == []


def test_observe__repository_missing__said(https_place: GitPlace, ssh_server: SshServer, tmp_path: Path) -> None:
    error = refused(https_place, address=https_place.connection.address.replace("manifests", "nothing"))
    assert error.operator and "There is no Git repository at https://" in str(error)
    there = ssh_server.url(tmp_path / "none.git")
    by_ssh = Connection("x", there, token=ssh_server.key, known_hosts=ssh_server.known_hosts)
    with pytest.raises(DriverError, match="There is no Git repository at ssh://"):
        GitOpsDriver(by_ssh, 10).probe()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_observe__server_busy__transient(https_place: GitPlace, https_server: HttpsServer, status: int) -> None:
    https_server.hooked["info/refs"] = (status, {})
    error = refused(https_place)
    assert error.transient and not error.operator and str(status) in str(error)


def test_observe__redirect__not_followed(https_place: GitPlace, https_server: HttpsServer) -> None:
    https_server.hooked["info/refs"] = (
        302,
        {"Location": https_server.url("elsewhere.git/info/refs?service=git-upload-pack")},
    )
    error = refused(https_place)
    assert not any("elsewhere" in seen for seen in https_server.seen)
    assert error.operator and "does not follow" in str(error)


@pytest.mark.parametrize("scheme", ["https", "ssh"])
def test_observe__nobody_listens__unreachable(git_place: GitPlace, scheme: str) -> None:
    error = refused(git_place, address=f"{scheme}://127.0.0.1:{ports.free_port()}/x.git")
    assert isinstance(error, Unreachable) and error.transient and "cannot be reached" in str(error)


@pytest.mark.parametrize("scheme", ["https", "ssh"])
def test_observe__server_never_answers__ended_within_the_timeout(git_place: GitPlace, scheme: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        there = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/x.git"
        began = time.monotonic()
        with pytest.raises(Unreachable, match="in time"):
            GitOpsDriver(Connection("git", there, token=TOKEN), 1).probe()
        assert time.monotonic() - began < 5


def test_observe__host_key_changed_or_unknown__refused(ssh_place: GitPlace, ssh_server: SshServer) -> None:
    name = ssh_server.known_hosts.split()[0]
    another = "AAAAC3NzaC1lZDI1NTE5AAAAIDMxCxUXXxUa2Y4mVYmTVHBOwXT0cTTKL7fQ9ZHJx9vF"
    for known in ("", f"{name} ssh-ed25519 {another}\n"):
        error = refused(ssh_place, known_hosts=known)
        assert error.operator and "host key" in str(error)


def test_observe__key_not_let_in_or_unreadable__said(ssh_place: GitPlace, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    other = (tmp_path / "other").read_text()
    error = refused(ssh_place, token=other)
    assert error.operator and "does not accept the portal's credentials" in str(error)
    assert other.splitlines()[1] not in str(error)
    assert "private key" in str(refused(ssh_place, token="no key at all"))


def test_probe__what_may_be_done__said(remote_place: GitPlace) -> None:
    probe = remote_place.open().probe()
    assert (probe.version, probe.problems, probe.facts["is_empty"]) == ("-", (), True)
    assert remote_place.git("for-each-ref") == ""
    remote_place.done(remote_place.namespaced())
    probe = remote_place.open().probe()
    assert probe.version == remote_place.git("rev-parse", "main") and probe.problems == ()
    assert probe.facts == {"branch": "main", "folder": "", "is_empty": False, "observes": False}


def test_probe__may_read_only__said(https_place: GitPlace) -> None:
    https_place.done(https_place.namespaced())
    https_place.connection = replace(https_place.connection, username="reader")
    (problem,) = https_place.open().probe().problems
    assert "does not let the portal do this" in problem.english
    with pytest.raises(DriverError, match="does not let the portal") as caught:
        https_place.done(https_place.quota())
    assert caught.value.operator


def test_program__while_it_runs__no_credentials_in_arguments_or_environment_and_no_files_left(
    remote_place: GitPlace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, started, files = tmp_path / "temporary", [], []
    folder.mkdir()
    monkeypatch.setattr(program.tempfile, "tempdir", str(folder))
    start = subprocess.Popen

    def spy(command, **options):
        started.append(" ".join(command) + str(options["env"]))
        for path in folder.rglob("*"):
            if path.name in ("key", "credentials"):
                files.append((path.name, oct(path.stat().st_mode & 0o777), oct(path.parent.stat().st_mode & 0o777)))
        return start(command, **options)

    monkeypatch.setattr(program.subprocess, "Popen", spy)
    driver = remote_place.open()
    driver.commit([remote_place.namespaced()], [], "x\n")
    secret = remote_place.connection.token.strip().splitlines()
    assert len(started) >= 3 and set(files) <= {("key", "0o600", "0o700"), ("credentials", "0o600", "0o700")} and files
    assert not any(line in text for line in secret for text in started)
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert left and not any(line.encode() in path.read_bytes() for line in secret for path in left)
    del driver
    assert list(folder.iterdir()) == []


def test_program__settings_of_the_machine__without_effect(
    remote_place: GitPlace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home, sign = tmp_path / "home", tmp_path / "executed"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f'[url "https://127.0.0.1:1/"]\ninsteadOf = {remote_place.connection.address[:8]}\n'
        f"[core]\nsshCommand = touch {sign}\n"
    )
    for name, value in {
        "HOME": str(home),
        "GIT_SSH_COMMAND": f"touch {sign}",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "https_proxy": "http://127.0.0.1:1",
        "GIT_SSL_NO_VERIFY": "1",
        "GIT_DIR": str(home),
    }.items():
        monkeypatch.setenv(name, value)
    remote_place.open().commit([remote_place.namespaced()], [], "x\n")
    monkeypatch.delenv("GIT_DIR")
    assert remote_place.live(remote_place.namespaced().ref) and not sign.exists()


def test_fetch__history_and_large_files__not_fetched(https_place: GitPlace) -> None:
    https_place.done(https_place.namespaced())

    def large(clone: Path) -> None:
        (clone / "large.bin").write_bytes(os.urandom(3_000_000))
        (clone / https_place.file(https_place.quota().ref)).write_bytes(b"#" * 2_000_000)

    https_place.push(large)
    driver = https_place.open()
    with pytest.raises(DriverError, match=r"resourcequota-project\.yaml in the Git repository is too large"):
        driver.apply(https_place.quota())
    repository = driver._opened._program.repository
    assert sum(path.stat().st_size for path in repository.rglob("*.pack")) < 100_000
    https_place.done(https_place.quota(name="other"))
    assert "large.bin" in https_place.git("ls-tree", "--name-only", "main").splitlines()
    https_place.git("fsck", "--strict")


def test_fetch__more_than_the_limit__said(https_place: GitPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    https_place.done(https_place.namespaced())
    https_place.git("config", "uploadpack.allowFilter", "false")
    https_place.push(lambda clone: (clone / "large.bin").write_bytes(os.urandom(3_000_000)))
    monkeypatch.setattr(program, "_LARGEST_BLOCKS", 2048)
    error = refused(https_place)
    assert error.operator and "larger than the portal fetches" in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "http://git.example.org/x.git",
        "git://git.example.org/x.git",
        "ext::sh -c 'id'",
        "git@git.example.org:team/x.git",
        "https://user:secret-word@git.example.org/x.git",
        "https://user@git.example.org/x.git",
        "https://git.example.org",
        "https://git.example.org/x.git?a=b",
        "https://git.example.org/x.git#main",
        "https://git.example.org/x y.git",
        'https://git.example.org/x".git',
        "https://git.example.org/x.git\n[core]",
        "https://git.example.org:port/x.git",
        "ssh://-oProxyCommand=id/x.git",
        "ssh://-oProxyCommand=id@git.example.org/x.git",
        "ssh://git:secret-word@git.example.org/x.git",
        "ssh:///x.git",
        "file://elsewhere/x.git",
        "https://[::1/x.git",
    ],
)
def test_parse__what_is_no_address_of_a_remote__refused_without_credentials(text: str) -> None:
    with pytest.raises(DriverError) as caught:
        address.parse(text)
    assert caught.value.operator and "secret-word" not in str(caught.value)


def test_parse__good_addresses__as_git_takes_them(settings) -> None:
    assert address.parse("https://git.example.org:8443/a/b.git").url == "https://git.example.org:8443/a/b.git"
    assert address.parse("ssh://git.example.org/~team/b.git").url == "ssh://git@git.example.org/~team/b.git"
    assert address.parse("ssh://portal@[fd00::1]:22/b").url == "ssh://portal@[fd00::1]:22/b"
    settings.DEMO = False
    for local in ("/srv/x.git", "file:///srv/x.git"):
        with pytest.raises(DriverError, match="only in the demo"):
            address.parse(local)
