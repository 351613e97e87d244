"""The real engine behind the port, over the Docker Engine API; it holds no state and decides nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from pydantic import JsonValue

from runner.engine import parse
from runner.engine.building import build_image, import_image
from runner.engine.conversation import Conversation
from runner.engine.execution import run_command
from runner.engine.failures import WHAT_NEXT
from runner.engine.patience import between_restarts, persistently, until_it_answers
from runner.engine.pulling import pull_image, repository_of
from runner.engine.queries import label_filters, label_query, within
from runner.engine.usage import USAGE_QUERY, usage_from
from runner.engine.wire import READ_TIMEOUT_S, Wire
from runner.errors import Conflict, EngineError, EngineUnreachable, NotFound
from runner.facts import Change, Container, Engine, Finished, Image, Json, Network, Usage, Volume

STOP_GRACE_S = 60
CREATE_TIMEOUT_S = 300.0  # a busy storage driver takes its time to lay out a container
TRANSFER_TIMEOUT_S = 600.0


class DockerEngine:
    """EnginePort over the wire; every request has its own deadline."""

    def __init__(self, wire: Wire, sleep: Callable[[float], None] = time.sleep) -> None:
        self._wire = wire
        self._sleep = sleep

    @property
    def address(self) -> str:
        """Where the engine is, as a DOCKER_HOST."""
        return self._wire.address

    # looking

    def engine(self) -> Engine:
        """See the port."""
        return parse.engine_from_info(self._object("/info", "tell what it is"), self._wire.api_version)

    def containers(self, labels: Mapping[str, str] | None = None, *, volume: str = "") -> tuple[Container, ...]:
        """See the port."""
        # A filter without values matches nothing, where one would expect everything.
        filters = {"label": label_filters(labels)} | ({"volume": [volume]} if volume else {})
        listed = self._list("/containers/json", "list containers", {"all": "1", "filters": json.dumps(filters)})
        seen = tuple(self._still_there(parse.text(each, "Id")) for each in listed)
        # The engine's filter also matches the path a volume is mounted on.
        wanted = (each for each in seen if each and (not volume or volume in {mount.name for mount in each.mounts}))
        return tuple(wanted)

    def container(self, ref: str) -> Container:
        """See the port."""
        doing = f"inspect container {ref}"
        return parse.container_from_inspect(self._object(f"/containers/{ref}/json", doing))

    def image(self, ref: str) -> Image:
        """See the port."""
        return parse.image_from_inspect(self._object(f"/images/{ref}/json", f"inspect image {ref}"))

    def images(self, repository: str = "") -> tuple[Image, ...]:
        """See the port."""
        params = {"filters": json.dumps({"reference": [repository]})} if repository else None
        seen = (parse.image_from_inspect(each) for each in self._list("/images/json", "list images", params))
        return tuple(each for each in seen if any(not tag.endswith(":<none>") for tag in each.tags))

    def volume(self, name: str) -> Volume:
        """See the port."""
        return parse.volume_from_inspect(self._object(f"/volumes/{name}", f"inspect volume {name}"))

    def volumes(self, labels: Mapping[str, str] | None = None) -> tuple[Volume, ...]:
        """See the port."""
        listed = self._object("/volumes", "list volumes", label_query(labels))
        return tuple(parse.volume_from_inspect(each) for each in parse.entries(listed.get("Volumes")))

    def network(self, ref: str) -> Network:
        """See the port."""
        return parse.network_from_inspect(self._object(f"/networks/{ref}", f"inspect network {ref}"))

    def networks(self, labels: Mapping[str, str] | None = None) -> tuple[Network, ...]:
        """See the port."""
        listed = self._list("/networks", "list networks", label_query(labels))
        return tuple(parse.network_from_inspect(each) for each in listed)

    def changes(self, ref: str) -> tuple[Change, ...]:
        """See the port."""
        listed = self._list(f"/containers/{ref}/changes", f"compare {ref} with its image", timeout_s=TRANSFER_TIMEOUT_S)
        return tuple(parse.change_from_diff(each) for each in listed)

    def logs(self, ref: str, *, tail: int = 0, since_s: float = 0) -> str:
        """See the port."""
        tty = self.container(ref).config.get("Tty") is True
        params = {"stdout": "1", "stderr": "1", "tail": str(tail or "all"), "since": f"{since_s:.9f}"}
        doing = f"read the log of {ref}"
        raw = persistently(
            self._sleep, lambda: self._wire.ask_bytes("GET", f"/containers/{ref}/logs", doing=doing, params=params)
        )
        return (raw if tty else parse.interleaved(raw)).decode("utf-8", "replace")

    def usage(self, ref: str) -> Usage | None:
        """See the port."""
        stats = self._object(f"/containers/{ref}/stats", f"read what {ref} uses", USAGE_QUERY)
        return usage_from(stats, lambda argv: self.execute(ref, argv))

    def remote_digest(self, ref: str) -> str:
        """See the port."""
        doing, path = f"ask the registry for {ref}", f"/distribution/{ref}/json"
        answer = persistently(
            self._sleep, lambda: self._wire.ask("GET", path, doing=doing, auth_for=repository_of(ref))
        )
        return parse.text(parse.part(parse.mapping(answer), "Descriptor"), "digest")

    # containers

    def create_container(self, name: str, body: Json) -> str:
        """See the port."""
        answer = self._post("/containers/create", f"create container {name}", {"name": name}, body, CREATE_TIMEOUT_S)
        return parse.text(parse.mapping(answer), "Id")

    def start(self, ref: str) -> None:
        """See the port."""
        self._post(f"/containers/{ref}/start", f"start {ref}", timeout_s=CREATE_TIMEOUT_S)

    def stop(self, ref: str, timeout_s: int) -> None:
        """See the port."""
        self._post(f"/containers/{ref}/stop", f"stop {ref}", {"t": str(timeout_s)}, timeout_s=timeout_s + STOP_GRACE_S)

    def kill(self, ref: str, signal: str = "KILL") -> None:
        """See the port."""
        with already_so("not-running"):
            self._post(f"/containers/{ref}/kill", f"send {signal} to {ref}", {"signal": signal})

    def pause(self, ref: str) -> None:
        """See the port."""
        with already_so("already-paused"):
            self._post(f"/containers/{ref}/pause", f"pause {ref}")

    def unpause(self, ref: str) -> None:
        """See the port."""
        with already_so("not-paused"):
            self._post(f"/containers/{ref}/unpause", f"unpause {ref}")

    def rename(self, ref: str, name: str) -> None:
        """See the port."""
        self._post(f"/containers/{ref}/rename", f"rename {ref} to {name}", {"name": name})

    def set_restart_policy(self, ref: str, policy: Json) -> None:
        """See the port."""
        doing = f"set the restart policy of {ref}"
        body: Json = {"RestartPolicy": policy}
        between_restarts(self._sleep, lambda: self._post(f"/containers/{ref}/update", doing, body=body))

    def remove_container(self, ref: str, *, force: bool = False, volumes: bool = False) -> None:
        """See the port."""
        params = {"force": str(int(force)), "v": str(int(volumes))}
        self._delete(f"/containers/{ref}", f"remove container {ref}", params, timeout_s=CREATE_TIMEOUT_S)

    def execute(self, ref: str, argv: Sequence[str], *, user: str = "", stdin: bytes = b"", timeout_s: float = 60,
                on_line: Callable[[str], None] | None = None,
                environment: Mapping[str, str] | None = None) -> Finished:  # fmt: skip
        """See the port."""
        return run_command(self._wire, ref, argv, user=user, stdin=stdin, timeout_s=timeout_s, on_line=on_line,
                           sleep=self._sleep, environment=environment)  # fmt: skip

    def converse(self, ref: str, argv: Sequence[str]) -> Conversation:
        """See the port."""
        return Conversation(self._wire, ref, argv, self._sleep)

    def wait(self, ref: str, timeout_s: float) -> int | None:
        """See the port."""
        path, doing = f"/containers/{ref}/wait", f"wait for {ref}"
        try:
            answer = self._wire.ask("POST", path, doing=doing, timeout_s=timeout_s, changing=False)
        except EngineUnreachable as silence:
            if silence.code != "engine-timeout":
                raise
            return None
        return parse.number(parse.mapping(answer), "StatusCode")

    def read_archive(self, ref: str, path: str, *, at_most_bytes: int = 0) -> bytes:
        """See the port."""
        doing, url, params = f"read {path} of {ref}", f"/containers/{ref}/archive", {"path": path}
        ask = partial(self._wire.ask_pieces, url, doing=doing, params=params, timeout_s=TRANSFER_TIMEOUT_S)
        return persistently(self._sleep, lambda: within(ask(), at_most_bytes, path))

    def write_archive(self, ref: str, path: str, tar: bytes) -> None:
        """See the port."""
        doing, url = f"write to {path} of {ref}", f"/containers/{ref}/archive"
        self._wire.ask_bytes("PUT", url, doing=doing, params={"path": path}, data=tar, timeout_s=TRANSFER_TIMEOUT_S)

    # images, networks, volumes

    def pull(self, ref: str, on_line: Callable[[str], None] | None = None) -> None:
        """See the port."""
        pull_image(self._wire.ask_lines, ref, on_line)

    def build(self, context: bytes, tag: str, *, arguments: Mapping[str, str], labels: Mapping[str, str]) -> None:
        """See the port."""
        build_image(self._wire.ask_lines, context, tag, arguments, labels)

    def import_root(self, tar: Iterable[bytes], tag: str, *, labels: Mapping[str, str]) -> None:
        """See the port."""
        import_image(self._wire.ask_lines, tar, tag, labels)

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """See the port."""
        self._post(f"/images/{image_id}/tag", f"tag {image_id} {repository}:{tag}", {"repo": repository, "tag": tag})

    def untag(self, name: str) -> None:
        """See the port."""
        with already_so("no-such-image", "not-found"):
            self._delete(f"/images/{name}", f"untag {name}", timeout_s=CREATE_TIMEOUT_S)

    def connect(self, network: str, ref: str, settings: Json) -> None:
        """See the port."""
        body: Json = {"Container": ref, "EndpointConfig": settings}
        with already_so("already-joined"):
            self._post(f"/networks/{network}/connect", f"join {ref} to network {network}", body=body)

    def create_network(self, name: str, body: Json) -> str:
        """See the port."""
        # Without CheckDuplicate, engines before API 1.44 make a second network of the same name.
        whole: Json = {"Name": name, "CheckDuplicate": True, **body}
        answer = self._post("/networks/create", f"create network {name}", body=whole)
        return parse.text(parse.mapping(answer), "Id")

    def remove_network(self, ref: str) -> None:
        """See the port."""
        self._delete(f"/networks/{ref}", f"remove network {ref}")

    def create_volume(self, name: str, *, labels: Mapping[str, str], driver: str = "local",
                      options: Mapping[str, str] | None = None) -> None:  # fmt: skip
        """See the port."""
        body: Json = {"Name": name, "Driver": driver, "Labels": {**labels}, "DriverOpts": {**(options or {})}}
        self._post("/volumes/create", f"create volume {name}", body=body)

    def remove_volume(self, name: str) -> None:
        """See the port."""
        self._delete(f"/volumes/{name}", f"remove volume {name}", timeout_s=CREATE_TIMEOUT_S)

    # the four ways to ask

    def _object(self, path: str, doing: str, params: Mapping[str, str] | None = None) -> Json:
        answer = persistently(self._sleep, lambda: self._wire.ask("GET", path, doing=doing, params=params))
        if not isinstance(answer, dict):
            what = f"What answers at {self.address} is not a container engine."
            raise EngineError("bad-answer", what, then=WHAT_NEXT)
        return answer

    def _list(self, path: str, doing: str, params: Mapping[str, str] | None = None,
              timeout_s: float = READ_TIMEOUT_S) -> tuple[Json, ...]:  # fmt: skip
        return parse.entries(
            persistently(
                self._sleep, lambda: self._wire.ask("GET", path, doing=doing, params=params, timeout_s=timeout_s)
            )
        )

    def _post(self, path: str, doing: str, params: Mapping[str, str] | None = None, body: Json | None = None,
              timeout_s: float = READ_TIMEOUT_S) -> JsonValue:  # fmt: skip
        return self._wire.ask("POST", path, doing=doing, params=params, body=body, timeout_s=timeout_s)

    def _delete(self, path: str, doing: str, params: Mapping[str, str] | None = None,
                timeout_s: float = READ_TIMEOUT_S) -> None:  # fmt: skip
        self._wire.ask("DELETE", path, doing=doing, params=params, timeout_s=timeout_s)

    def _still_there(self, ref: str) -> Container | None:
        try:
            return self.container(ref)
        except NotFound:  # removed since the list was made
            return None


@contextmanager
def already_so(*codes: str) -> Iterator[None]:
    """Swallow the refusals that say the wish is fulfilled already."""
    try:
        yield
    except (Conflict, NotFound) as no:
        if no.code not in codes:
            raise


def connect_engine(url: str = "", marks: Mapping[str, str] | None = None) -> DockerEngine:
    """Find the engine as the docker command does, or EngineUnreachable; all it makes carries ``marks``, but vaults."""
    wire = Wire(url, marks)
    wire.negotiate()
    return DockerEngine(wire)


def wait_for_engine(url: str = "", *, deadline_s: float, sleep: Callable[[float], None] = time.sleep) -> DockerEngine:
    """Connect as soon as the engine answers, such as while it restarts; EngineUnreachable past the deadline."""
    return until_it_answers(lambda: connect_engine(url), deadline_s, sleep)
