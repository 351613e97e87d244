"""A page in the asked container's network; it only ever sends GET, and believes any certificate."""

from __future__ import annotations

import re
from typing import NamedTuple

from runner.engine.port import EnginePort
from runner.facts import Container, Finished
from runner.probes.answer import SAID_CHARS, Answer, last_words
from runner.probes.prober import ask_network
from runner.steps.nouns import HttpProbe

BODY_BYTES = 8 * 1024 * 1024
MARK = "refloat-status "
OK = 200
TAG = re.compile("<[^>]*>")
# curl, else wget (busybox and GNU speak of the status on stderr), else bash by hand: whatever the image has.
# `timeout` rather than wget's own -T, at which some static builds of busybox fall over.
INSIDE = """
limit=
if command -v timeout >/dev/null 2>&1; then limit="timeout $2"; fi
if command -v curl >/dev/null 2>&1; then
    exec curl -sS -k --noproxy '*' -m "$2" -w '\\nrefloat-status %{http_code}' "$1"
fi
if command -v wget >/dev/null 2>&1; then exec $limit wget -q -S -O - "$1"; fi
exec $limit bash -c '
exec 3<>"/dev/tcp/localhost/$0"; printf "GET %s HTTP/1.0\\r\\n\\r\\n" "$1" >&3
read -r line <&3 && printf "%s\\n" "$line" && cat <&3' "$3" "$4"
"""


class Page(NamedTuple):
    """What came back: a status (0 = no answer at all), the body and the tool's complaint."""

    status: int
    body: str
    complaint: str


def ask(engine: EnginePort, probe: HttpProbe, container: Container, run: str) -> Answer:
    """Ask for the page; its status counts, and words in it that mean no."""
    return judged(probe, read_page(engine, probe, container, run))


def judged(probe: HttpProbe, page: Page) -> Answer:
    """What a page means."""
    if not welcome(probe, page.status):
        return Answer(ok=False, said=f"status {page.status}" if page.status else page.complaint or "no answer")
    if probe.danger and (found := re.search(probe.danger, page.body)):
        words = " ".join(TAG.sub(" ", found[0]).split())
        return Answer(ok=False, said=f"status {page.status}, but it says “{words[:SAID_CHARS]}”")
    return Answer(ok=True, said=f"status {page.status}")


def welcome(probe: HttpProbe, status: int) -> bool:
    """Whether this status is the expected one: ``status``, or any success or redirection."""
    return status == probe.status if probe.status else 100 <= status < 400


def read_page(engine: EnginePort, probe: HttpProbe, container: Container, run: str) -> Page:
    """Ask for the page, whole."""
    url = f"{probe.scheme}://localhost:{probe.port}{probe.path}"
    wait = f"{probe.timeout_s:g}"
    beside = ("curl", "-sS", "-k", "--noproxy", "*", "-m", wait, "--max-filesize", str(BODY_BYTES),
              "-w", f"\n{MARK}%{{http_code}}", url)  # fmt: skip
    inside = ("sh", "-c", INSIDE, "sh", url, wait, str(probe.port), probe.path)
    return page_from(ask_network(engine, container, run, beside, inside, probe.timeout_s))


def page_from(finished: Finished) -> Page:
    """Read the answer of whichever tool there was."""
    body, marked, status = finished.text.rpartition(f"\n{MARK}")
    if marked:
        return Page(int(status.strip() or 0), body, last_words(finished) if status.strip() == "000" else "")
    if finished.text.startswith("HTTP/"):
        head, _, body = finished.text.partition("\r\n\r\n")
        return Page(_status(head), body, "")
    spoken = _status(finished.complaint) or (OK if finished.exit_code == 0 else 0)
    return Page(spoken, finished.text, last_words(finished))


def _status(headers: str) -> int:
    """The last status line: the ones before were redirections."""
    found = re.findall(r"HTTP/[\d.]+ (\d{3})", headers)
    return int(found[-1]) if found else 0
