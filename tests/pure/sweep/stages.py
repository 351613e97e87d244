"""The stages of the sweep: one small machine in memory each, with a target, two images and their manners."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from runner.archiving import Archiving
from runner.backing_up import Wanted
from runner.clock import MemoryClock
from runner.engine.memory import Behaviour, MemoryEngine
from runner.engine.memory.behaviour import Answer
from runner.facts import Image, Json
from runner.goal import Goal
from runner.labels import CHECKER, SUCCESSOR
from runner.options import Options
from runner.plan import Plan
from runner.recipes.model import ConfigTree
from runner.recipes.work import OwnHook
from runner.records import Record
from runner.restoring import From
from runner.session import Session
from runner.stacking import Part, Stack
from runner.steps import AnyForward
from runner.steps.configuration import CheckConfiguration, CheckDraft, PrepareRefresh, RefreshConfiguration
from runner.steps.nouns import Ours, Phase
from runner.vault.archive_port import Archive, Depot
from runner.vault.memory import MemoryVault
from runner.vault.memory_archives import MemoryArchives
from runner.vault.port import VaultPlace
from runner.verbs import Refloat

FAST = "/dev/shm"
NAME = "mon"
WEB = "web"
DEPOT = Depot(volume="refloat-archives")
OLD, NEW = "vendor/mon:1.0", "vendor/mon:2.0"
WEB_OLD, WEB_NEW = "vendor/web:1.0", "vendor/web:2.0"
TOKEN = {"db/rows": "old rows", "db/more": "more rows"}


@dataclass(frozen=True)
class Stage:
    """One scenario."""

    name: str
    new: Behaviour = field(default_factory=Behaviour)
    old: Behaviour = field(default_factory=Behaviour)
    policy: str = "no"
    auto_remove: bool = False
    binds: tuple[str, ...] = ("mondata:/data",)
    networks: tuple[str, ...] = ()
    hold: bool = False
    act: str = "apply"
    config: str = ""
    drafted: bool = False
    """Whether the configuration is checked on a copy as well."""
    """Configuration that is refreshed, and checked by the new version."""
    composed: bool = False
    """Whether a compose file names its image."""
    hooks: tuple[OwnHook, ...] = ()
    web: Behaviour | None = None
    """The manners of the new version of a second container, which goes with it as a stack; None: there is none."""
    web_goes: bool = True
    """Whether that one gets a new version, too."""
    web_joins: bool = False
    """Whether it lives in the network namespace of the first one."""
    web_runs: bool = True
    web_paused: bool = False
    paused: bool = False
    """Whether somebody has paused the target."""

    @property
    def labels(self) -> Json:
        """What compose would have noted on the target."""
        noted = {"project": "shop", "service": NAME, "project.working_dir": str(compose_file().parent),
                 "project.config_files": compose_file().name}  # fmt: skip
        return {f"com.docker.compose.{key}": value for key, value in noted.items()} if self.composed else {}


MIGRATES = Behaviour(writes={"/data/db/rows": "new rows", "/data/db/index": "2"}, deletes=("/data/db/more",))
MIGRATES_AND_CRASHES = MIGRATES.model_copy(update={"crashes": True})
NEVER = MIGRATES.model_copy(update={"healthcheck": True, "never_healthy": True})

CONFIGURED = ("mondata:/data", "/srv/conf:/conf")
CHECK = ("checker", "/conf/db/rows")
SHIPS_OLD = Behaviour(ships={"/conf/db/rows": "old rows", "/conf/db/gone": "x", "/conf/db/more": "other rows"})
SHIPS_NEW = MIGRATES.model_copy(update={"ships": {"/conf/db/rows": "default rows", "/conf/db/added": "y",
                                                  "/conf/db/more": "other rows"}})  # fmt: skip
REFUSES = SHIPS_NEW.model_copy(update={"answers": (Answer(argv=CHECK, exit_code=1, stdout="bad rows"),)})

OBEYS, REFUSES_ONE = ("obey",), ("refuse",)
HEARS = (Answer(argv=OBEYS), Answer(argv=REFUSES_ONE, exit_code=1))
HOOKS = (
    OwnHook(when="before-stop", where="container", argv=OBEYS, undo=OBEYS),
    OwnHook(when="after-start", where="container", argv=OBEYS, confirm=OBEYS),
    OwnHook(when="before-verdict", where="container", argv=OBEYS, undo=REFUSES_ONE),
    OwnHook(when="after-verdict", where="container", argv=REFUSES_ONE),
    OwnHook(when="after-rollback", where="container", argv=REFUSES_ONE),
)
TURNS = OwnHook(when="before-verdict", where="container", argv=REFUSES_ONE)
OLD_HEARS, NEW_HEARS = Behaviour(answers=HEARS), MIGRATES.model_copy(update={"answers": HEARS})

STAGES = (
    Stage("goes through", new=MIGRATES),
    Stage("crashes after it migrated", new=MIGRATES_AND_CRASHES, policy="unless-stopped"),
    Stage("never healthy, always restarted", new=NEVER, old=Behaviour(healthcheck=True), policy="always"),
    Stage("goes through and is held", new=MIGRATES, hold=True, policy="always"),
    Stage("two mounts and two networks", new=MIGRATES, binds=("mondata:/data", "/srv/conf:/conf"), networks=("far",)),
    Stage("deleted when it stops", new=MIGRATES_AND_CRASHES, auto_remove=True),
    Stage("deleted when it stops, goes through", new=MIGRATES, auto_remove=True),
    Stage("no data", new=Behaviour(crashes=True), binds=()),
    Stage("cannot start", new=Behaviour(cannot_start=True), policy="always"),
    Stage("an old one that must be killed", new=MIGRATES, old=Behaviour(ignores_term=True)),
    Stage("a held one goes back", new=MIGRATES, hold=True, policy="always", act="undo"),
    Stage("back after the commit", new=MIGRATES, policy="unless-stopped", act="rollback"),
    Stage("configuration is refreshed", old=SHIPS_OLD, new=SHIPS_NEW, binds=CONFIGURED, config="/conf", drafted=True),
    Stage("configuration is refreshed and refused", old=SHIPS_OLD, new=REFUSES, binds=CONFIGURED, config="/conf"),
    Stage("written in a compose file", new=MIGRATES, act="rollback", composed=True),
    Stage("written in a compose file, crashes", new=MIGRATES_AND_CRASHES, composed=True),
    Stage("back after the commit fails", new=MIGRATES, old=Behaviour(), policy="always", act="bad rollback"),
    Stage("calls hooks", old=OLD_HEARS, new=NEW_HEARS, policy="always", hooks=HOOKS),
    Stage("a hook turns it back", old=OLD_HEARS, new=NEW_HEARS, hooks=(*HOOKS, TURNS)),
    Stage("the data of an archive", binds=("mondata:/data", "/srv/conf:/conf"), policy="always", act="restore"),
    Stage("paused, and crashes", new=MIGRATES_AND_CRASHES, policy="always", paused=True),
    Stage("paused and held goes back", new=MIGRATES, paused=True, hold=True, act="undo"),
    Stage("data on which it does not stay up", policy="always", act="bad restore"),
)


STACKS = (
    Stage("two of a stack go through", new=MIGRATES, web=MIGRATES, policy="always", act="stack"),
    Stage("the second of a stack crashes", new=MIGRATES, web=MIGRATES_AND_CRASHES, policy="always", act="stack"),
    Stage("one of a stack keeps its version", new=MIGRATES_AND_CRASHES, web=MIGRATES, web_goes=False, act="stack"),
    Stage("one lives in the namespace of the other", new=MIGRATES, web=MIGRATES, web_goes=False, web_joins=True,
          act="tenant"),
    Stage("one of a stack is stopped", new=MIGRATES, web=MIGRATES, web_runs=False, act="stack"),
    Stage("a stack goes back later", new=MIGRATES, web=MIGRATES, policy="always", act="stack rollback"),
    Stage("two of a stack are paused", new=MIGRATES, web=MIGRATES, web_goes=False, paused=True, web_paused=True,
          act="stack"),
    Stage("a held stack goes back", new=MIGRATES, web=MIGRATES, web_goes=False, hold=True, act="stack undo"),
)  # fmt: skip


def build(stage: Stage) -> MemoryEngine:
    """The machine before anything is done."""
    engine = MemoryEngine()
    for ref, behaviour, number in ((OLD, stage.old, "1"), (NEW, stage.new, "2")):
        engine.world.add_image(_image(ref, behaviour, number), behaviour)
    for network in stage.networks:
        engine.create_network(network, {})
    engine.create_volume("mondata", labels={})
    for bind in stage.binds:
        engine.world.data[bind.split(":")[0]] = dict(TOKEN)
    host: Json = {
        "Binds": [*stage.binds],
        "RestartPolicy": {"Name": stage.policy, "MaximumRetryCount": 0},
        "AutoRemove": stage.auto_remove,
    }
    engine.create_container(NAME, {"Image": OLD, "Env": ["SECRET=s3cret"], "HostConfig": host, "Labels": stage.labels})
    for network in stage.networks:
        engine.connect(network, NAME, {"Aliases": ["mon-far"]})
    engine.start(NAME)
    if stage.paused:
        engine.pause(NAME)
    if stage.web is not None:
        _build_web(engine, stage, stage.web)
    return engine


def _build_web(engine: MemoryEngine, stage: Stage, new: Behaviour) -> None:
    """The second container of a stack."""
    for ref, behaviour, number in ((WEB_OLD, Behaviour(), "3"), (WEB_NEW, new, "4")):
        engine.world.add_image(_image(ref, behaviour, number), behaviour)
    mode = f"container:{engine.container(NAME).id}" if stage.web_joins else "bridge"
    engine.create_volume("webdata", labels={})
    host: Json = {"Binds": ["webdata:/data"], "NetworkMode": mode, "RestartPolicy": {"Name": "on-failure"}}
    engine.create_container(WEB, {"Image": WEB_OLD, "Env": ["SECRET=s3cret"], "HostConfig": host})
    if stage.web_runs:
        engine.start(WEB)
    if stage.web_paused:
        engine.pause(WEB)
    engine.world.data["webdata"] = dict(TOKEN)


@cache
def compose_file() -> Path:
    """The one file of this process that names the target's image where a stage is composed."""
    return new_home() / "compose.yml"


def _written(image: str) -> bytes:
    return f"services:\r\n  {NAME}:  # it\r\n    image: '{image}'\r\n".encode()


def _image(ref: str, behaviour: Behaviour, number: str) -> Image:
    config: Json = {"Env": [f"VERSION={number}"], "Cmd": ["run"]}
    if behaviour.healthcheck:
        config["Healthcheck"] = {"Test": ["CMD", "healthy"]}
    return Image(id=f"sha256:{number * 64}", tags=(ref,), config=config, architecture="amd64")


@cache
def homes() -> Path:
    """Where this process has its state folders: in memory where the machine has such a place."""
    return Path(tempfile.mkdtemp(prefix="sweep-", dir=FAST if Path(FAST).is_dir() else None))


def new_home() -> Path:
    """A fresh state folder."""
    return Path(tempfile.mkdtemp(dir=homes()))


def runner_on(engine: MemoryEngine, home: Path, hear: Callable[[Record], None] = lambda _: None) -> Refloat:
    """A fresh runner process: nothing but the disk and the engine outlives the last one."""
    return Refloat(Session(home=home, engine=engine, vault=MemoryVault(engine), clock=MemoryClock(), hear=hear))


def prepared(stage: Stage) -> tuple[MemoryEngine, Path]:
    """The machine and state folder right before the act: a copy of one that was made once."""
    engine, home = _prepared(stage.name) if stage in (*STAGES, *STACKS) else _prepare(stage)
    compose_file().write_bytes(_written(engine.container(NAME).image_ref))
    copy = new_home()
    shutil.copytree(home, copy, dirs_exist_ok=True)
    return engine.fork(), copy


@cache
def _prepared(name: str) -> tuple[MemoryEngine, Path]:
    return _prepare(next(stage for stage in (*STAGES, *STACKS) if stage.name == name))


def _prepare(stage: Stage) -> tuple[MemoryEngine, Path]:
    engine, home = build(stage), new_home()
    compose_file().write_bytes(_written(OLD))
    if stage.act in ("restore", "bad restore"):
        _back_up_and_change(stage, engine, home)
    elif stage.act in ("stack rollback", "stack undo"):
        _apply_stack(stage, runner_on(engine, home))
    elif stage.act not in ("apply", "stack", "tenant"):
        runner = runner_on(engine, home)
        runner.apply(runner.plan(NAME, Goal(to="2.0"), Options(hold=stage.hold, deadline_s=10)))
    if stage.act in ("bad rollback", "bad restore"):
        image = engine.image(OLD)
        engine.world.behaviours[image.id] = MIGRATES_AND_CRASHES
    return engine, home


def with_check(plan: Plan, *, drafted: bool) -> Plan:
    """The plan with checks beforehand and one of what is refreshed: this product has no recipe that names one."""
    steps: list[AnyForward] = []
    successor = Ours(run=plan.run, role=SUCCESSOR, name=plan.target)
    checker = Ours(run=plan.run, role=CHECKER, name=f"{plan.target}-refloat-check")
    check = CheckConfiguration(cause="a test", who=checker, successor=successor, argv=CHECK, image_id=plan.new.image_id)
    beforehand = check.model_copy(update={"phase": Phase.PREPARE, "image_id": plan.old.image_id})
    for step in plan.steps:
        steps += [beforehand] if isinstance(step, PrepareRefresh) else []
        steps.append(step)
        steps += [_on_a_draft(check, step)] if isinstance(step, PrepareRefresh) and drafted else []
        steps += [check] if isinstance(step, RefreshConfiguration) else []
    return plan.model_copy(update={"steps": tuple(steps)})


def _on_a_draft(check: CheckConfiguration, prepared: PrepareRefresh) -> CheckDraft:
    return CheckDraft(cause="a test", who=check.who, successor=check.successor, argv=CHECK, image_id=check.image_id,
                      owner=prepared.who, room=prepared.room, sources=prepared.sources,
                      order=prepared.order)  # fmt: skip


def _back_up_and_change(stage: Stage, engine: MemoryEngine, home: Path) -> None:
    wanted = Wanted(depot=DEPOT, place=VaultPlace())
    Archiving(runner_on(engine, home), MemoryArchives(engine)).back_up(NAME, wanted, lambda _: None)
    for bind in stage.binds:
        engine.world.data[bind.split(":")[0]] = {"db/rows": "rows of today", "db/later": "made later"}


def act(stage: Stage, engine: MemoryEngine, home: Path, hear: Callable[[Record], None] = lambda _: None) -> None:
    """Do what the stage is about."""
    runner = runner_on(engine, home, hear)
    if stage.act == "apply":
        trees = (ConfigTree(path=stage.config),) if stage.config else ()
        options = Options(hold=stage.hold, deadline_s=10, config_paths=trees, hooks=stage.hooks)
        runner.apply(with_check(runner.plan(NAME, Goal(to="2.0"), options), drafted=stage.drafted))
    elif stage.act == "stack":
        _apply_stack(stage, runner)
    elif stage.act == "tenant":
        runner.apply(runner.plan(NAME, Goal(to="2.0"), Options(deadline_s=10)))
    elif stage.act in ("stack rollback", "stack undo"):
        runner.rollback(runner.offer_rollback("pair"))
    elif stage.act in ("restore", "bad restore"):
        restore(runner, engine)
    else:
        runner.rollback(runner.offer_rollback(NAME))


def _apply_stack(stage: Stage, runner: Refloat) -> None:
    options = Options(hold=stage.hold, deadline_s=10)
    web = Part(target=WEB, goal=Goal(to="2.0") if stage.web_goes else None, options=options)
    parts = (Part(target=NAME, goal=Goal(to="2.0"), options=options), web)
    runner.apply(runner.plan_stack(Stack(name="pair", parts=parts, options=options)))


def restore(runner: Refloat, engine: MemoryEngine) -> None:
    """Restore from the newest archive."""
    archives = MemoryArchives(engine)
    archiving = Archiving(runner, archives)
    source = From(Archive(depot=DEPOT, name=archives.archives(DEPOT)[0].name), "", VaultPlace())
    archiving.restore(archiving.offer_restore(NAME, source, Options(deadline_s=10)))
