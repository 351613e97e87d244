"""Stacks: the order of their members, what a plan of them does when, and what a command line means by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli.asked import refuse_older
from runner.cli.stacks import stack_asked, window_of
from runner.cli.wishes import Wishes
from runner.compose.project import CONFIG_FILES, DEPENDS_ON, PROJECT, SERVICE, WORKING_DIR
from runner.composed import written_needs
from runner.config.reading import config_from_yaml
from runner.engine.memory import MemoryEngine
from runner.errors import Busy, NothingToDo, Refused, UsageError
from runner.facts import Image, Json
from runner.goal import Goal
from runner.labels import member_run
from runner.options import Options
from runner.plan import Plan, PlanWarning
from runner.report.plan_text import plan_text
from runner.stack_order import in_order, needs_of, recreated, with_tenants
from runner.stacking import Part, Stack
from runner.steps import AnyForward
from runner.steps.nouns import Phase
from runner.verbs import Refloat
from tests.pure.sweep.stages import NAME, STACKS, WEB, build, runner_on

KEPT = next(stage for stage in STACKS if stage.name == "one of a stack keeps its version")
BOTH = next(stage for stage in STACKS if stage.name == "two of a stack go through")


def labelled(service: str, needs: str = "") -> Json:
    return {PROJECT: "shop", SERVICE: service, **({DEPENDS_ON: needs} if needs else {})}


def engine_of(*containers: tuple[str, str, Json]) -> MemoryEngine:
    """Containers that run: name, image, and the body besides that."""
    engine = MemoryEngine()
    for name, ref, body in containers:
        engine.world.add_image(Image(id=f"sha256:{ref}", tags=(ref,), config={}, architecture="amd64"))
        engine.create_container(name, {"Image": ref, **body})
        engine.start(name)
    return engine


def order(engine: MemoryEngine, *names: str) -> list[str]:
    return [each.name for each in in_order(tuple(engine.container(name) for name in names))]


def test_who_depends_on_another_comes_after_it_whatever_the_order_it_is_named_in() -> None:
    engine = engine_of(
        ("web", "a:1", {"Labels": labelled("web", "api:service_healthy:false,db:service_started:true")}),
        ("api", "b:1", {"Labels": labelled("api", "db:service_started:false")}),
        ("db", "c:1", {"Labels": labelled("db")}),
    )
    assert order(engine, "web", "api", "db") == ["db", "api", "web"]
    assert order(engine, "api", "web", "db") == ["db", "api", "web"]


DEPENDING = """\
x-api: &api {depends_on: {db: {condition: service_started}}}
services:
  web: {image: "a:1", depends_on: [api, nobody]}
  api: {<<: *api, image: "b:1"}
  db: {image: "c:1"}
"""


def test_where_compose_noted_no_dependence_on_the_containers_its_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(DEPENDING)
    where: Json = {WORKING_DIR: str(tmp_path), CONFIG_FILES: "compose.yml"}
    bodies: list[tuple[str, str, Json]] = [
        (name, image, {"Labels": {**labelled(name), **where}})
        for name, image in (("web", "a:1"), ("api", "b:1"), ("db", "c:1"))
    ]
    everyone = engine_of(*bodies).containers()
    assert [each.name for each in in_order(everyone, written_needs(everyone))] == ["db", "api", "web"]
    (tmp_path / "compose.yml").write_text("services: [")
    assert written_needs(everyone) == frozenset()


def test_namespaces_and_the_rules_of_products_give_an_order_and_what_is_free_stays_as_named() -> None:
    engine = engine_of(
        ("front", "zabbix/zabbix-web-nginx-pgsql:6.0", {}),
        ("core", "zabbix/zabbix-server-pgsql:6.0", {}),
        ("store", "postgres:15", {}),
        ("other", "vendor/other:1", {}),
    )
    engine.create_container("side", {"Image": "vendor/other:1", "HostConfig": {
        "NetworkMode": f"container:{engine.container('front').id}"}})  # fmt: skip
    assert order(engine, "side", "other", "front", "core", "store") == ["other", "store", "core", "front", "side"]


def test_a_circle_is_refused_and_named() -> None:
    engine = engine_of(
        ("a", "a:1", {"Labels": labelled("a", "b:service_started:false")}),
        ("b", "b:1", {"Labels": labelled("b", "a:service_started:false")}),
    )
    with pytest.raises(Refused, match="a needs b; b needs a") as refused:
        order(engine, "a", "b")
    assert refused.value.code == "stack-cycle"


def test_who_lives_in_a_namespace_of_a_new_container_is_made_anew_and_who_only_depends_on_it_is_not() -> None:
    engine = engine_of(("net", "a:1", {"Labels": labelled("net")}), ("api", "c:1", {"Labels": labelled("api", "net")}))
    host: Json = {"NetworkMode": f"container:{engine.container('net').id}"}
    engine.create_container("side", {"Image": "a:1", "HostConfig": host})
    engine.start("side")
    engine.create_container("inside", {"Image": "a:1", "HostConfig": {
        "PidMode": f"container:{engine.container('side').id}"}})  # fmt: skip
    engine.start("inside")
    everyone = engine.containers()
    net, api = engine.container("net"), engine.container("api")
    anew = recreated(everyone, frozenset((net.id,)))
    assert {each.name for each in everyone if each.id in anew} == {"net", "side", "inside"}
    assert [each.name for each in needs_of(api, everyone)] == ["net"]
    assert {each.name for each in with_tenants(net, everyone)} == {"net", "side", "inside"}


def planned(tmp_path: Path, *parts: Part, stage: str = BOTH.name) -> Plan:
    return runner(tmp_path, stage).plan_stack(Stack(name="pair", parts=parts))


def runner(tmp_path: Path, stage: str = BOTH.name) -> Refloat:
    return runner_on(build(next(each for each in STACKS if each.name == stage)), tmp_path)


GOES, WEB_GOES = Part(target=NAME, goal=Goal(to="2.0")), Part(target=WEB, goal=Goal(to="2.0"))


def positions(plan: Plan, *kinds: str) -> list[int]:
    return [index for index, step in enumerate(plan.steps) if step.kind in kinds]


def test_all_are_stopped_before_the_first_is_sealed_and_each_is_proven_before_the_next_is_started(
    tmp_path: Path,
) -> None:
    plan = planned(tmp_path, GOES, WEB_GOES)
    assert max(positions(plan, "stop-container")) < min(positions(plan, "cold-copy"))
    assert max(positions(plan, "cold-copy")) < min(positions(plan, "rename"))
    first, second = positions(plan, "start-successor")
    assert first < positions(plan, "prove-health")[0] < second
    assert max(positions(plan, "write-papers")) < min(positions(plan, "create-successor"))
    assert positions(plan, "accept-verdict") == [len(plan.steps) - 1]


def test_they_are_stopped_the_other_way_round(tmp_path: Path) -> None:
    plan = planned(tmp_path, GOES, WEB_GOES)
    stopped = [step.member for step in plan.steps if step.kind == "stop-container"]
    started = [step.member for step in plan.steps if step.kind == "start-successor"]
    assert stopped == [member_run(plan.run, 2), member_run(plan.run, 1)] == started[::-1]


def undone(plan: Plan) -> list[str]:
    return [back.kind for step in reversed(plan.steps) for back in step.undo()]


def test_on_the_way_back_the_data_of_all_is_restored_before_the_first_old_one_starts(tmp_path: Path) -> None:
    kinds = undone(planned(tmp_path, GOES, Part(target=WEB), stage=KEPT.name))
    last_restore = max(index for index, kind in enumerate(kinds) if kind == "restore-data")
    assert kinds.count("restore-data") == 2
    assert last_restore < kinds.index("start-container")


def test_who_keeps_its_version_is_stopped_and_started_and_nothing_else(tmp_path: Path) -> None:
    plan = planned(tmp_path, GOES, Part(target=WEB), stage=KEPT.name)
    mine: tuple[AnyForward, ...] = tuple(step for step in plan.steps if step.member == plan.members[1].run)
    assert not plan.members[1].recreated
    assert [step.kind for step in mine if step.phase is Phase.CHANGE] == ["ensure-sole-use", "start-again"]
    assert not {"create-successor", "rename", "hold-image"} & {step.kind for step in mine}


def test_who_keeps_its_version_may_have_no_restart_policy_at_all_as_compose_leaves_it(tmp_path: Path) -> None:
    engine = build(KEPT)
    engine.set_restart_policy(WEB, {"Name": "", "MaximumRetryCount": 0})
    plan = runner_on(engine, tmp_path).plan_stack(Stack(name="pair", parts=(GOES, Part(target=WEB))))
    assert not plan.members[1].recreated


def test_a_goal_that_an_upgrade_left_behind_in_the_file_leads_nobody_back_unless_it_is_typed(tmp_path: Path) -> None:
    plan = planned(tmp_path, GOES, WEB_GOES)
    refuse_older(plan, typed=False)
    older = PlanWarning(code="downgrade", text="mon: it is older")
    back = plan.model_copy(update={"warnings": (*plan.warnings, older)})
    refuse_older(back, typed=True)
    with pytest.raises(Refused, match=r"it is older\. Only the goal in refloat\.yaml asks for it") as refused:
        refuse_older(back, typed=False)
    assert (refused.value.code, "Raise the goal" in refused.value.then) == ("goal-older", True)


def test_a_stack_in_which_nobody_changes_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingToDo):
        planned(tmp_path, Part(target=NAME), Part(target=WEB))


def test_a_member_named_twice_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="twice"):
        planned(tmp_path, GOES, Part(target=NAME))


def test_the_text_of_a_plan_names_every_member_and_where_it_goes(tmp_path: Path) -> None:
    text = plan_text(planned(tmp_path, GOES, Part(target=WEB), stage=KEPT.name))
    assert text.startswith("Upgrade pair: 1.0 → 2.0\n  member mon: 1.0 → 2.0\n")
    assert "  member web: 1.0, the same version\n" in text
    assert text.count("From step") == 1
    assert "accept the new version of pair" in text


def test_a_stale_plan_says_whose_world_changed(tmp_path: Path) -> None:
    refloat = runner(tmp_path)
    plan = refloat.plan_stack(Stack(name="pair", parts=(GOES, WEB_GOES)))
    refloat.session.engine.set_restart_policy(WEB, {"Name": "always", "MaximumRetryCount": 0})
    with pytest.raises(Refused, match="web: settings"):
        refloat.apply(plan)


def test_a_member_is_busy_with_its_stack_and_goes_back_with_it(tmp_path: Path) -> None:
    refloat = runner(tmp_path)
    plan = refloat.plan_stack(Stack(name="pair", parts=(GOES, WEB_GOES)))
    with refloat.session.holding(plan), pytest.raises(Busy) as busy:
        refloat.apply(plan)
    assert busy.value.code == "busy"
    refloat.apply(plan)
    assert {refloat.offer_rollback(name).plan.target for name in ("pair", NAME, WEB)} == {"pair"}


def test_an_answer_that_no_member_asks_for_is_a_usage_error(tmp_path: Path) -> None:
    part = GOES.model_copy(update={"options": Options(answers=("terms=yes",))})
    with pytest.raises(UsageError, match="No member has a gate for --answer terms=yes"):
        planned(tmp_path, part, WEB_GOES)


STACK_FILE = """\
targets:
  front: {container: web, goal: 3.0, probes: [tcp:80]}
stacks:
  pair: {members: {mon: same, front: }, hold: true}
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "refloat.yaml"
    path.write_text(STACK_FILE)
    monkeypatch.setenv("REFLOAT_CONFIG", str(path))
    return path


@pytest.mark.usefixtures("written")
def test_a_stack_of_the_file_has_its_members_goals_and_its_own_settings() -> None:
    stack = stack_asked(build(BOTH), "pair", Wishes(), None)
    assert stack is not None
    assert [(part.target, part.goal and part.goal.to) for part in stack.parts] == [("mon", None), ("web", "3.0")]
    assert stack.parts[1].options.probes
    assert stack.options.hold


@pytest.mark.usefixtures("written")
def test_the_command_line_wins_over_the_members_of_the_file() -> None:
    stack = stack_asked(build(BOTH), "pair", Wishes(hold=False), ["mon=2.0", "front=same"])
    assert stack is not None
    assert [(part.target, part.goal and part.goal.to) for part in stack.parts] == [("mon", "2.0"), ("web", None)]
    assert not stack.options.hold


@pytest.mark.parametrize("given", [["nobody=2.0"], ["mon"], ["mon="]])
@pytest.mark.usefixtures("written")
def test_a_member_that_is_none_is_a_usage_error(given: list[str]) -> None:
    with pytest.raises(UsageError, match="mon, front"):
        stack_asked(build(BOTH), "pair", Wishes(), given)


def test_a_compose_project_is_a_stack_of_its_services_and_who_has_no_goal_stays() -> None:
    db, web = {"Labels": labelled("db")}, {"Labels": labelled("web")}
    engine = engine_of(("shop-db-1", "a:1", {**db}), ("shop-web-1", "b:1", {**web}))
    stack = stack_asked(engine, "shop", Wishes(), ["web=2"])
    assert stack is not None
    assert [(part.target, part.goal and part.goal.to) for part in stack.parts] == [("shop/db", None), ("shop/web", "2")]
    assert stack_asked(engine, "shop-db-1", Wishes(), None) is None
    with pytest.raises(UsageError, match="no stack"):
        stack_asked(engine, "shop-db-1", Wishes(), ["db=2"])


def test_a_stack_can_insist_on_its_own_rehearsal() -> None:
    config = config_from_yaml("stacks: {a: {members: {b: same}, require_rehearsal: 7d}}\n", "refloat.yaml")
    assert config.target("a")[1].require_rehearsal == "7d"


SERVICES = """\
targets:
  db: {service: shop/db, goal: 2, window: "Sun 02:00-05:00 UTC"}
  web: {service: shop/web, goal: 2%s}
"""


def test_a_compose_project_has_the_window_of_its_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "refloat.yaml"
    monkeypatch.setenv("REFLOAT_CONFIG", str(path))
    engine = engine_of(
        ("shop-db-1", "db:1", {"Labels": labelled("db")}), ("shop-web-1", "web:1", {"Labels": labelled("web")})
    )
    path.write_text(SERVICES % "")
    stack = stack_asked(engine, "shop", Wishes(), None)
    assert stack is not None
    assert window_of(stack) == "Sun 02:00-05:00 UTC"
    path.write_text(SERVICES % ', window: "daily 01:00-02:00 UTC"')
    stack = stack_asked(engine, "shop", Wishes(), None)
    assert stack is not None
    with pytest.raises(UsageError, match="several windows"):
        window_of(stack)


def test_a_stack_and_a_target_cannot_have_one_name() -> None:
    with pytest.raises(UsageError, match="one name: a"):
        config_from_yaml("targets: {a: {}}\nstacks: {a: {members: {b: same}}}\n", "refloat.yaml")
