"""PostgreSQL of our own: initialised once, loopback with a password, and back after being killed."""

import os
import shutil
import tempfile
from pathlib import Path

import psycopg2
import pytest

from script.local import ports, postgres, processes


@pytest.fixture
def folder():
    """A folder deeper than a Unix socket's path may be, with a space in it, which the servers' account can enter."""
    top = Path(tempfile.mkdtemp(prefix="portal pg "))
    top.chmod(0o711)
    deep = top / ("deep " + "x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    yield deep
    shutil.rmtree(top)


def serve(folder):
    port = ports.free_port()
    postgres.initialise(folder / "data", "of-this-test")
    server = postgres.start(folder / "data", port, folder / "postgres.log")
    processes.wait_until(server, lambda: postgres.is_ready(folder / "data", port), 60)
    return server, port


def ask(port, statement):
    connection = psycopg2.connect(postgres.url(port, "of-this-test"))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None
    finally:
        connection.close()


def test_start__deep_path_with_spaces__serves_utf8_on_loopback_alone(folder):
    server, port = serve(folder)
    try:
        assert ask(port, "SHOW server_encoding") == [("UTF8",)]
        assert ask(port, "SHOW listen_addresses") == [("127.0.0.1",)]
        assert ask(port, "SHOW unix_socket_directories") == [("",)]
    finally:
        processes.stop([server])


def test_start__wrong_password__is_refused(folder):
    server, port = serve(folder)
    try:
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(postgres.url(port, "guessed"))
    finally:
        processes.stop([server])


def test_start__killed_and_its_number_taken_by_another_program__serves_the_same_data(folder):
    server, port = serve(folder)
    ask(port, "CREATE TABLE kept (number int)")
    ask(port, "INSERT INTO kept VALUES (42)")
    server.popen.kill()
    server.popen.wait()
    lock = folder / "data" / "postmaster.pid"
    # A number that is in use, as it may be after a restart of the machine: our own.
    lock.write_text(lock.read_text().replace(str(server.popen.pid), str(os.getppid()), 1))
    server, port = serve(folder)
    try:
        assert ask(port, "SELECT number FROM kept") == [(42,)]
    finally:
        processes.stop([server])


def test_initialise__interrupted_before__begins_anew(folder):
    half = folder / "data.new"
    half.mkdir()
    (half / "rubbish").write_text("")
    server, _ = serve(folder)
    processes.stop([server])
    assert (folder / "data" / "PG_VERSION").exists()
    assert not half.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must not run it as itself")
def test_start__as_root__runs_as_somebody_else(folder):
    server, _ = serve(folder)
    try:
        assert Path(f"/proc/{server.popen.pid}").stat().st_uid != 0
    finally:
        processes.stop([server])
