"""An engine with two images that differ in everything, to make one container on both; it asserts nothing itself."""

from __future__ import annotations

import os
import shlex
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import JsonValue

from runner.engine.docker import DockerEngine, connect_engine
from runner.engine.parse import texts
from runner.errors import EngineError
from runner.facts import Container, Engine, Image, Json
from runner.spec import ContainerSpec, create_body, spec_from

BASE = "refloat-lab/busybox:1"
OLD = f"""
FROM {BASE}
LABEL refloat.test-build={{mark}}
ENV SHARED=old ONLY_OLD=1 PATH=/old/bin:/bin
LABEL com.example.from=old com.example.old=1 org.opencontainers.image.version=1
ENTRYPOINT ["/bin/busybox"]
CMD ["sleep", "1"]
USER 1000
WORKDIR /old
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --retries=2 CMD ["old-check"]
EXPOSE 1111
"""
NEW = f"""
FROM {BASE}
LABEL refloat.test-build={{mark}}
ENV SHARED=new ONLY_NEW=1 PATH=/new/bin:/bin
LABEL com.example.from=new com.example.new=1 org.opencontainers.image.version=2
ENTRYPOINT ["/bin/busybox", "env"]
CMD ["new-command"]
USER 2000
WORKDIR /new
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=9s --timeout=4s CMD ["new-check"]
EXPOSE 2222
"""
VOLUMES = "VOLUME /declared\n"
IMAGES = {"old": OLD, "new": NEW, "old-volumes": OLD + VOLUMES, "new-volumes": NEW + VOLUMES}


@dataclass(frozen=True)
class Lab:
    """An engine with two images and things to refer to."""

    engine: DockerEngine
    host: str
    mark: str
    seen: Engine
    names: dict[str, str]

    def docker(self, *args: str, stdin: str = "") -> str:
        env = {**os.environ, "DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "0"}
        done = subprocess.run(["docker", *args], env=env, input=stdin, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"docker {shlex.join(args)}: {done.stderr}"
        return done.stdout.strip()

    def image(self, name: str) -> Image:
        return self.engine.image(f"refloat-test/{name}:{self.mark}")

    def create(self, image: str, typed: str = "", command: str = "") -> str:
        options = shlex.split(typed.format(**self.names))
        reference = f"refloat-test/{image}:{self.mark}"
        made = self.docker("create", "--label", f"refloat.test={self.mark}", *options, reference, *shlex.split(command))
        return made.splitlines()[-1]

    def spec(self, ref: str, image: str) -> ContainerSpec:
        other = self.engine.container(self.names["other"])
        container = self.engine.container(ref)
        return spec_from(container, self.image(image), self.seen, names={other.id: other.name})

    def recreate(self, spec: ContainerSpec, image: str) -> str:
        made = create_body(spec, self.image(image), labels={}, restart=True)
        ref = self.engine.create_container(f"{self.mark}-{uuid.uuid4().hex[:8]}", made.body)
        for network, settings in made.connects:
            self.engine.connect(network, ref, settings)
        return ref

    def remove(self, *refs: str) -> None:
        for ref in refs:
            self.engine.remove_container(ref, force=True, volumes=True)


@contextmanager
def open_lab(host: str) -> Iterator[Lab]:
    """Make the images, networks and volumes, and clear up everything afterwards."""
    engine, mark = connect_engine(host), f"options-{uuid.uuid4().hex[:8]}"
    names = {name: f"{mark}-{name}" for name in ("front", "back", "volume", "other")}
    lab = Lab(engine, host, mark, engine.engine(), names)
    try:
        for name, text in IMAGES.items():
            # The mark in the first layer keeps two labs at the same time from sharing (and removing) layers.
            lab.docker("build", "--quiet", "--tag", f"refloat-test/{name}:{mark}", "-", stdin=text.format(mark=mark))
        names |= make_front(lab)
        engine.create_network(names["back"], {"Labels": {"refloat.test": mark}})
        engine.create_volume(names["volume"], labels={"refloat.test": mark})
        engine.create_container(names["other"], {"Image": BASE, "Labels": {"refloat.test": mark}})
        yield lab
    finally:
        clear(lab)


def make_front(lab: Lab) -> dict[str, str]:
    """A network with a subnet of its own, in a range that nothing else here has."""
    for number in range(256):
        ipam: Json = {"Config": [{"Subnet": f"10.213.{number}.0/24"}]}
        try:
            id_ = lab.engine.create_network(lab.names["front"], {"IPAM": ipam, "Labels": {"refloat.test": lab.mark}})
        except EngineError:
            continue  # another lab has it
        return {"front_id": id_, "address": f"10.213.{number}.77"}
    raise AssertionError("no free subnet in 10.213.0.0/16")


def clear(lab: Lab) -> None:
    """Remove all that carries the mark."""
    for container in lab.engine.containers({"refloat.test": lab.mark}):
        lab.remove(container.id)
    for network in lab.engine.networks({"refloat.test": lab.mark}):
        lab.engine.remove_network(network.id)
    for volume in lab.engine.volumes({"refloat.test": lab.mark}):
        lab.engine.remove_volume(volume.name)
    for name in IMAGES:
        lab.engine.untag(f"refloat-test/{name}:{lab.mark}")


def told(container: Container) -> list[str]:
    """All that a container is, a line each, but for what must differ between two: ids and generated names."""
    config = {key: value for key, value in container.config.items() if not key.startswith("Attach")}
    if container.id.startswith(str(config["Hostname"])):
        config["Hostname"] = "generated"
    config["Image"] = container.image_id
    # The command line sends variables in whatever order its maps have.
    config["Env"] = [*sorted(texts(container.config["Env"]))]
    parts: Json = {
        "Config": config,
        "HostConfig": container.host_config | {"ConsoleSize": None},
        "Mounts": [each.model_dump(mode="json") for each in container.mounts],
        "Networks": {each.network: each.settings for each in container.endpoints},
    }
    return sorted(impersonal(line, container) for line in flattened("", parts))


def impersonal(line: str, container: Container) -> str:
    """A line without the container's own name, and with one spelling of the default network."""
    return line.replace(f"/{container.name}/", "/its-name/").replace("NetworkMode = default", "NetworkMode = bridge")


def flattened(path: str, value: JsonValue) -> Iterator[str]:
    """Each value that is set as a line; null and [] are one, but where they differ in meaning."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from flattened(f"{path}.{key}", each)
    elif value or path.endswith(("MaskedPaths", "ReadonlyPaths", "Entrypoint", "StopTimeout", "Init", "Swappiness")):
        yield f"{path} = {value}"
