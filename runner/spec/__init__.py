"""What the user set on a container, and the request that makes it again on another image; it asks no engine."""

from runner.spec.body import NO_RESTART, create_body, restart_policy, restarts, split_networks
from runner.spec.contract import image_differences
from runner.spec.data import data_mounts, shared_with
from runner.spec.model import ContainerSpec, CreateBody, NetworkWish, SpecWarning
from runner.spec.read import spec_from
from runner.spec.seeding import with_unseeded
from runner.spec.warnings import spec_warnings
from runner.spec.words import differences, masked, spec_lines

__all__ = [
    "NO_RESTART",
    "ContainerSpec",
    "CreateBody",
    "NetworkWish",
    "SpecWarning",
    "create_body",
    "data_mounts",
    "differences",
    "image_differences",
    "masked",
    "restart_policy",
    "restarts",
    "shared_with",
    "spec_from",
    "spec_lines",
    "spec_warnings",
    "split_networks",
    "with_unseeded",
]
