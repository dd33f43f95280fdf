"""Ports on the loopback interface: finding a free one, and saying that one is taken."""

import random
import socket

from script.local.problem import Problem

# Below the range from which Linux picks ports for outgoing connections, so that none takes ours in between.
_FIRST, _LAST = 20_000, 32_000


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now; raises PermissionError for a privileged one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    for port in random.sample(range(_FIRST, _LAST), 200):  # nosec B311  # spreads, keeps no secret
        if is_free(port):
            return port
    raise Problem(f"No free port was found between {_FIRST} and {_LAST}; stop some programs and try again.")


def check_free(port: int, command: str) -> None:
    """Raises Problem naming the port and the way out: `command` with another port."""
    try:
        if is_free(port):
            return
    except PermissionError:
        raise Problem(f"Only root may use port {port}; choose a higher one: {command} --port 8000") from None
    except OverflowError:
        raise Problem(f"{port} is not a port; choose one below 65536: {command} --port 8000") from None
    other = next((candidate for candidate in range(port + 1, 65536) if is_free(candidate)), 8000)
    raise Problem(f"Port {port} is taken by another program; choose another one: {command} --port {other}")
