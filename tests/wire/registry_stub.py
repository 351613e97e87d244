"""A registry that behaves as told, on the loopback: what a real one cannot be made to do on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Headers = dict[str, str]
Said = tuple[int, Headers, bytes]


@dataclass
class Asked:
    """One request as it arrived."""

    line: str
    authorization: str


@dataclass
class Stub:
    """Its address, what it was asked, and what it says to whom."""

    host: str
    asked: list[Asked] = field(default_factory=list)


Answering = Callable[[Stub, Asked], Said]


@contextmanager
def registry_that(answers: Answering) -> Iterator[Stub]:
    """Serve until the end of the block."""

    class One(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = Asked(f"{self.command} {self.path}", self.headers.get("Authorization", ""))
            stub.asked.append(asked)
            status, headers, body = answers(stub, asked)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_POST = do_GET  # noqa: N815  # the names http.server calls

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), One)
    stub = Stub(f"127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
