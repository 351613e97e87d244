"""How monitors are kept quiet: asked by a small container in the target's network, or through a file; best effort."""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from runner.errors import EngineError, RefloatError
from runner.facts import Json
from runner.hands import Hands
from runner.perform_hooks import beside
from runner.quoting import quoted
from runner.secrecy import FromFile, Secret
from runner.silence.choice import begin, end
from runner.silence.model import Monitor, OnNetwork
from runner.silence.talk import FileCall, HttpCall, Order, Talk
from runner.spec.secrets import HIDDEN
from runner.steps.back import SpeakAgain
from runner.steps.nouns import Who
from runner.steps.silence import EndQuiet, KeepQuiet
from runner.window import window_from

TIMEOUT_S = 10
"""For one request: a monitor that is down must not hold an upgrade up."""
MARGIN_S = 5.0
SECONDS = 60
CURL = ("curl", "--config", "-")
TRUSTING = ("bash", "-c", 'exec curl --cacert <(printf "%s\\n" "$AUTHORITY") --config -')
"""The same where the monitor's certificate is signed by an authority of one's own."""
FAILED = 400


def keep_quiet(hands: Hands, step: KeepQuiet) -> Json:
    """Keep it quiet; EngineError ``silence-failed`` where that was required, else a warning."""
    now = hands.clock.now()
    until = min(now.timestamp() + step.monitor.minutes * SECONDS, _closing(step.window, now))
    order = _order(hands, int(now.timestamp()), int(until))
    try:
        _talk(hands, _Place(step.who, step.monitor, step.folder), order, opening=True)
    except RefloatError as error:
        what = f"{step.monitor.spoken} was not kept quiet: {error.what}"
        if step.monitor.required:
            raise EngineError("silence-failed", what) from None
        hands.note("warning", what, None)
        return {"failed": error.what}
    return {"quiet_until": datetime.fromtimestamp(order.ends_s, now.tzinfo).isoformat()}


def end_quiet(hands: Hands, step: EndQuiet) -> Json:
    """Let it speak again; where that fails, it will by itself."""
    return _ended(hands, _Place(step.who, step.monitor, step.folder), accepted=True)


def speak_again(hands: Hands, step: SpeakAgain) -> Json:
    """The same on the way back."""
    return _ended(hands, _Place(step.who, step.monitor, step.folder), accepted=False)


@dataclass(frozen=True)
class _Place:
    """Where a monitor is asked from, and with which secrets."""

    who: Who
    monitor: Monitor
    folder: str


def _ended(hands: Hands, place: _Place, *, accepted: bool) -> Json:
    now_s = int(hands.clock.now().timestamp())
    order = _order(hands, now_s, now_s).model_copy(update={"accepted": accepted})
    try:
        _talk(hands, place, order, opening=False)
    except RefloatError as error:
        what = f"{place.monitor.spoken} may stay quiet for up to {place.monitor.minutes:g} minutes: {error.what}"
        hands.note("warning", what, None)
        return {"failed": error.what}
    return {}


def _order(hands: Hands, begins_s: int, ends_s: int) -> Order:
    told = hands.told
    return Order(run=hands.run, target=told["REFLOAT_TARGET"], old=told["REFLOAT_OLD_VERSION"],
                 new=told["REFLOAT_NEW_VERSION"], begins_s=begins_s, ends_s=ends_s)  # fmt: skip


def _closing(window: str, now: datetime) -> float:
    """When the window that is open now closes; never, where none is open."""
    opening = window_from(window).opening(now) if window else None
    return opening.end.timestamp() if opening and opening.start <= now else float("inf")


def _talk(hands: Hands, place: _Place, order: Order, *, opening: bool) -> None:
    """Say it all, each thing after the answer to the one before; EngineError ``silence-failed``."""
    secrets: list[str] = []

    def reveal(pointer: Secret) -> str:
        secrets.append(hands.secret(pointer, place.folder))
        return secrets[-1]

    talk = (begin if opening else end)(place.monitor, order, reveal)
    with _mouth(hands, place) as name, contextlib.closing(talk):
        try:
            _say(hands, place, name, talk)
        except EngineError as error:
            for secret in secrets:
                error.what = error.what.replace(secret, HIDDEN)
            raise


def _say(hands: Hands, place: _Place, name: str, talk: Talk) -> None:
    authority = _authority(hands, place)
    with contextlib.suppress(StopIteration):
        call = next(talk)
        while True:
            call = talk.send(_asked(hands, place.monitor, name, authority, call))


def _authority(hands: Hands, place: _Place) -> str:
    """The text of the certificate that vouches for the monitor's; empty where the usual ones do."""
    file = place.monitor.ca if isinstance(place.monitor, OnNetwork) else ""
    return hands.secret(FromFile(file=file), place.folder) if file else ""


@contextlib.contextmanager
def _mouth(hands: Hands, place: _Place) -> Iterator[str]:
    """The container that asks; none for a file."""
    if not isinstance(place.monitor, OnNetwork):
        yield ""
        return
    network = place.monitor.network or _network_of(hands, place.who)
    with beside(hands, network) as name:
        yield name


def _network_of(hands: Hands, who: Who) -> str:
    return str(hands.container(who).host_config.get("NetworkMode") or "default")


def _asked(hands: Hands, monitor: Monitor, name: str, authority: str, call: HttpCall | FileCall) -> str:
    if isinstance(call, FileCall):
        _write(hands, getattr(monitor, "container", ""), call)
        return ""
    insecure = isinstance(monitor, OnNetwork) and monitor.insecure
    asked = curl_config(call, insecure=insecure).encode()
    finished = hands.engine.execute(name, TRUSTING if authority else CURL, stdin=asked, timeout_s=TIMEOUT_S + MARGIN_S,
                                    environment={"AUTHORITY": authority} if authority else None)  # fmt: skip
    if finished.exit_code != 0:
        why = quoted(finished.complaint, None) or f"no answer within {TIMEOUT_S} s"
        raise EngineError("silence-failed", why)
    body, _, status = finished.text.rpartition("\n")
    if int(status or 0) >= FAILED and int(status) not in call.fine:
        raise EngineError("silence-failed", f"{call.method} {call.url} answers {status}: {quoted(body.strip(), None)}")
    return body


def curl_config(call: HttpCall, *, insecure: bool) -> str:
    """A request for ``curl --config -``: what is secret in it is in no list of processes."""
    lines = [
        "silent",
        "show-error",
        f"max-time = {TIMEOUT_S}",
        f"request = {_quoted(call.method)}",
        f"url = {_quoted(call.url)}",
        r'write-out = "\n%{http_code}"',
        *(f"header = {_quoted(each)}" for each in call.headers),
        *((f"user = {_quoted(call.user)}",) if call.user else ()),
        *((f"data-binary = {_quoted(call.body)}",) if call.body else ()),
        *(("insecure",) if insecure else ()),
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _write(hands: Hands, container: str, call: FileCall) -> None:
    if not container:
        why_not = hands.writer(call.path, call.text, onto=call.onto)
        if why_not:
            raise EngineError("silence-failed", f"{call.path}: {why_not}")
    elif call.onto:
        line = ("sh", "-c", 'test -p "$0" && cat >"$0"', call.path)
        finished = hands.engine.execute(container, line, stdin=call.text.encode(), timeout_s=TIMEOUT_S)
        if finished.exit_code != 0:
            why = quoted(finished.complaint, None) or "nobody reads it"
            raise EngineError("silence-failed", f"{call.path} in {container} takes no commands: {why}")
    else:
        path = PurePosixPath(call.path)
        hands.engine.write_archive(container, str(path.parent), _packed(path.name, call.text))


def _packed(name: str, text: str) -> bytes:
    buffer, content = io.BytesIO(), text.encode()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), 0o644
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
