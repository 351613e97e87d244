"""The command line without an engine: usage, statuses, shapes of JSON, questions, signals, and no traceback ever."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli import main, terminal
from runner.cli.apply import is_file
from runner.cli.ground import home_folder, place_from
from runner.cli.interrupts import Interrupts
from runner.cli.main import status_of
from runner.cli.wishes import Wishes
from runner.errors import Exit, Interrupted, NothingToDo, RefloatError, Refused, UsageError
from tests.pure.sweep.stages import STAGES, act, build

Out = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("runner.verbs.check_on_paper", lambda _plan, _world: None)  # slow, with tests of its own
    monkeypatch.setenv("REFLOAT_HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    return tmp_path


@pytest.fixture
def history(home: Path) -> Path:
    """A home in which one upgrade went through and one came back."""
    for stage in STAGES[:2]:
        act(stage, build(stage), home)
    return home


@pytest.mark.parametrize("verb", [*main.VERBS, "recipes", "bundle", "refresh"])
def test_every_verb_has_help(verb: str, capsys: Out) -> None:
    assert status_of([verb, "--help"]) == 0
    assert f"Usage: refloat {verb}" in capsys.readouterr().out


def test_help_lists_every_verb_with_a_whole_sentence(capsys: Out) -> None:
    assert status_of(["--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in listed] == [*main.VERBS, "recipes", "bundle", "refresh"]
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["aply"], "apply"),
        (["plan", "db", "--jsn"], "--json"),
        (["plan"], "Usage: refloat plan"),
        (["plan", "db", "--keep", "many"], "--keep"),
        (["plan", "db", "--keep", "0"], "--keep"),
        (["plan", "db", "--pull", "maybe"], "--pull"),
        (["plan", "db", "--to", "2", "--vault", "some/where"], "neither a volume's name nor an absolute path"),
        (["plan", "db", "--to", "2", "--probe", "ftp:21"], "is not a probe"),
        (["history", "a", "b"], "Usage: refloat history"),
        (["rehearse", "db", "--to", "2", "--from", ""], "--from names nothing"),
        (["apply", "missing.json"], "missing.json cannot be read"),
    ],
)
def test_what_cannot_be_understood_is_status_2_and_names_what_is_near(
    line: list[str], said: str, home: Path, capsys: Out
) -> None:
    assert home.is_dir()
    assert status_of(line) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "EOF"), (b"{}", "Field required"), (b'{"format": 3}', "format"), (b"\xff\xfe", "it is not text")],
)
def test_an_unreadable_plan_file_is_status_2(content: bytes, said: str, home: Path, capsys: Out) -> None:
    file = home / "plan.json"
    file.write_bytes(content)
    assert status_of(["apply", str(file)]) == 2
    assert said in capsys.readouterr().err


def test_a_saved_plan_takes_no_other_wish(home: Path, capsys: Out) -> None:
    assert status_of(["apply", str(home / "plan.json"), "--to", "2"]) == 2
    assert "no other option goes with it" in capsys.readouterr().err


@pytest.mark.parametrize("line", [["ls"], ["doctor"], ["prune"], ["plan", "db", "--to", "2"], ["rollback", "db"]])
def test_an_engine_that_does_not_answer_is_status_8(line: list[str], home: Path, capsys: Out) -> None:
    assert home.is_dir()
    assert status_of(line) == 8
    said = capsys.readouterr()
    assert "No engine answers" in said.err
    assert "Traceback" not in said.err


def test_an_error_can_be_had_as_json(home: Path, capsys: Out) -> None:
    assert home.is_dir()
    assert status_of(["ls", "--json"]) == 8
    error = json.loads(capsys.readouterr().out)
    assert error["exit"] == 8
    assert error["error"]["code"] == "engine-unreachable"
    assert set(error["error"]) == {"code", "what", "stands", "then"}


def test_reading_the_records_needs_no_engine(history: Path, capsys: Out) -> None:
    assert history.is_dir()
    assert status_of(["history", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {(row["target"], row["state"]) for row in rows} == {("mon", "done"), ("mon", "rolled back")}


@pytest.mark.parametrize("verb", ["status", "history"])
def test_without_any_run_the_answer_is_a_sentence_and_an_empty_list(verb: str, home: Path, capsys: Out) -> None:
    assert home.is_dir()
    assert status_of([verb]) == 0
    assert capsys.readouterr().out.startswith("No run yet.")
    assert status_of([verb, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_show_tells_the_newest_run_of_a_target(history: Path, capsys: Out) -> None:
    assert history.is_dir()
    assert status_of(["show", "mon"]) == 0
    assert "upgrade of mon: 1.0 → 2.0" in capsys.readouterr().out
    assert status_of(["show", "mon", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"]["target"] == "mon"


def test_a_run_that_is_not_there_is_refused_with_the_nearest_name(history: Path, capsys: Out) -> None:
    assert history.is_dir()
    assert status_of(["show", "mom"]) == 3
    assert "Did you mean mon?" in capsys.readouterr().err


def test_no_secret_is_in_any_answer(history: Path, capsys: Out) -> None:
    assert history.is_dir()
    for line in (["show", "mon"], ["show", "mon", "--json"], ["history", "--json"], ["status"]):
        assert status_of(line) == 0
    assert "s3cret" not in capsys.readouterr().out


def test_a_held_verdict_shows_in_the_status_with_what_to_type(home: Path, capsys: Out) -> None:
    held = next(stage for stage in STAGES if stage.hold and stage.act == "apply")
    act(held, build(held), home)
    assert status_of(["status"]) == 0
    assert "mon: verdict open" in (out := capsys.readouterr().out)
    assert "refloat commit mon | refloat rollback mon" in out


def test_a_cut_off_run_shows_its_step_and_how_to_recover(home: Path, capsys: Out) -> None:
    act(STAGES[0], build(STAGES[0]), home)
    journal = next(home.glob("runs/*/journal.jsonl"))
    lines = journal.read_text().splitlines(keepends=True)
    opened = lines[0].replace(f'"pid":{os.getpid()}', '"pid":4194305')  # past Linux's highest number of a process
    journal.write_text("".join([opened, *lines[1:4]]))
    assert status_of(["status"]) == 0
    out = capsys.readouterr().out
    assert "mon: cut off" in out
    assert "step: prepare" in out
    assert "next: refloat recover mon" in out


def test_a_run_of_another_version_is_shown_as_unreadable_and_hides_no_other(history: Path, capsys: Out) -> None:
    other = history / "runs/20200101-000000-ffffff"
    other.mkdir()
    (other / "plan.json").write_text('{"format": 99}')
    assert status_of(["history", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["run"], row["state"]) for row in rows if row["state"] == "unreadable"] == [(other.name, "unreadable")]
    assert len(rows) == 3
    assert status_of(["status"]) == 0
    assert f"mv {other}" in capsys.readouterr().out


def test_a_bug_is_one_sentence_and_a_report(home: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("seeded")

    monkeypatch.setattr("runner.cli.look.ls_command", broken)
    assert status_of(["ls"]) == 70
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "ZeroDivisionError" in said
    assert "seeded" in next((home / "crashes").iterdir()).read_text()


def test_what_is_so_already_is_an_answer_and_no_error(capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    def done() -> None:
        raise NothingToDo("already-there", "db runs 2 already.", "Nothing needs to be done.")

    monkeypatch.setattr("runner.cli.look.ls_command", done)
    assert status_of(["ls"]) == 0
    assert capsys.readouterr().out.startswith("db runs 2 already.")


def test_ctrl_c_outside_a_run_is_status_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("runner.cli.look.ls_command", pressed)
    assert status_of(["ls"]) == 130


def test_ctrl_c_while_an_archive_is_checked_says_where_things_stand(
    capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("runner.cli.archives.open_session", pressed)
    assert status_of(["restore", "db", "db-1.tar.zst"]) == 130
    assert capsys.readouterr().err == "The restore of db was interrupted.\nNothing was touched.\n"


def pressed_twice(interrupts: Interrupts) -> None:
    with interrupts.at_work("refloat recover db"):
        assert not interrupts.asked()
        signal.raise_signal(signal.SIGTERM)
        assert interrupts.asked()
        signal.raise_signal(signal.SIGINT)


def test_the_first_signal_is_a_wish_and_the_second_leaves(capfd: pytest.CaptureFixture[str]) -> None:
    interrupts = Interrupts()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted) as left:
        pressed_twice(interrupts)
    assert left.value.then == "refloat recover db"
    assert left.value.exit_status == 130
    assert signal.getsignal(signal.SIGTERM) == before
    assert "going back" in capfd.readouterr().err


def test_a_question_nobody_can_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(Refused) as no:
        terminal.ask("Sure?", yes=False)
    assert (no.value.code, no.value.exit_status) == ("needs-yes", 3)
    terminal.ask("Sure?", yes=True)


def test_an_answer_nobody_reads_changes_no_status(home: Path) -> None:
    assert home.is_dir()
    refloat = [sys.executable, "-m", "runner.cli.main", "history"]
    with subprocess.Popen(refloat, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


def modules_after(code: str, **environment: str) -> set[str]:
    ran = subprocess.run([sys.executable, "-c", f"{code}; import sys; print(*sys.modules, file=sys.stderr)"], cwd=ROOT,
                         capture_output=True, text=True, check=True, env={**os.environ, **environment})  # fmt: skip
    return set(ran.stderr.splitlines()[-1].split())


def test_help_loads_neither_the_engine_client_nor_the_models() -> None:
    loaded = modules_after("from runner.cli.main import status_of; status_of(['--help'])")
    assert not {"docker", "requests", "pydantic", "rich", "yaml"} & loaded


ON_MEMORY = """
import runner.engine.docker, runner.vault.vault
from runner.cli.main import status_of
from runner.vault.memory import MemoryVault
from tests.pure.sweep.stages import NAME, Stage, build
engine = build(Stage("plain"))
runner.engine.docker.connect_engine = lambda **_: engine
runner.vault.vault.DockerVault = lambda engine, _image, _tell: MemoryVault(engine)
assert status_of({line}) == 0
"""


@pytest.mark.parametrize("line", ["['ls']", "['plan', NAME, '--to', '2.0']", "['status']"])
def test_what_is_typed_all_day_loads_no_other_verb_and_no_library_that_it_can_do_without(
    line: str, tmp_path: Path
) -> None:
    nowhere = {"REFLOAT_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    loaded = modules_after(ON_MEMORY.replace("{line}", line).strip(), **nowhere)
    assert not {"docker", "requests", "urllib3", "rich", "jinja2", "apprise", "runner.registry.wire"} & loaded
    assert not {"runner.cli.rehearse", "runner.cli.upgrade_all", "runner.cli.archives", "runner.cli.init"} & loaded
    assert not {"runner.rehearsal", "runner.isolation", "runner.staging"} & loaded
    assert not {"yaml", "runner.config.model"} & loaded, "there is no refloat.yaml, and no recipe for this product"


LEAVING = """
import atexit, gc, sys
from runner.cli.main import main
atexit.register(lambda: print("set aside", gc.get_freeze_count() > 0))
sys.argv[1:] = ["--version"]
main()
"""


def test_leaving_does_not_look_through_all_that_was_loaded() -> None:
    said = subprocess.run([sys.executable, "-c", LEAVING], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "set aside True"


def test_the_readme_names_every_verb_and_every_status() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [verb for verb in [*main.VERBS, "recipes", "bundle", "refresh"] if f"`{verb}" not in readme] == []
    assert [status for status in Exit if f"| {int(status)} |" not in readme] == []


def test_the_home_is_where_the_user_says(home: Path) -> None:
    assert home_folder() == home


def test_a_vault_is_a_volume_or_a_path_of_the_engines_host() -> None:
    assert place_from("").volume == "refloat-vault"
    assert place_from("/srv/vault").path == "/srv/vault"
    assert place_from("other").volume == "other"
    with pytest.raises(UsageError):
        place_from("no/where")


def test_a_plan_file_is_told_from_a_target(tmp_path: Path) -> None:
    file = tmp_path / "plan"
    file.touch()
    assert is_file(str(file))
    assert is_file("plan.json")
    assert not is_file("db")
    assert not is_file("project/service")


def test_wishes_know_whether_there_are_any() -> None:
    assert not Wishes().any
    assert Wishes(hold=True).any


def test_every_error_has_a_status_scripts_can_depend_on() -> None:
    def family(kind: type[RefloatError]) -> set[type[RefloatError]]:
        return {kind}.union(*(family(each) for each in kind.__subclasses__()))

    assert {int(kind.exit_status) for kind in family(RefloatError)} <= {0, 2, 3, 4, 5, 6, 7, 8, 70, 75, 130}
