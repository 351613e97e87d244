"""From a spec to the request that creates the container on an image; it sends nothing."""

from __future__ import annotations

from collections.abc import Mapping

from runner.facts import Image, Json
from runner.spec.inspected import mapping, text
from runner.spec.model import ContainerSpec, CreateBody, NetworkWish

NO_RESTART: Json = {"Name": "no", "MaximumRetryCount": 0}
COMPOSE_IMAGE = "com.docker.compose.image"


def restart_policy(spec: ContainerSpec) -> Json:
    """The restart policy the user set."""
    return mapping(spec.host_config.get("RestartPolicy")) or NO_RESTART


def restarts(policy: Json) -> bool:
    """Whether the engine brings a container of this policy up by itself; compose v2 leaves its name empty where not."""
    return policy.get("Name") not in ("no", "", None)


def create_body(spec: ContainerSpec, image: Image, *, labels: Mapping[str, str], restart: bool,
                ref: str = "") -> CreateBody:  # fmt: skip
    """The request for ``spec`` on ``image``, with our ``labels``.

    ``restart`` False leaves the policy at ``no``, as a successor has it until the verdict. ``ref`` is what people are
    to see as its image; it must mean ``image`` at that moment. Nothing is ever created with ``--rm``.
    """
    primary, others = split_networks(spec)
    host: Json = {
        **spec.host_config,
        "NetworkMode": primary.network if primary else spec.host_config.get("NetworkMode", "bridge"),
        "RestartPolicy": restart_policy(spec) if restart else NO_RESTART,
        "AutoRemove": False,
    }
    body: Json = {
        **spec.config,
        **exposed(spec),
        "Image": ref or image.id,
        "Labels": all_labels(spec, image, labels),
        "HostConfig": host,
    }
    if primary and primary.settings:
        body["NetworkingConfig"] = {"EndpointsConfig": {primary.network: primary.settings}}
    return CreateBody(body=body, connects=tuple((each.network, each.settings) for each in others))


def split_networks(spec: ContainerSpec) -> tuple[NetworkWish | None, tuple[NetworkWish, ...]]:
    """The network to create it on, and the others.

    It is the one of NetworkMode, never the first of a map: it decides the default route. Where that one was left since
    (``network disconnect``), another takes its place.
    """
    mode = text(spec.host_config.get("NetworkMode")) or "bridge"
    if mode in ("host", "none") or mode.startswith("container:") or not spec.networks:
        return None, spec.networks
    primary = next((each for each in spec.networks if each.network == mode), spec.networks[0])
    return primary, tuple(each for each in spec.networks if each is not primary)


def exposed(spec: ContainerSpec) -> Json:
    """Exposed ports, the published ones among them: engines publish what is exposed only."""
    ports = {*mapping(spec.config.get("ExposedPorts")), *mapping(spec.host_config.get("PortBindings"))}
    exposed_ports: Json = {port: {} for port in sorted(ports)}
    return {"ExposedPorts": exposed_ports} if exposed_ports else {}


def all_labels(spec: ContainerSpec, image: Image, ours: Mapping[str, str]) -> Json:
    """The user's labels and ours; Compose's note of the image id follows the image, or Compose recreates everything."""
    labels = mapping(spec.config.get("Labels"))
    compose: Json = {COMPOSE_IMAGE: image.id} if COMPOSE_IMAGE in labels else {}
    return {**labels, **compose, **ours}
