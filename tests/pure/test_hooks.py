"""Hooks: where they stand in a plan, what their failure means, what they are told; in memory and on this host."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from runner.engine.memory import Behaviour, MemoryEngine
from runner.engine.memory.behaviour import Answer
from runner.errors import EngineError, Exit, Interrupted
from runner.goal import Goal
from runner.host import run_on_host
from runner.options import Options
from runner.outcome import Outcome
from runner.plan import Plan
from runner.recipes.work import OwnHook
from runner.records import Did, Noted, Record
from runner.report.plan_text import plan_text
from tests.pure.sweep.stages import NAME, STAGES, Stage, build, new_home, runner_on

BY_NAME = {stage.name: stage for stage in STAGES}
HEARING = BY_NAME["calls hooks"]


def planned(stage: Stage, *hooks: OwnHook) -> Plan:
    runner = runner_on(build(stage), new_home())
    return runner.plan(NAME, Goal(to="2.0"), Options(deadline_s=10, hooks=hooks))


def upgraded(hooks: tuple[OwnHook, ...], stage: Stage = HEARING) -> tuple[Outcome, list[Record], MemoryEngine]:
    heard: list[Record] = []
    engine = build(stage)
    runner = runner_on(engine, new_home(), heard.append)
    plan = runner.plan(NAME, Goal(to="2.0"), Options(deadline_s=10, hooks=hooks))
    return runner.apply(plan), heard, engine


def script(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "hook.py"
    path.write_text(f"import os, sys, time\n{text}\n")
    return sys.executable, str(path)


def test_every_point_has_its_place_in_the_plan() -> None:
    kinds = [step.kind if step.kind != "call-hook" else step.call.point for step in planned(HEARING, *HEARING.hooks,
             OwnHook(when="before-start", where="host", argv=("true",))).steps]  # fmt: skip
    assert kinds.index("before-stop") + 1 == kinds.index("stop-container")
    assert kinds.index("cold-copy") < kinds.index("before-start") < kinds.index("start-successor")
    assert kinds.index("start-successor") + 1 == kinds.index("after-start")
    assert kinds.index("prove-health") < kinds.index("before-verdict") < kinds.index("accept-verdict")
    assert kinds[-1] == "after-verdict"


def test_a_plan_shows_each_hook_with_its_reason_and_what_takes_it_back() -> None:
    hook = OwnHook(when="before-stop", where="host", argv=("drain", "web"), undo=("fill", "web"), why="nobody waits")
    text = plan_text(planned(HEARING, hook))
    assert "before-stop: call “drain web” on the host\n      why:  nobody waits\n" in text
    assert "undo: call “fill web” on the host" in text


def test_a_hook_that_fails_before_the_stop_turns_back_and_nothing_was_stopped() -> None:
    end, heard, engine = upgraded((OwnHook(when="before-stop", where="container", argv=("refuse",)),))
    assert (end.exit_status, end.code, end.downtime_s) == (Exit.ROLLED_BACK, "hook-failed", None)
    assert not [record for record in heard if isinstance(record, Did) and "stop" in record.key]
    assert engine.container(NAME).state.running


def test_75_before_the_stop_means_not_now(tmp_path: Path) -> None:
    argv = script(tmp_path, "print('the auditors are in'); sys.exit(75)")
    end, _, engine = upgraded((OwnHook(when="before-stop", where="host", argv=argv),))
    assert (end.exit_status, end.code) == (Exit.LATER, "not-now")
    assert end.log == ("the auditors are in",)
    assert engine.container(NAME).image_ref.endswith("1.0")


def test_75_later_is_a_failure_like_any_other(tmp_path: Path) -> None:
    argv = script(tmp_path, "sys.exit(75)")
    end, _, _ = upgraded((OwnHook(when="before-verdict", where="host", argv=argv),))
    assert (end.exit_status, end.code) == (Exit.ROLLED_BACK, "hook-failed")


@pytest.mark.parametrize("point", ["after-verdict", "before-verdict"])
def test_a_failure_that_only_warns_is_said_and_changes_no_end(point: str) -> None:
    hook = OwnHook.model_validate({"when": point, "where": "container", "argv": ["refuse"], "on_failure": "warn"})
    end, heard, _ = upgraded((hook,))
    assert end.exit_status is Exit.DONE
    assert [each.text for each in heard if isinstance(each, Noted) and "refuse" in each.text]


def test_a_hook_is_told_of_the_run_and_gets_the_variables_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "print(*(os.environ['REFLOAT_' + n] for n in 'TARGET VERB POINT VERDICT OLD_IMAGE NEW_IMAGE'.split()))"
    monkeypatch.setenv("PAGER_KEY", "s3cret-key")
    argv = script(tmp_path, f"{told}\nprint(os.environ['PAGER_KEY'], 'password=hunter2')")
    end, heard, _ = upgraded((OwnHook(when="after-verdict", where="host", argv=argv, env=("PAGER_KEY",)),))
    said = [each.facts["said"] for each in heard if isinstance(each, Did) and "said" in each.facts]
    assert end.exit_status is Exit.DONE
    assert said == [["mon upgrade after-verdict accepted vendor/mon:1.0 vendor/mon:2.0", "*** password=***"]]


def test_what_a_hook_did_is_taken_back_and_the_way_back_has_hooks_of_its_own(tmp_path: Path) -> None:
    log = tmp_path / "log"
    argv = script(tmp_path, f"open({str(log)!r}, 'a').write(f\"{{os.environ['REFLOAT_POINT']}} {{sys.argv[1]}}\\n\")")
    hooks = (
        OwnHook(when="before-stop", where="host", argv=(*argv, "out"), undo=(*argv, "in")),
        OwnHook(when="after-start", where="host", argv=(*argv, "up")),
        OwnHook(when="before-verdict", where="container", argv=("refuse",)),
        OwnHook(when="after-rollback", where="host", argv=(*argv, "sorry")),
    )
    end, _, _ = upgraded(hooks)
    assert end.exit_status is Exit.ROLLED_BACK
    lines = log.read_text().splitlines()
    assert lines == ["before-stop out", "after-start up", "after-start up", "after-rollback sorry", "before-stop in"]


def test_a_confirmation_is_asked_until_it_comes_or_the_time_is_over(tmp_path: Path) -> None:
    counted = f"n = len(open('{tmp_path}/n').read()) if os.path.exists('{tmp_path}/n') else 0"
    argv = script(tmp_path, f"{counted}\nopen('{tmp_path}/n', 'a').write('x')\nsys.exit(n < 2)")
    hook = OwnHook(when="before-stop", where="host", argv=("true",), confirm=argv, timeout_s=30)
    assert upgraded((hook,))[0].exit_status is Exit.DONE
    never = hook.model_copy(update={"confirm": ("false",)})
    assert "does not confirm" in upgraded((never,))[0].why


def test_a_recipes_own_hooks_come_first_and_never_run_on_the_host() -> None:
    from runner.recipes.loader import recipes
    from runner.way_hooks import Hooks

    redis = next(recipe for recipe in recipes() if recipe.name == "redis")
    own = OwnHook(when="before-stop", where="container", argv=("mine",))
    plan = planned(HEARING)
    who = next(step.who for step in plan.steps if step.kind == "stop-container")
    calls = [step.call for step in Hooks((*redis.hooks, own)).at("before-stop", who)]
    assert [call.argv for call in calls] == [("redis-cli", "SAVE"), ("mine",)]
    assert not [hook for recipe in recipes() for hook in recipe.hooks if hook.where not in ("container", "tools")]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"when": "after-verdict", "where": "host", "argv": ["x"], "on_failure": "turn-back"}, "too late"),
        ({"when": "before-start", "where": "container", "argv": ["x"]}, "no container runs"),
        ({"when": "before-stop", "where": "host", "argv": ["curl", "http://me:hunter2@x/"]}, "secret"),
        ({"when": "before-stop", "where": "host", "argv": ["x"], "env": ["A=b"]}, "pattern"),
        ({"when": "sometime", "where": "host", "argv": ["x"]}, "before-stop"),
    ],
)
def test_a_hook_that_cannot_be_is_said_to_be_wrong(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        OwnHook.model_validate(wrong)


def never() -> bool:
    return False


def on_host(argv: tuple[str, ...], timeout_s: float = 60, folder: str = "") -> tuple[int | None, str]:
    ended = run_on_host(argv, environment={"A": "b"}, folder=folder, timeout_s=timeout_s, interrupted=never)
    return ended.exit_code, ended.text


def test_a_command_on_the_host_runs_in_its_folder_with_its_variables(tmp_path: Path) -> None:
    assert on_host(("sh", "-c", 'echo "$A $PWD"'), folder=str(tmp_path)) == (0, f"b {tmp_path}\n")


def test_a_command_on_the_host_past_its_time_is_ended_with_all_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    for timeout_s in (1, 10, 100):  # the first is enough where the machine is not busy
        ended = on_host(("sh", "-c", f"sleep 1000 & echo $! >{pid}; echo waiting; wait"), timeout_s)
        if ended[1]:
            break
    assert ended == (None, "waiting\n")
    child = Path(f"/proc/{pid.read_text().strip()}/stat")
    deadline = time.monotonic() + 60
    while child.exists() and ") Z " not in child.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_command_on_the_host_can_be_interrupted_and_a_missing_one_has_a_name() -> None:
    with pytest.raises(Interrupted):
        run_on_host(("sleep", "1000"), environment={}, folder="", timeout_s=900, interrupted=lambda: True)
    with pytest.raises(EngineError, match="no-such-thing"):
        on_host(("no-such-thing",))


def test_only_the_end_of_a_long_output_is_kept() -> None:
    code, text = on_host((sys.executable, "-c", "print('x' * 300_000); print('end')"))
    assert code == 0
    assert text.endswith("end\n")
    assert len(text) < 100_000


def test_an_interrupt_after_the_verdict_turns_nothing_back() -> None:
    from dataclasses import replace

    heard: list[Record] = []
    engine = build(HEARING)
    runner = runner_on(engine, new_home(), heard.append)
    plan = runner.plan(NAME, Goal(to="2.0"), Options(deadline_s=10, hooks=HEARING.hooks))
    verdict = str(1 + next(i for i, step in enumerate(plan.steps) if step.kind == "accept-verdict"))

    def late() -> bool:
        return any(isinstance(each, Did) and each.key == verdict for each in heard)

    late_runner = replace(runner, session=replace(runner.session, interrupted=late))
    assert late_runner.apply(plan).exit_status is Exit.DONE


def test_no_secret_of_the_runners_machine_is_needed_to_make_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER_TOKEN", "s3cret-key")
    hook = OwnHook(when="before-stop", where="host", argv=("page",), env=("PAGER_TOKEN",))
    assert "s3cret-key" not in planned(HEARING, hook).to_json()
    assert os.environ["PAGER_TOKEN"] == "s3cret-key"


def test_a_container_that_says_not_now_is_heard() -> None:
    busy = Stage("busy", old=Behaviour(answers=(Answer(argv=("may-i",), exit_code=75, stdout="a backup runs"),)))
    end, _, _ = upgraded((OwnHook(when="before-stop", where="container", argv=("may-i",)),), busy)
    assert (end.exit_status, end.log) == (Exit.LATER, ("a backup runs",))
