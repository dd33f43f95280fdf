"""A line to an API server that tests can make slow or dead: bytes on loopback, TLS passes through untouched."""

import socket
import threading
import time
from contextlib import suppress

# As much of a call as is sent on at once; a call of the portal is smaller than this.
_PIECE = 65536


class Line:
    """Listens at `address` and carries to `target` (https://host:port). `delay` holds back each piece that a client
    sends, in seconds; `is_dead` carries nothing any more, on old connections and new ones, and answers nothing.
    `calls` counts what clients sent meanwhile: a connection, or a piece on an old one."""

    def __init__(self, target: str) -> None:
        host, _colon, port = target.removeprefix("https://").partition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.address = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.delay = 0.0
        self.is_dead = False
        self.calls = 0
        threading.Thread(target=self._accept, name="line", daemon=True).start()

    def die(self) -> None:
        """From now on nobody answers."""
        self.is_dead = True

    def revive(self) -> None:
        """Carries again; what hangs is cut off, as by a machine that was started anew."""
        self.is_dead = False
        self._cut()

    def close(self) -> None:
        """Listens no more."""
        self._listener.close()
        self._cut()

    def _cut(self) -> None:
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self.calls += self.is_dead
            with self._lock:
                self._open.add(client)
            threading.Thread(target=self._serve, args=(client,), name="line", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        # Not to be carried at all: whoever connects to a dead line hangs until they give up, or it revives and cuts.
        if self.is_dead:
            return
        try:
            server = socket.create_connection(self._target, 10)
        except OSError:
            client.close()
            return
        with self._lock:
            self._open.add(server)
        threading.Thread(target=self._carry, args=(server, client, False), name="line", daemon=True).start()
        self._carry(client, server, True)

    def _carry(self, source: socket.socket, sink: socket.socket, is_call: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                if self.is_dead:
                    self.calls += is_call
                    return
                if is_call and self.delay:
                    time.sleep(self.delay)
                sink.sendall(piece)
        if not self.is_dead:
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
