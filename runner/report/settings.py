"""What the user set on a container, and what the new one has otherwise; secrets are hidden, nothing is decided."""

from __future__ import annotations

from runner.facts import Json
from runner.plan import Plan
from runner.spec.model import ContainerSpec, NetworkWish
from runner.spec.words import differences, spec_lines
from runner.steps.forward import CreateSuccessor
from runner.steps.nouns import Blueprint

OURS = ("refloat.run", "refloat.role", "com.docker.compose.image")
# What we set on every container we make, and put right or replace afterwards.
PARKED = ("RestartPolicy", "AutoRemove", "NetworkMode")


def kept_settings(plan: Plan) -> tuple[str, ...]:
    """What the user set and the new container has, one setting a line."""
    blueprint = _new(plan)
    return spec_lines(_spec(blueprint)) if blueprint else ()


def changed_settings(plan: Plan) -> tuple[str, ...]:
    """Where the new container is created otherwise than the old one would be."""
    blueprint = _new(plan)
    return differences(_spec(plan.lead.way_back), _spec(blueprint)) if blueprint else ()


def _new(plan: Plan) -> Blueprint | None:
    return next((step.blueprint for step in plan.steps if isinstance(step, CreateSuccessor)), None)


def _spec(blueprint: Blueprint) -> ContainerSpec:
    """What is created, without what is ours."""
    body = blueprint.body
    labels: Json = {key: value for key, value in _object(body.get("Labels")).items() if key not in OURS}
    left_out = ("Image", "HostConfig", "NetworkingConfig", "Labels")
    config: Json = {key: value for key, value in body.items() if key not in left_out and value}
    first = _object(_object(body.get("NetworkingConfig")).get("EndpointsConfig"))
    joined = (*((name, _object(settings)) for name, settings in first.items()), *blueprint.connects)
    return ContainerSpec(
        name="",
        image_id=blueprint.image_id,
        image_ref=blueprint.image_ref,
        config={**config, "Labels": labels} if labels else config,
        host_config={key: value for key, value in _object(body.get("HostConfig")).items() if key not in PARKED},
        networks=tuple(NetworkWish(network=name, settings=settings) for name, settings in joined),
    )


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}
