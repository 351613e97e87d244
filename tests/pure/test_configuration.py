"""Which configuration an upgrade refreshes, what is asked before, and what a plan says and holds of it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.cli import refresh_target
from runner.configuration import outermost, papers_of_texts, places_of, with_refresh
from runner.engine.memory import Behaviour, MemoryEngine
from runner.errors import Refused, UsageError
from runner.facts import Container, Mount, MountKind, State
from runner.goal import Goal
from runner.options import Options
from runner.perform_configuration import told
from runner.plan import Plan
from runner.planner import plan_upgrade
from runner.prepared import read_prepared
from runner.recipes.loader import recipe_named
from runner.recipes.model import ConfigTree
from runner.recipes.work import Preflight
from runner.records import Did, End, Record
from runner.refresh.choices import Conflict
from runner.rehearsing import Ears, Wanted, rehearse
from runner.report.plan_text import plan_text
from runner.report.refreshed import preview_json, preview_text
from runner.report.rehearsal import rehearsal_report
from runner.spec import data_mounts
from runner.steps.configuration import CheckConfiguration, CheckDraft
from runner.steps.nouns import Existing, Ours
from runner.survey import survey
from runner.targets import find_target
from runner.vault.configuration import ConfigPlace, OpenQuestion, PathTold, PreparedAnswer, Refreshed, RefreshOrder
from runner.vault.defaults import read_defaults
from runner.vault.memory import MemoryVault
from runner.vault.port import Room, VaultPlace
from runner.way_configuration import checks_beforehand, prepare_refresh, refresh_steps
from runner.world import World
from tests.pure.sweep.stages import CONFIGURED, NAME, SHIPS_NEW, SHIPS_OLD, Stage, act, build, runner_on

RUN = "20240101-000000-abcdef"
CONF = Options(config_paths=(ConfigTree(path="/conf"),))
MINE = Behaviour(ships={"/conf/db/rows": "the vendor's", "/conf/db/more": "more rows"})


def machine(old: Behaviour = SHIPS_OLD) -> tuple[MemoryEngine, MemoryVault]:
    engine = build(Stage("configured", old=old, new=SHIPS_NEW, binds=CONFIGURED))
    return engine, MemoryVault(engine)


def world_of(engine: MemoryEngine, vault: MemoryVault) -> World:
    return survey(engine, vault, find_target(engine, NAME), Goal(to="2.0"), VaultPlace(), lambda _: None)


def planned(options: Options, old: Behaviour = SHIPS_OLD) -> Plan:
    engine, vault = machine(old)
    world = with_refresh(vault, world_of(engine, vault), options)
    return plan_upgrade(world, options, RUN, "2024-01-01T00:00:00+00:00")


def kinds(plan: Plan) -> list[str]:
    return [step.kind for step in plan.steps]


def seen(*mounts: Mount) -> Container:
    return Container(id="1" * 64, name="app", image_id="sha256:1", image_ref="app:1", created="",
                     state=State(status="running"), config={}, host_config={}, mounts=mounts, labels={})  # fmt: skip


def volume(name: str, destination: str, *, rw: bool = True) -> Mount:
    return Mount(kind=MountKind.VOLUME, name=name, source=f"/v/{name}", destination=destination, rw=rw)


def folder(source: str, destination: str) -> Mount:
    return Mount(kind=MountKind.BIND, source=source, destination=destination, rw=True)


def places(container: Container, path: str) -> list[tuple[str, str, str, tuple[str, ...]]]:
    found = places_of(container, data_mounts(container), ConfigTree(path=path))
    return [(place.key, place.inside, place.path, place.skip) for place in found]


def test_a_path_is_found_on_the_nearest_mount_above_it_or_in_those_below() -> None:
    both = seen(volume("all", "/data"), volume("conf", "/data/etc"))
    assert places(both, "/data/etc") == [("d1", "", "/data/etc", ())]
    assert places(both, "/data/etc/sub/") == [("d1", "sub", "/data/etc/sub", ())]
    assert places(both, "/data") == [("d0", "", "/data", ("etc",)), ("d1", "", "/data/etc", ())]
    assert places(seen(volume("rules", "/etc/app/rules")), "/etc/app") == [("d0", "", "/etc/app/rules", ())]


def test_a_folder_of_the_host_inside_another_one_is_found_in_that() -> None:
    container = seen(folder("/srv/app", "/data"), folder("/srv/app/conf", "/etc/app"))
    assert places(container, "/etc/app") == [("d0", "conf", "/etc/app", ())]


def test_what_the_target_cannot_write_to_is_left_alone() -> None:
    assert places(seen(volume("conf", "/etc/app", rw=False)), "/etc/app") == []
    assert places(seen(), "/etc/app") == []


def test_a_tree_in_another_one_goes_with_that_unless_it_is_mounted_there() -> None:
    etc = ConfigPlace(key="d0", path="/etc", skip=("own",))
    inner = (ConfigPlace(key="d0", inside="app", path="/etc/app"), ConfigPlace(key="d1", path="/etc/own"))
    assert [place.path for place in outermost((*inner, etc, etc))] == ["/etc/own", "/etc"]


def test_a_refresh_stands_between_snapshot_and_start_and_is_undone_from_there() -> None:
    plan = planned(CONF)
    order = kinds(plan)
    assert order.index("warm-copy") < order.index("prepare-refresh") < order.index("stop-container")
    assert order.index("cold-copy") < order.index("refresh-configuration") < order.index("start-successor")
    lines = plan_text(plan).splitlines()
    at = next(number for number, line in enumerate(lines) if "refresh configuration /conf" in line)
    assert [line.strip() for line in (lines[at].split("  ")[-1], *lines[at + 1 : at + 3])] == [
        "refresh configuration /conf (Installed 1, Updated 1)",
        "why:  new defaults come in, what was changed by hand stays",
        f"undo: restore /srv/conf from snapshot {RUN}",
    ]


def test_checks_of_configuration_read_a_copy_before_the_stop_and_the_data_after_the_refresh() -> None:
    engine, vault = machine()
    world = with_refresh(vault, world_of(engine, vault), CONF)
    checks = [
        Preflight.model_validate({"name": name, "where": where, "argv": argv, "why": "x", "source": "https://a.b"})
        for name, where, argv in (
            ("names a file", "target-image", ("sh", "-c", "sed s,/nowhere,, '/conf/a'")),
            ("knows the file", "target-image", ("daemon", "-C")),
            ("reads something else", "target-image", ("look", "/data/db")),
            ("asks the old one", "old-container", ("look", "/conf/db")),
        )
    ]
    recipe = recipe_named("prometheus").model_copy(update={"preflight": tuple(checks)})
    old, ours = Existing(id="1", name=NAME), Ours(run=RUN, role="successor", name=NAME)
    room = Room(place=VaultPlace(), target=NAME, run=RUN)
    before, after = prepare_refresh(world, recipe, old, ours, room), refresh_steps(world, recipe, old, ours, room)
    assert [step.argv[0] for step in before if isinstance(step, CheckDraft)] == ["sh", "daemon"]
    assert [step.argv[0] for step in after if isinstance(step, CheckConfiguration)] == ["sh", "daemon"]
    assert [step.argv[0] for step in checks_beforehand(world, recipe, ours)] == ["look"]
    assert [step.kind for step in refresh_steps(world, None, old, ours, room)] == ["refresh-configuration"]


def test_what_was_checked_on_a_copy_is_not_checked_again_while_nobody_serves(tmp_path: Path) -> None:
    stage = Stage("drafted", old=SHIPS_OLD, new=SHIPS_NEW, binds=CONFIGURED, config="/conf", drafted=True)
    done: list[Record] = []
    act(stage, build(stage), tmp_path, done.append)
    facts = [each.facts for each in done if isinstance(each, Did) and "checked_before" in each.facts]
    assert facts == [{"checked_before": True}]


def test_without_defaults_in_both_images_or_on_request_nothing_is_refreshed() -> None:
    assert "refresh-configuration" not in kinds(planned(Options()))
    assert "refresh-configuration" not in kinds(planned(CONF.model_copy(update={"refresh": False})))
    for path, why in (("/nowhere", "is on no data"), ("/data", "is no directory with defaults")):
        with pytest.raises(Refused, match=why) as refused:
            planned(Options(config_paths=(ConfigTree(path=path),)))
        assert refused.value.code == "no-configuration"


def test_an_open_conflict_is_refused_with_what_to_type_and_a_policy_settles_it() -> None:
    with pytest.raises(Refused) as refused:
        planned(CONF, MINE)
    assert refused.value.code == "refresh-unanswered"
    assert "/conf/db/rows" in refused.value.what
    assert f"refloat refresh {NAME} --image vendor/mon:2.0 --save-answers FILE" in refused.value.then
    kept = planned(CONF.model_copy(update={"conflict": Conflict.KEEPOLD}), MINE)
    assert "Keeping 1" in plan_text(kept)


def test_a_look_says_what_would_become_of_it_for_people_and_programs() -> None:
    engine, vault = machine(MINE)
    options = CONF.model_copy(update={"conflict": Conflict.INSTALL})
    world = with_refresh(vault, world_of(engine, vault), options)
    assert preview_text(world, world.refresh).splitlines()[0] == f"Configuration of {NAME}: /conf"
    assert preview_json(world, world.refresh)["places"] == ["/conf"]
    assert "Name one: --config-path" in preview_text(world, None)
    known = world.target.model_copy(update={"image_ref": "prom/prometheus:v2.42.0"})
    nothing = preview_text(world.model_copy(update={"target": known}), None)
    assert nothing.startswith("There is nothing to refresh in /etc/prometheus: it is done to whole directories")


def test_an_old_image_that_is_gone_has_no_defaults_and_the_new_ones_are_read_all_the_same() -> None:
    engine, vault = machine()
    new = world_of(engine, vault).new_image.id
    place = ConfigPlace(key="d0", path="/conf")
    found = read_defaults(engine, RefreshOrder(places=(place,), old_image="sha256:gone", new_image=new))
    assert found["old"] == {}


def test_tokens_are_filled_with_the_containers_variables_the_longest_names_first() -> None:
    order = RefreshOrder(places=(), old_image="1", new_image="2", tokens={"@ROOT@": "/omd/$SITE_ID/$SITE"})
    ready = order.ready({"SITE": "short", "SITE_ID": "long"}, {})
    assert ready.tokens == {"@ROOT@": "/omd/long/short"}
    assert order.tokens == {"@ROOT@": "/omd/$SITE_ID/$SITE"}


class Typist:
    """A terminal at which somebody presses these keys; ``seen`` is what was shown."""

    def __init__(self, keys: str) -> None:
        self.keys, self.seen = list(keys), ""

    def show(self, text: str) -> None:
        self.seen += text

    def key(self) -> str:
        return self.keys.pop(0)

    def edit(self, path: Path) -> bool:
        path.write_text("by hand\n")
        return True

    def shell(self, directory: Path, more_environment: Mapping[str, str]) -> None:
        del more_environment
        (directory / "rows").write_text("changed on a copy\n")


def test_a_conflict_is_asked_about_on_a_copy_and_the_answer_names_the_real_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typist = Typist("dsek")
    monkeypatch.setattr(refresh_target, "KeyTerminal", lambda: typist)
    texts = {name: b64encode(f"{name}\n".encode()).decode() for name in ("user", "old", "new", "merged")}
    open_one = OpenQuestion(path="/conf/db/rows", question="merge", sentence="Both.", choices=("keep",),
                            fingerprint="f", texts=texts)  # fmt: skip
    question, answer = refresh_target.asked_about(open_one, tmp_path / "0")
    assert " ! /conf/db/rows\n" in typist.seen
    assert "-user\n   +new" in typist.seen
    assert (question.path, question.fingerprint, answer.text) == ("/conf/db/rows", "f", b"by hand\n")
    plain = OpenQuestion(path="/conf/x", question="replace", sentence="Both.", choices=("keep",), fingerprint="g")
    monkeypatch.setattr(refresh_target, "KeyTerminal", lambda: Typist("r"))
    assert refresh_target.asked_about(plain, tmp_path / "1")[1].choice == "replace"


def test_a_plan_holds_no_text_of_an_answer_and_wants_it_again(tmp_path: Path) -> None:
    file = tmp_path / "answers.json"
    answer = {"path": "/conf/db/rows", "question": "merge", "fingerprint": "f", "choice": "keep", "text": "s3cret\n"}
    file.write_text(json.dumps({"version": 1, "answers": [answer]}))
    prepared = read_prepared(file)
    assert isinstance(prepared.answers[0], PreparedAnswer)
    plan = planned(CONF.model_copy(update={"prepared": prepared.answers, "texts": prepared.texts}))
    assert not [text for text in ("s3cret", b64encode(b"s3cret\n").decode()) if text in plan.to_json()]
    assert list(papers_of_texts(plan, prepared.texts)) == ["answers.json"]
    with pytest.raises(UsageError, match="bring a text"):
        papers_of_texts(plan, {})


def test_a_conflict_that_appears_while_the_old_version_stops_turns_back_with_it_in_place(tmp_path: Path) -> None:
    engine, _ = machine()
    runner = runner_on(engine, tmp_path)
    plan = runner.plan(NAME, Goal(to="2.0"), CONF)

    def meddle(name: str, _args: tuple[object, ...]) -> None:
        if name == "stop":
            engine.data["/srv/conf"]["db/rows"] = "edited at the last moment"

    engine.faults = meddle
    ended = runner.apply(plan)
    engine.faults = None
    assert (ended.end, ended.code) == (End.OLD, "refresh-unanswered")
    assert engine.data["/srv/conf"] == {"db/rows": "edited at the last moment", "db/more": "more rows"}
    assert engine.container(NAME).state.running


def test_a_rehearsal_refreshes_the_copy_and_says_so(tmp_path: Path) -> None:
    engine, _ = machine()
    runner = runner_on(engine, tmp_path)
    options = CONF.model_copy(update={"deadline_s": 10})
    world, plan = runner.look(NAME, Goal(to="2.0"), options, VaultPlace())
    before = dict(engine.data["/srv/conf"])
    ears = Ears(tell=lambda _: None, follow=lambda _: None)
    result = rehearse(runner.session, world, plan, Wanted(options=options), ears)
    assert (result.passed, result.rolled_back, engine.data["/srv/conf"]) == (True, True, before)
    assert result.configuration == ("* Installed      db/added", "* Updated        db/rows")
    assert "Configuration\n  * Installed      db/added" in rehearsal_report(result)


def test_the_journal_holds_no_password_of_a_diff() -> None:
    diff = "--- yours\n+++ result\n-smtp_auth_password: hunter2\n+smtp_auth_password: 'hunter2'\n+url: http://u:hunter2@h/\n"
    done = Refreshed(paths=(PathTold(path="/conf/a", lines=(" * Merged a",), diff=f"{diff}+plain: s3cret-of-env\n"),))
    container = seen().model_copy(update={"config": {"Env": ["DB_PASSWORD=s3cret-of-env"]}})
    said = json.dumps(told(done, container))
    assert "hunter2" not in said
    assert "s3cret-of-env" not in said
    assert "smtp_auth_password: ***" in said
