"""What a container itself says of its version: each kind of source, what the rules are asked for, and plain silence."""

from __future__ import annotations

import pytest

from runner.additions import data_warnings
from runner.engine.memory import Behaviour, MemoryEngine
from runner.engine.memory.behaviour import Answer
from runner.errors import Refused
from runner.facts import Image, Json
from runner.installed import read_installed
from runner.options import Options
from runner.planner import plan_upgrade
from runner.prospects import read_prospect
from runner.recipes.loader import recipe_named
from runner.recipes.model import FromCommand, FromFile, FromHttp, FromLog, Recipe
from runner.vault.port import Source
from runner.world import Installed
from tests.pure.test_planner import going

SAY = ("thing", "--version")
COMMAND = FromCommand(kind="command", argv=SAY, regex=r"Thing (\S+)")
FILE = FromFile(kind="file", path="VERSION", regex=r"(\S+)")
LOG = FromLog(kind="log", of="data", parts=2, regex=r"schema 0*(\d+?)(\d\d)\d{4}")


def recipe(*sources: FromCommand | FromFile | FromLog | FromHttp) -> Recipe:
    return recipe_named("grafana").model_copy(update={"version_from": sources, "data_paths": ("/data",)})


def machine(*answers: Answer, files: dict[str, str] | None = None, log: tuple[str, ...] = ()) -> MemoryEngine:
    engine = MemoryEngine()
    image = Image(id=f"sha256:{'1' * 64}", tags=("vendor/thing:lts",), config={})
    engine.world.add_image(image, Behaviour(answers=answers, writes=files or {}))
    body: Json = {"Image": "vendor/thing:lts", "Env": ["PASSWORD=s3cret-word", "WHERE=/data"],
                  "HostConfig": {"Binds": ["of-thing:/data"]}}  # fmt: skip
    engine.create_container("thing", body)
    engine.start("thing")
    engine.world.cell("thing").log.extend(log)
    return engine


def read(engine: MemoryEngine, *sources: FromCommand | FromFile | FromLog | FromHttp) -> Installed:
    target = engine.container("thing")
    return read_installed(engine, target, engine.image(target.image_id), recipe(*sources))


def test_a_command_in_it_says_what_runs_where_its_image_does_not() -> None:
    assert read(machine(Answer(argv=SAY, stdout="Thing 2.1.0 (built today)")), COMMAND).program == "2.1.0"


def test_a_file_of_its_data_says_what_the_data_is_of_also_when_it_is_stopped() -> None:
    engine = machine(files={"/data/VERSION": "2.0.3\n"})
    engine.stop("thing", 1)
    for path in ("VERSION", "/data/VERSION", "$WHERE/VERSION"):
        found = read(engine, FILE.model_copy(update={"path": path}))
        assert (found.data, found.where, found.unread) == ("2.0.3", f"its file {path}", "")


def test_the_last_line_of_its_log_counts_and_several_groups_are_one_version() -> None:
    found = read(machine(log=("schema 06000000", "schema 07040000")), LOG)
    assert (found.data, found.data_parts) == ("7.4.0", 2)


def test_a_field_of_a_page_says_what_runs() -> None:
    engine = machine(Answer(argv=SAY))
    behaviour = engine.world.behaviour(engine.world.cell("thing"))
    assert behaviour.answers
    page = FromHttp(kind="http", port=80, path="/v", pointer="/data/version")
    silent = read(engine, page)
    assert (silent.program, "port 80 (/v)" in silent.unread) == ("", True)
    assert engine.containers({"refloat.role": "prober"}) == ()


@pytest.mark.parametrize(
    ("stdout", "exit_code", "said"),
    [
        ("", 3, "its command thing ended with 3"),
        ("no word of it", 0, "its command thing says no version"),
        ("Thing s3cret-word", 0, "its command thing says “***”, which is no version of Grafana"),
    ],
)
def test_what_gives_no_version_says_why_and_no_secret(stdout: str, exit_code: int, said: str) -> None:
    found = read(machine(Answer(argv=SAY, stdout=stdout, exit_code=exit_code)), COMMAND)
    assert (found.program, found.unread) == ("", said)


def test_the_first_source_that_answers_counts_and_the_silence_of_others_is_not_told() -> None:
    engine = machine(Answer(argv=SAY, stdout="Thing 2.1.0"), files={"/data/VERSION": "2.0.3"})
    gone = FILE.model_copy(update={"path": "$NOBODY/VERSION"})
    found = read(engine, gone, FILE, COMMAND)
    assert (found.data, found.program, found.unread) == ("2.0.3", "2.1.0", "")
    engine.stop("thing", 1)
    assert read(engine, gone, COMMAND).unread == "there is no $NOBODY/VERSION; it does not run"


def test_a_file_too_large_for_a_version_is_not_read() -> None:
    found = read(machine(files={"/data/VERSION": "1" * 100_000}), FILE)
    assert (found.data, found.unread) == ("", "/data/VERSION is larger than 65536 bytes")


def test_rules_are_asked_for_the_datas_version_and_the_plan_says_so() -> None:
    world = going("postgres", "15", "17")
    moved = world.model_copy(update={"installed": Installed(data="17", data_parts=1, where="its file PG_VERSION")})
    with pytest.raises(Refused):
        plan_upgrade(world, Options(), "r", "")
    plan = plan_upgrade(moved, Options(), "r", "")
    assert (plan.old.version, plan.old.data) == ("15", "17")
    (said,) = (one.text for one in plan.warnings if one.code == "data-version")
    assert said == ("The data is of 17, says its file PG_VERSION; the image is 15. The vendor's rules are asked for 17")


def test_data_that_agrees_as_far_as_it_tells_changes_nothing() -> None:
    world = going("postgres", "15.4", "15.9")
    agreed = world.model_copy(update={"installed": Installed(data="15", data_parts=1, where="its file PG_VERSION")})
    assert plan_upgrade(agreed, Options(), "r", "").old.data == ""
    assert data_warnings(agreed) == ()


def test_where_a_target_could_go_is_told_from_its_data() -> None:
    engine = MemoryEngine()
    for number, tag in (("3", "15.3"), ("4", "17.2")):
        image = Image(id=f"sha256:{number * 64}", tags=(f"postgres:{tag}",), config={})
        engine.world.add_image(image, Behaviour(writes={"/var/lib/postgresql/data/PG_VERSION": "17\n"}))
    engine.create_container("it", {"Image": "postgres:15.3", "HostConfig": {"Binds": ["d:/var/lib/postgresql/data"]}})
    engine.start("it")
    one = read_prospect(engine, "it")
    assert (one.version, one.data, one.reachable) == ("15.3", "17", "17.2")


@pytest.mark.parametrize(("user", "said"), [("1000:1000", True), ("472", False), ("0", False), ("grafana", False)])
def test_a_product_run_as_another_user_than_the_vendors_is_told(user: str, said: bool) -> None:
    world = going("grafana/grafana", "11.0.0", "11.1.0")
    target = world.target.model_copy(update={"config": {**world.target.config, "User": user}})
    data = Source(key="m0", destination="/var/lib/grafana", volume="of-grafana")
    plan = plan_upgrade(world.model_copy(update={"target": target, "sources": (data,)}), Options(), "r", "")
    assert [one.code == "other-uid" for one in plan.warnings].count(True) == said
