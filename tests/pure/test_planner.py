"""Facts in, plan or refusal out: every reason not to begin, and what a plan never holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from runner.clock import MemoryClock
from runner.engine.memory import MemoryEngine
from runner.errors import NothingToDo, Refused
from runner.facts import Image, Json
from runner.goal import Goal, image_ref, moves
from runner.hop_rulings import is_barred
from runner.options import Options
from runner.papercheck import check_on_paper
from runner.plan import Plan, plan_from_json
from runner.planner import plan_upgrade
from runner.refusals import (
    refuse_unfit,
    refuse_unfit_for_backup,
    refuse_unfit_for_restore,
    refuse_unfit_for_rollback,
)
from runner.steps.back import RestoreData
from runner.steps.forward import StartSuccessor, StopContainer
from runner.survey import survey
from runner.targets import find_target
from runner.vault.archive_port import Depot
from runner.vault.memory import MemoryVault
from runner.vault.port import VaultPlace
from runner.way import repository
from runner.world import World, changed_since, expectations
from tests.pure.sweep.stages import NAME, OLD, STAGES, build

MACHINE = STAGES[4]
"""Two mounts and two networks."""


def world_of(engine: MemoryEngine, to: str = "2.0", free_bytes: int = 10**12, image: str = "") -> World:
    vault, goal = MemoryVault(engine, free_bytes=free_bytes), Goal(image=image) if image else Goal(to=to)
    return survey(engine, vault, find_target(engine, NAME), goal, VaultPlace(), lambda _: None)


def plan_of(engine: MemoryEngine) -> Plan:
    return plan_upgrade(world_of(engine), Options(), "20240101-000000-abcdef", MemoryClock().now().isoformat())


def other(engine: MemoryEngine, name: str, host: Json, *, labels: Json | None = None) -> None:
    engine.create_container(name, {"Image": OLD, "HostConfig": host, "Labels": labels or {}})
    engine.start(name)


DISTURBANCES: dict[str, Callable[[MemoryEngine], None]] = {
    "not-running": lambda engine: engine.stop(NAME, 5),
    "data-in-use": lambda engine: other(engine, "second", {"Binds": ["mondata:/data"]}),
    "unfinished": lambda engine: other(engine, f"{NAME}-refloat-next", {}, labels={"refloat.run": "r0"}),
}


@pytest.mark.parametrize("code", DISTURBANCES)
def test_what_cannot_be_upgraded_is_refused_by_name(code: str) -> None:
    engine = build(MACHINE)
    DISTURBANCES[code](engine)
    with pytest.raises(Refused) as refused:
        refuse_unfit(world_of(engine))
    assert refused.value.code == code
    assert refused.value.stands == "Nothing was touched."
    assert refused.value.then


def test_all_reasons_are_given_at_once() -> None:
    engine = build(MACHINE)
    DISTURBANCES["data-in-use"](engine)
    other(engine, "sidecar", {"NetworkMode": f"container:{engine.container(NAME).id}"})
    with pytest.raises(Refused) as refused:
        refuse_unfit_for_rollback(world_of(engine))
    assert "second" in refused.value.what
    assert "sidecar" in refused.value.what


@pytest.mark.parametrize(("policy", "steps"), [("no", 0), ("always", 2)])
def test_a_restart_policy_is_parked_and_set_again_where_there_is_one(policy: str, steps: int) -> None:
    engine = build(MACHINE)
    engine.set_restart_policy(NAME, {"Name": policy, "MaximumRetryCount": 0})
    assert sum(step.kind == "set-restart-policy" for step in plan_of(engine).steps) == steps


def test_a_bind_mount_above_the_data_counts_as_the_same_data() -> None:
    engine = build(MACHINE)
    other(engine, "above", {"Binds": ["/srv:/all"]})
    with pytest.raises(Refused, match="above runs on /srv/conf"):
        refuse_unfit(world_of(engine))


def test_a_prober_that_a_killed_run_left_depends_on_nothing() -> None:
    engine = build(MACHINE)
    host: Json = {"NetworkMode": f"container:{engine.container(NAME).id}"}
    other(engine, "prober", host, labels={"refloat.run": "r0", "refloat.role": "prober"})
    refuse_unfit(world_of(engine))


def test_a_full_vault_is_seen_before_anything_is_touched() -> None:
    engine = build(MACHINE)
    with pytest.raises(Refused) as refused:
        refuse_unfit(world_of(engine, free_bytes=10))
    assert refused.value.code == "no-space"


@pytest.mark.parametrize("place", [
    VaultPlace(volume="mondata"), VaultPlace(volume="", path="/srv/conf"),
    VaultPlace(volume="", path="/srv/conf/vault"), VaultPlace(volume="", path="/var/lib/docker/volumes/mondata/_data"),
])  # fmt: skip
def test_a_vault_in_the_data_itself_is_refused_and_one_beside_it_is_not(place: VaultPlace) -> None:
    world = world_of(build(MACHINE))
    inside = world.model_copy(update={"place": place})
    backup = partial(refuse_unfit_for_backup, depot=Depot(volume="elsewhere"))
    for refuse in (refuse_unfit, backup, refuse_unfit_for_restore):
        with pytest.raises(Refused) as refused:
            refuse(inside)
        assert refused.value.code == "vault-in-data"
    refuse_unfit(world.model_copy(update={"place": VaultPlace(volume="", path="/srv")}))


@pytest.mark.parametrize("depot", [
    Depot(volume="mondata"), Depot(path="/srv/conf"), Depot(path="/srv/conf/archives"),
    Depot(restic="/srv/conf/restic"), Depot(path="/var/lib/docker/volumes/mondata/_data/archives"),
])  # fmt: skip
def test_archives_in_the_data_itself_are_refused(depot: Depot) -> None:
    with pytest.raises(Refused) as refused:
        refuse_unfit_for_backup(world_of(build(MACHINE)), depot)
    assert refused.value.code == "archives-in-data"


@pytest.mark.parametrize("depot", [Depot(volume="archives"), Depot(path="/srv"), Depot(restic="sftp:host:/srv/conf")])
def test_archives_beside_the_data_are_not_refused(depot: Depot) -> None:
    refuse_unfit_for_backup(world_of(build(MACHINE)), depot)


def test_an_image_for_another_platform_is_refused() -> None:
    engine = build(MACHINE)
    engine.world.add_image(Image(id=f"sha256:{'9' * 64}", tags=("vendor/mon:9",), config={}, architecture="arm64"))
    with pytest.raises(Refused) as refused:
        refuse_unfit(world_of(engine, to="9"))
    assert refused.value.code == "platform"


def test_what_runs_already_needs_nothing() -> None:
    engine = build(MACHINE)
    with pytest.raises(NothingToDo) as done:
        plan_upgrade(world_of(engine, to="1.0"), Options(), "r", "")
    assert done.value.exit_status == 0


def test_a_stopped_neighbour_that_names_a_network_long_gone_spoils_no_plan() -> None:
    engine = build(MACHINE)
    other(engine, "neighbour", {})
    engine.stop("neighbour", 5)
    cell = engine.world.cell("neighbour")
    stale = tuple(endpoint.model_copy(update={"network_id": "f" * 64}) for endpoint in cell.container.endpoints)
    cell.container = cell.container.model_copy(update={"endpoints": stale})
    world = world_of(engine)
    assert stale
    check_on_paper(plan_upgrade(world, Options(), "20240101-000000-abcdef", "now"), world)


def test_a_plan_holds_no_value_of_the_environment_and_survives_its_file() -> None:
    plan = plan_of(build(MACHINE))
    text = plan.to_json()
    assert "SECRET" in text
    assert "s3cret" not in text
    assert plan_from_json(text, "plan.json") == plan
    assert plan_from_json(text, "plan.json").digest == plan.digest


def test_the_way_back_from_a_start_goes_through_the_snapshot() -> None:
    plan = plan_of(build(MACHINE))
    start = next(step for step in plan.steps if isinstance(step, StartSuccessor))
    restore = start.undo()[-1]
    assert isinstance(restore, RestoreData)
    assert restore.sources == plan.sources
    assert [source.destination for source in plan.sources] == ["/conf", "/data"]


def test_a_container_that_vanishes_can_be_made_again() -> None:
    plan = plan_of(build(STAGES[5]))
    stop = next(step for step in plan.steps if isinstance(step, StopContainer))
    assert stop.vanishes is not None
    assert stop.vanishes.image_ref == OLD


def test_a_changed_world_is_named() -> None:
    engine = build(MACHINE)
    before = expectations(world_of(engine))
    engine.set_restart_policy(NAME, {"Name": "always", "MaximumRetryCount": 0})
    assert changed_since(before, before) == ()
    assert [line.split(":")[0] for line in changed_since(before, expectations(world_of(engine)))] == ["settings"]


def going(product: str, old: str, new: str, elsewhere: str = "") -> World:
    """A target of this product, and both versions here; the new one may be of another repository."""
    engine, into = MemoryEngine(), elsewhere or product
    for ref, number in ((f"{product}:{old}", "3"), (f"{into}:{new}", "4")):
        engine.world.add_image(Image(id=f"sha256:{number * 64}", tags=(ref,), config={}))
    engine.create_container(NAME, {"Image": f"{product}:{old}", "HostConfig": {}})
    engine.start(NAME)
    return world_of(engine, to=new, image=f"{into}:{new}" if elsewhere else "")


def test_a_way_the_vendor_forbids_is_refused_with_rule_source_and_what_is_within_reach() -> None:
    with pytest.raises(Refused) as no:
        plan_upgrade(going("mongo", "6.0.1", "8.0.13"), Options(), "r", "")
    assert (no.value.code, "Rule: one-major-at-a-time (https://" in no.value.what) == ("hop", True)
    assert "Within reach: 7.0.24" in no.value.then


def test_what_cannot_be_forced_is_refused_by_force_too_and_may_be_seen_on_copies_alone() -> None:
    for world in (going("postgres", "15", "17"), going("louislam/uptime-kuma", "2.1.0", "2.0.0")):
        with pytest.raises(Refused) as no:
            plan_upgrade(world, Options(force="vendor"), "r", "")
        assert "lets it be forced" not in no.value.then
        plan = plan_upgrade(world, Options(force="copies"), "r", "")
        assert "Rehearsed all the same" in next(one.text for one in plan.warnings if one.code == "hop")


def test_what_the_vendor_lets_be_forced_is_forced_when_told_so_and_the_plan_keeps_the_consequence() -> None:
    world = going("checkmk/check-mk-raw", "2.0.0p39", "2.2.0p47")
    with pytest.raises(Refused) as no:
        plan_upgrade(world, Options(), "r", "")
    assert "with --force. Forced: " in no.value.then
    plan = plan_upgrade(world, Options(force="vendor"), "r", "")
    forced = [one.text for one in plan.warnings if one.code == "forced"]
    assert "no longer supported by the vendor" in forced[0]
    assert "update.html)" in forced[0]
    plan = plan_upgrade(going("checkmk/check-mk-raw", "2.2.0p47", "2.4.0p23"), Options(force="vendor"), "r", "")
    assert "update_major.html)" in [one.text for one in plan.warnings if one.code == "forced"][1]


def test_an_edition_is_what_its_repository_holds_and_changes_apart_from_the_version() -> None:
    both = going("mirror/check-mk-raw", "2.2.0p47", "2.3.0p43", "mirror/check-mk-enterprise")
    with pytest.raises(Refused) as no:
        plan_upgrade(both, Options(), "r", "")
    assert "Version and edition change one after the other." in no.value.what
    assert "Within reach: 2.3.0p43." in no.value.then
    full = going("checkmk/check-mk-free", "2.1.0p9", "2.1.0p9", "checkmk/check-mk-enterprise")
    plan = plan_upgrade(full, Options(), "r", "")
    assert "the licence is entered afterwards" in next(one.text for one in plan.warnings if one.code == "vendor")
    managed = going("checkmk/check-mk-managed", "2.3.0p43", "2.3.0p43", "checkmk/check-mk-enterprise")
    with pytest.raises(Refused) as never:
        plan_upgrade(managed, Options(), "r", "")
    assert "ultimatemt cannot become pro" in never.value.what


def test_the_registrys_tags_decide_what_the_recipes_list_leaves_open() -> None:
    world = going("omflow/omflow", "1.1.6.3", "1.1.8.0")
    with pytest.raises(Refused):
        plan_upgrade(world, Options(), "r", "")
    assert is_barred(world)
    plan_upgrade(world.model_copy(update={"tags": ("1.1.6.3", "1.1.8.0", "1.1.8.1", "latest")}), Options(), "r", "")
    with pytest.raises(Refused) as no:
        plan_upgrade(world.model_copy(update={"tags": ("1.1.7.0", "1.1.8.0")}), Options(), "r", "")
    assert "Within reach: 1.1.7.0" in no.value.then


def test_a_version_that_cannot_be_read_is_ruled_on_by_nobody() -> None:
    warned = plan_upgrade(going("postgres", "15", "ours"), Options(), "r", "").warnings
    assert [one.code for one in warned] == ["version-unread"]


@pytest.mark.parametrize(
    ("ref", "home"),
    [
        ("prom/prometheus", "prom/prometheus"),
        ("localhost:5000/mon:1", "localhost:5000/mon"),
        ("localhost:5000/mon", "localhost:5000/mon"),
        ("mon:1@sha256:abc", "mon"),
    ],
)
def test_the_port_of_a_registry_is_not_a_tag(ref: str, home: str) -> None:
    assert repository(ref) == home


def test_a_goal_is_one_image() -> None:
    engine = build(MACHINE)
    target, image = engine.container(NAME), engine.image(OLD)
    assert image_ref(Goal(to="3"), target, image) == "vendor/mon:3"
    assert image_ref(Goal(image="other/mon"), target, image) == "other/mon:latest"
    with pytest.raises(Exception, match="one of them"):
        image_ref(Goal(), target, image)
    assert moves("mon:latest")
    assert moves("mon:7.0-latest")
    assert not moves("mon:7.0")


@pytest.mark.parametrize(("product", "kept"), [("netdata/netdata", True), ("redis", False)])
def test_a_product_whose_data_goes_by_its_host_name_keeps_it_though_nobody_set_one(product: str, kept: bool) -> None:
    world = going(product, "1.37.1", "1.47.5")
    plan = plan_upgrade(world, Options(), "r", "")
    (made,) = (step for step in plan.steps if step.kind == "create-successor")
    assert made.blueprint.body.get("Hostname") == (world.target.config["Hostname"] if kept else None)
    assert plan.lead.way_back.body.get("Hostname") == made.blueprint.body.get("Hostname")
