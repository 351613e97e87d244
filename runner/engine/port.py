"""The engine in our own words: a Protocol that the real and the memory engine keep; it holds no behaviour.

Every method may raise EngineUnreachable (the call did not happen), OutcomeUnknown (it may have happened) or
EngineError (the engine said no). Names, ids and id prefixes are all accepted where a container is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from runner.facts import Change, Container, Engine, Finished, Image, Json, Network, Usage, Volume


class Conversation(Protocol):
    """A running command's input and output: asked line by line, or said and heard as bytes; never both."""

    @property
    def open(self) -> bool:
        """Whether it can be asked; not once it ended, or an answer did not come."""
        ...

    def ask(self, line: bytes, timeout_s: float) -> Finished:
        """Send a line and give the answer as ``stdout``; ``exit_code`` is None past ``timeout_s``, 0 with an answer."""
        ...

    def say(self, data: bytes, *, last: bool = False) -> None:
        """Send bytes; after the last of them the command sees its input end. One thread may say while another hears."""
        ...

    def hear(self) -> Iterator[bytes]:
        """Give what it says on its standard output as it comes, from its first byte on, until it ends."""
        ...

    def hang_up(self) -> None:
        """Close its input; what it is doing, it may do to the end."""
        ...


class EnginePort(Protocol):
    """About thirty requests; one method is one request but for ``containers`` (list, then inspect each)
    and ``usage`` (control groups of version 2 are asked in the container)."""

    # looking

    def engine(self) -> Engine:
        """Read what the engine is."""
        ...

    def containers(self, labels: Mapping[str, str] | None = None, *, volume: str = "") -> tuple[Container, ...]:
        """Read all containers, stopped ones too, that carry these labels (value "" = any value) or use the volume."""
        ...

    def container(self, ref: str) -> Container:
        """Read one container; NotFound."""
        ...

    def image(self, ref: str) -> Image:
        """Read one local image by name, digest or id; NotFound."""
        ...

    def images(self, repository: str = "") -> tuple[Image, ...]:
        """Read the tagged local images (``config`` may be empty here: ask ``image`` for one whole).

        Only those of a repository, where one is named: sizing all takes an engine with a hundred a fifth of a second.
        """
        ...

    def volume(self, name: str) -> Volume:
        """Read one volume; NotFound."""
        ...

    def volumes(self, labels: Mapping[str, str] | None = None) -> tuple[Volume, ...]:
        """Read the volumes with these labels."""
        ...

    def network(self, ref: str) -> Network:
        """Read one network; NotFound."""
        ...

    def networks(self, labels: Mapping[str, str] | None = None) -> tuple[Network, ...]:
        """Read the networks with these labels."""
        ...

    def changes(self, ref: str) -> tuple[Change, ...]:
        """Read what differs in the writable layer (``docker diff``)."""
        ...

    def logs(self, ref: str, *, tail: int = 0, since_s: float = 0) -> str:
        """Read the log, both streams interleaved; ``tail`` lines (0 = all), since a Unix time in seconds."""
        ...

    def usage(self, ref: str) -> Usage | None:
        """Read what a container used since its start; None where it does not run."""
        ...

    def remote_digest(self, ref: str) -> str:
        """Ask the registry, through the engine, for the digest that a name has there now."""
        ...

    # containers

    def create_container(self, name: str, body: Json) -> str:
        """Create and give the id; Conflict when the name is taken. ``body`` is that of ``POST /containers/create``."""
        ...

    def start(self, ref: str) -> None:
        """Start; no error when it runs already. Conflict when a port or address is taken."""
        ...

    def stop(self, ref: str, timeout_s: int) -> None:
        """Send its own stop signal, kill after ``timeout_s``; no error when it is stopped already."""
        ...

    def kill(self, ref: str, signal: str = "KILL") -> None:
        """Send a signal; no error when it does not run."""
        ...

    def pause(self, ref: str) -> None:
        """Freeze its processes; no error when paused already."""
        ...

    def unpause(self, ref: str) -> None:
        """Thaw its processes; no error when not paused."""
        ...

    def rename(self, ref: str, name: str) -> None:
        """Give it another name; Conflict when that is taken."""
        ...

    def set_restart_policy(self, ref: str, policy: Json) -> None:
        """Set ``{"Name": …, "MaximumRetryCount": …}``."""
        ...

    def remove_container(self, ref: str, *, force: bool = False, volumes: bool = False) -> None:
        """Remove; NotFound when there is none. ``volumes`` takes its anonymous volumes along."""
        ...

    def execute(self, ref: str, argv: Sequence[str], *, user: str = "", stdin: bytes = b"", timeout_s: float = 60,
                on_line: Callable[[str], None] | None = None,
                environment: Mapping[str, str] | None = None) -> Finished:  # fmt: skip
        """Run a command in a running container and wait; past ``timeout_s`` ``exit_code`` is None.

        ``environment`` comes on top of the container's own.
        """
        ...

    def converse(self, ref: str, argv: Sequence[str]) -> Conversation:
        """Start a command in a running container that answers each line with one line."""
        ...

    def wait(self, ref: str, timeout_s: float) -> int | None:
        """Wait until it exits and give the exit code; None past ``timeout_s``."""
        ...

    def read_archive(self, ref: str, path: str, *, at_most_bytes: int = 0) -> bytes:
        """Read a path of a container, running or not, as a tar; NotFound, and ``too-large`` past a limit that is set.

        What a link points to is not followed: the tar holds the link.
        """
        ...

    def write_archive(self, ref: str, path: str, tar: bytes) -> None:
        """Unpack a tar into a folder of a container."""
        ...

    # images, networks, volumes

    def pull(self, ref: str, on_line: Callable[[str], None] | None = None) -> None:
        """Pull a name or digest; NotFound (no such name or tag), EngineError code ``registry-…`` for other refusals."""
        ...

    def build(self, context: bytes, tag: str, *, arguments: Mapping[str, str], labels: Mapping[str, str]) -> None:
        """Build an image from a tar with a Dockerfile in it; EngineError ``cannot-build``."""
        ...

    def import_root(self, tar: Iterable[bytes], tag: str, *, labels: Mapping[str, str]) -> None:
        """Make an image of one layer from a root as a tar, piece by piece; neither a base nor a builder is needed."""
        ...

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Give an image another name."""
        ...

    def untag(self, name: str) -> None:
        """Take one name of an image away (the image goes with its last name); no error when there is none."""
        ...

    def connect(self, network: str, ref: str, settings: Json) -> None:
        """Join a container to one more network with these EndpointSettings; no error when it is joined already."""
        ...

    def create_network(self, name: str, body: Json) -> str:
        """Create and give the id; Conflict when the name is taken."""
        ...

    def remove_network(self, ref: str) -> None:
        """Remove; NotFound."""
        ...

    def create_volume(self, name: str, *, labels: Mapping[str, str], driver: str = "local",
                      options: Mapping[str, str] | None = None) -> None:  # fmt: skip
        """Create; silently nothing when it exists, as the engine does."""
        ...

    def remove_volume(self, name: str) -> None:
        """Remove; NotFound; Conflict while any container refers to it."""
        ...
