"""A webhook and an SMTP server on loopback that keep what they are sent; they answer as told and nothing more."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

GOODBYE = b"QUIT"


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # the name http.server looks for
        assert isinstance(self.server, Webhook)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Webhook(HTTPServer):
    """Keeps the JSON it is sent."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.got: list[dict[str, str]] = []
        self.status = status

    @property
    def url(self) -> str:
        return f"json://user:hunter2@127.0.0.1:{self.server_port}/hook"

    @property
    def titles(self) -> list[str]:
        return [each["title"] for each in self.got]


class _Mail(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Mailbox)
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line.split(b" ")[0].strip().upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.got.append(self._letter())
            self.wfile.write(b"221 bye\r\n" if word == GOODBYE else b"250 fine\r\n")
            if word == GOODBYE:
                return

    def _letter(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode()) != ".\r\n":
            lines.append(line)
        return "".join(lines)


class Mailbox(socketserver.ThreadingTCPServer):
    """Keeps the letters it is sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.got: list[str] = []

    @property
    def url(self) -> str:
        port = self.server_address[1]
        return f"mailto://127.0.0.1:{port}?from=refloat@example.org&to=ops@example.org&mode=insecure&smtp=127.0.0.1"


@contextmanager
def webhook(status: int = 200) -> Iterator[Webhook]:
    """A webhook at work."""
    with Webhook(status) as server, _serving(server):
        yield server


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """An SMTP server at work."""
    with Mailbox() as server, _serving(server):
        yield server


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
