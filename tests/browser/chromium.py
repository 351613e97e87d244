"""A headless Chromium spoken to over a pipe: its DevTools protocol, JSON messages that end with a zero byte."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pytest

from runner.facts import Json

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
CHUNK_BYTES = 1 << 20
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip


def find_chromium() -> str:
    """The browser; a failure with what to do where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("no Chromium here: as root on Debian, images/packages.sh browser", pytrace=False)
    return found


@dataclass
class Chromium:
    """One browser with one page in it."""

    orders: BinaryIO
    answers: BinaryIO
    session: str = ""
    number: int = 0
    heard: bytes = b""
    requests: list[str] = field(default_factory=list)
    """Every address that was asked for."""
    complaints: list[str] = field(default_factory=list)
    """What the browser said of the page: refused contents, errors."""

    def order(self, method: str, **parameters: object) -> Json:
        """Give an order and wait for its answer; what the browser tells meanwhile is kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.orders.write(json.dumps(message).encode() + b"\0")
        self.orders.flush()
        while (told := self._next()).get("id") != self.number:
            self._keep(told)
        assert "error" not in told, f"{method}: {told['error']}"
        result = told.get("result")
        return result if isinstance(result, dict) else {}

    def _next(self) -> Json:
        while b"\0" not in self.heard:
            read = os.read(self.answers.fileno(), CHUNK_BYTES)
            assert read, "the browser is gone"
            self.heard += read
        said, _, self.heard = self.heard.partition(b"\0")
        told: Json = json.loads(said)
        return told

    def _keep(self, told: Json) -> None:
        parameters = told.get("params")
        if not isinstance(parameters, dict):
            return
        if told.get("method") == "Network.requestWillBeSent":
            request = parameters["request"]
            assert isinstance(request, dict)
            self.requests.append(str(request["url"]))
        elif told.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.complaints.append(json.dumps(parameters))

    def show(self, page: Path, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """Open a page on a screen of this size, in pixels, and wait until it is there."""
        self.requests.clear()
        self.complaints.clear()
        self.order("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.order("Emulation.setEmulatedMedia", features=[scheme])
        self.order("Page.navigate", url=page.as_uri())
        while self.ask("document.readyState") != "complete" or self.ask("location.href") != page.as_uri():
            pass  # each question waits for its answer

    def ask(self, expression: str) -> object:
        """The value of an expression of the page's own language."""
        result = self.order("Runtime.evaluate", expression=expression, returnByValue=True)["result"]
        assert isinstance(result, dict)
        return result.get("value")

    def picture(self, *, whole: bool = False) -> bytes:
        """What is on the screen, as PNG; ``whole`` takes all of the page."""
        told = self.order("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(str(told["data"]))

    def printed(self) -> bytes:
        """The page as PDF."""
        told = self.order("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        return base64.b64decode(str(told["data"]))


@contextmanager
def chromium() -> Iterator[Chromium]:
    """A browser that knows nobody and forgets everything."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        line = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        command = ["bash", "-c", line, "bash", find_chromium(), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        with subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL) as process:
            os.close(theirs_in)
            os.close(theirs_out)
            with os.fdopen(ours_out, "wb") as orders, os.fdopen(ours_in, "rb") as answers:
                try:
                    yield _with_page(Chromium(orders, answers))
                finally:
                    process.kill()


def _with_page(browser: Chromium) -> Chromium:
    target = browser.order("Target.createTarget", url="about:blank")["targetId"]
    browser.session = str(browser.order("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
    for domain in ("Page", "Network", "Log", "Runtime"):
        browser.order(f"{domain}.enable")
    return browser
