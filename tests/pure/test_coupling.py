"""What moves with a product is named with who it is on this engine, and families are not mixed."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.engine.memory import MemoryEngine
from runner.errors import Refused
from runner.facts import Image, Json
from runner.goal import Goal
from runner.options import Options
from runner.plan import Plan
from runner.stacking import Part, Stack
from runner.vault.port import VaultPlace
from tests.pure.sweep.stages import runner_on


def engine_with(running: dict[str, str], *further: str) -> MemoryEngine:
    """Containers by name that run these images on one network of their own; further images are only there."""
    engine = MemoryEngine()
    for ref in {*running.values(), *further}:
        engine.world.add_image(Image(id=f"sha256:{ref}", tags=(ref,), config={}, architecture="amd64"))
    engine.create_network("mine", {})
    body: Json = {"HostConfig": {"NetworkMode": "mine"}, "NetworkingConfig": {"EndpointsConfig": {"mine": {}}}}
    for name, ref in running.items():
        engine.create_container(name, {"Image": ref, **body})
        engine.start(name)
    return engine


def said(plan: Plan, code: str) -> list[str]:
    return [one.text for one in plan.warnings if one.code == code]


def planned(engine: MemoryEngine, home: Path, target: str, to: str) -> Plan:
    return runner_on(engine, home).plan(target, Goal(to=to), Options(), VaultPlace())


def test_a_plan_names_what_moves_with_a_version_in_which_order_and_who_that_is_here(tmp_path: Path) -> None:
    web, server = "zabbix/zabbix-web-nginx-pgsql", "zabbix/zabbix-server-pgsql"
    engine = engine_with(
        {"core": f"{server}:6.0.14", "front": f"{web}:6.0.14", "store": "postgres:15"}, f"{server}:7.0.22"
    )
    told = said(planned(engine, tmp_path, "core", "7.0.22"), "coupled")
    assert any(text.startswith("zabbix-web goes after it") and "Here: front (6.0.14)." in text for text in told), told
    assert any(text.startswith("database goes together with it") and "Here: store (15)." in text for text in told), told


def test_what_goes_along_as_a_member_is_not_asked_for(tmp_path: Path) -> None:
    web, server = "zabbix/zabbix-web-nginx-pgsql", "zabbix/zabbix-server-pgsql"
    engine = engine_with({"core": f"{server}:6.0.14", "front": f"{web}:6.0.14"}, f"{server}:7.0.22", f"{web}:7.0.22")
    parts = tuple(Part(target=name, goal=Goal(to="7.0.22")) for name in ("core", "front"))
    told = said(runner_on(engine, tmp_path).plan_stack(Stack(name="zabbix", parts=parts)), "coupled")
    named = {text.partition(" goes ")[0] for text in told}
    assert "core: database" in named
    assert not {"core: zabbix-web", "front: zabbix"} & named


OPMANTEK = {"nmis": "opmantek/nmis:8.6.8G", "charts": "opmantek/opcharts:4.1.3"}
LATER = ("opmantek/nmis:8.7.1G", "opmantek/opcharts:4.2.1")


def test_a_neighbour_of_another_family_is_warned_of(tmp_path: Path) -> None:
    (told,) = said(planned(engine_with(OPMANTEK, *LATER), tmp_path, "charts", "4.2.1"), "family")
    assert "charts (opCharts 4.2.1) is of the family NMIS 9, nmis (NMIS 8.6.8G) is of the family NMIS 8. " in told
    assert "never mixed" in told


def test_one_of_the_same_family_is_named_as_what_goes_along(tmp_path: Path) -> None:
    engine = engine_with({**OPMANTEK, "charts": "opmantek/opcharts:3.3.0"}, *LATER)
    plan = planned(engine, tmp_path, "nmis", "8.7.1G")
    assert said(plan, "family") == []
    assert any("Here: charts (3.3.0)." in text for text in said(plan, "coupled"))


def test_a_stack_of_two_families_is_refused(tmp_path: Path) -> None:
    parts = (Part(target="nmis", goal=Goal(to="8.7.1G")), Part(target="charts"))
    with pytest.raises(Refused, match=r"charts \(opCharts 4\.1\.3\) is of the family NMIS 9") as refused:
        runner_on(engine_with(OPMANTEK, *LATER), tmp_path).plan_stack(Stack(name="omk", parts=parts))
    assert refused.value.code == "family-mixed"
