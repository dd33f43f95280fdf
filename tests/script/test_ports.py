"""Finding a free port, and saying that one is taken."""

import socket

import pytest

from script.local import ports
from script.local.problem import Problem


def test_free_port__asked__can_be_listened_on():
    with socket.socket() as server:
        server.bind(("127.0.0.1", ports.free_port()))
        server.listen()


def test_check_free__port_taken__names_it_and_a_free_one():
    with socket.socket() as server:
        server.bind(("127.0.0.1", ports.free_port()))
        server.listen()
        taken = server.getsockname()[1]
        with pytest.raises(Problem) as said:
            ports.check_free(taken, "script/demo")
    assert f"Port {taken} is taken" in str(said.value)
    assert ports.is_free(int(str(said.value).rpartition(" ")[2]))


def test_check_free__no_port_at_all__says_so():
    with pytest.raises(Problem, match="70000 is not a port"):
        ports.check_free(70000, "script/demo")
