"""A port of this machine that leads into a container without a published one: each connection is an exec beside it.

So it works through any engine's socket, near or far; the container is not touched.
"""

from __future__ import annotations

import socket
import socketserver
from collections.abc import Callable
from threading import Thread

from runner.engine.port import Conversation
from runner.errors import RefloatError

CHUNK_BYTES = 65536
PROGRAM = """
import os, socket, sys, threading
def to_there():
    while data := os.read(0, 65536):
        there.sendall(data)
    there.shutdown(socket.SHUT_WR)
for host in ("127.0.0.1", "::1"):
    try:
        there = socket.create_connection((host, int(sys.argv[1])))
        break
    except OSError as error:
        why = error
else:
    sys.exit(str(why))
threading.Thread(target=to_there, daemon=True).start()
while data := there.recv(65536):
    while data:
        data = data[os.write(1, data):]
"""


def program(port: int) -> list[str]:
    """The command beside the container that carries its input to a port there, and the answer to its output."""
    return ["python3", "-c", PROGRAM, str(port)]


class Relay:
    """One port here for one port there."""

    def __init__(self, connect: Callable[[], Conversation]) -> None:
        """Listen on a free port of the loopback address; ``connect`` begins a `program`."""

        class Connection(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                _carry(self.request, connect())

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    @property
    def port(self) -> int:
        """The port here."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


def _carry(here: socket.socket, there: Conversation) -> None:
    """Carry bytes both ways until the container's side ends."""
    Thread(target=_send, args=(here, there), daemon=True).start()
    try:
        for data in there.hear():
            here.sendall(data)
    except (OSError, RefloatError):
        pass  # whoever asked hung up, or the copy is gone
    finally:
        there.hang_up()


def _send(here: socket.socket, there: Conversation) -> None:
    try:
        while data := here.recv(CHUNK_BYTES):
            there.say(data)
        there.say(b"", last=True)
    except (OSError, RefloatError):
        return  # the answer was complete, or nobody waits for it
