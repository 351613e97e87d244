"""An empty volume stays empty until the new version itself writes: a way back then has nothing of the new image's."""

from __future__ import annotations

import pytest

from runner.clock import MemoryClock
from runner.engine.memory import MemoryEngine
from runner.facts import Json
from runner.goal import Goal
from runner.options import Options
from runner.planner import plan_upgrade
from runner.spec import ContainerSpec, with_unseeded
from runner.spec.inspected import mapping
from runner.survey import survey
from runner.targets import find_target
from runner.vault.memory import MemoryVault
from runner.vault.port import VaultPlace
from tests.pure.sweep.stages import NAME, STAGES, build


def spec_of(host: Json) -> ContainerSpec:
    return ContainerSpec(name=NAME, image_id="i", image_ref="i:1", config={}, host_config=host)


def host_of(engine: MemoryEngine) -> Json:
    vault = MemoryVault(engine, free_bytes=10**12)
    world = survey(engine, vault, find_target(engine, NAME), Goal(to="2.0"), VaultPlace(), lambda _: None)
    plan = plan_upgrade(world, Options(), "20240101-000000-abcdef", MemoryClock().now().isoformat())
    body = next(step.blueprint.body for step in plan.steps if step.kind == "create-successor")
    return mapping(body["HostConfig"])


@pytest.mark.parametrize(
    ("bind", "expected"),
    [
        ("empty:/data", "empty:/data:nocopy"),
        ("empty:/data:z", "empty:/data:z,nocopy"),
        ("empty:/data:nocopy", "empty:/data:nocopy"),
        ("full:/data", "full:/data"),
        ("/empty:/data", "/empty:/data"),
    ],
)
def test_only_an_empty_volume_is_kept_from_being_filled(bind: str, expected: str) -> None:
    spec = with_unseeded(spec_of({"Binds": [bind]}), frozenset({"empty"}))
    assert spec.host_config == {"Binds": [expected]}


def test_a_mount_keeps_its_other_options() -> None:
    mount: Json = {"Type": "volume", "Source": "empty", "Target": "/data", "VolumeOptions": {"Labels": {"a": "b"}}}
    other: Json = {"Type": "bind", "Source": "/srv", "Target": "/srv"}
    spec = with_unseeded(spec_of({"Mounts": [mount, other]}), frozenset({"empty"}))
    options: Json = {"Labels": {"a": "b"}, "NoCopy": True}
    assert spec.host_config == {"Mounts": [mount | {"VolumeOptions": options}, other]}


def test_a_successor_is_created_without_filling_an_empty_volume() -> None:
    engine = build(STAGES[0])
    engine.world.data["mondata"] = {}
    assert host_of(engine)["Binds"] == ["mondata:/data:nocopy"]


def test_a_successor_with_data_is_created_as_the_user_made_it() -> None:
    assert host_of(build(STAGES[0]))["Binds"] == ["mondata:/data"]
