"""refloat.yaml: what is wrong is said with its line, what is right becomes wishes, and the command line wins."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.cli.asked import asked, meant
from runner.cli.ground import place_from
from runner.cli.main import split_line, status_of
from runner.cli.wishes import RefreshWishes, Wishes
from runner.clock import MemoryClock
from runner.compose.project import PROJECT, SERVICE
from runner.config.model import Config, span
from runner.config.place import config_path
from runner.config.reading import config_from_yaml
from runner.config.secrets import secret_text
from runner.config.sketch import sketch_of
from runner.constraint import constraint_from, is_constraint
from runner.engine.memory import MemoryEngine
from runner.errors import UsageError
from runner.facts import Image
from runner.inventory import Entry
from runner.recipes.model import ConfigTree
from runner.session import Session
from runner.vault.memory import MemoryVault
from runner.versions import release_from

Out = pytest.CaptureFixture[str]
WHOLE = """\
defaults: {keep: 5, hold: true, vault: attic}
targets:
  db:
    container: shop-db-1
    goal: 15.2
    hold: false
    probes: [tcp:5432]
    evidence:
      - {kind: command, name: rows, argv: [count], compare: not_less}
    require_rehearsal: 7d
    answers: {terms: accepted}
  web: {service: shop/web, image: mirror.local/web, goal: 3}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "refloat.yaml"
    path.write_text(WHOLE)
    monkeypatch.setenv("REFLOAT_CONFIG", str(path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    return path


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("targets:\n  db:\n    gaol: 2\n", 3, "targets.db.gaol: there is no such key; did you mean `goal`?"),
        ("targts: {}\n", 1, "targts: there is no such key; did you mean `targets`?"),
        ("defaults:\n  keep: 0\n", 2, "defaults.keep: Input should be greater than or equal to 1"),
        ("targets:\n  a: {}\n  a: {}\n", 3, "targets.a: this key stands here twice"),
        ("targets:\n  a:\n    goal: '>=x'\n", 3, "“>=x” in the goal “>=x” says nothing about a version."),
        ("targets:\n  a:\n    probes: [ftp:21]\n", 3, "ftp:21 is not a probe."),
        ("targets:\n  a:\n    require_rehearsal: soon\n", 3, "“soon” is no span of time"),
        ("targets:\n  a:\n    container: x\n    service: p/x\n", 2, "`container` or `service`, one of them"),
        ("targets:\n  a: {container: x}\n  x: {}\n", 1, "two targets are the same container: x"),
        ("targets:\n  a:\n    evidence:\n    - {kind: comand, name: n}\n", 4, "did you mean `command`?"),
        ("targets: [\n", 2, "this is not YAML"),
        ("- a\n", 1, "a configuration is a mapping of keys to facts"),
        ("targets:\n  a: !!python/object:os.system {}\n", 2, "this is not YAML"),
    ],
)
def test_a_mistake_is_said_with_its_file_line_and_key(text: str, line: int, said: str) -> None:
    with pytest.raises(UsageError) as wrong:
        config_from_yaml(text, "refloat.yaml")
    assert wrong.value.code == "config-invalid"
    assert wrong.value.what.startswith(f"refloat.yaml:{line}: ")
    assert said in wrong.value.what


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "targets: {}\n"])
def test_an_empty_configuration_is_none_at_all(text: str) -> None:
    assert config_from_yaml(text, "refloat.yaml") == Config()


def test_a_target_takes_what_it_does_not_say_from_the_defaults(file: Path) -> None:
    assert file.exists()
    want = asked("db")
    assert (want.target, want.wishes.to, want.wishes.keep, want.wishes.hold) == ("shop-db-1", "15.2", 5, False)
    assert want.wishes.vault == "attic"
    assert want.rehearsed_within == timedelta(days=7)
    options = want.wishes.options
    assert options.standing_answers == ("terms=accepted",)
    assert [reading.name for reading in options.readings] == ["rows"]
    assert asked("web").wishes.image == "mirror.local/web:3"


def test_the_command_line_wins_over_the_file(file: Path) -> None:
    assert file.exists()
    given = asked("db", Wishes(image="other/db:16", keep=1, hold=True, probes=("tcp:1",), vault="cellar")).wishes
    assert (given.to, given.image, given.keep, given.hold) == ("", "other/db:16", 1, True)
    assert (given.probes, given.vault) == (("tcp:1",), "cellar")


def test_what_the_file_says_about_configuration_gives_way_to_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "refresh.yaml"
    path.write_text("targets:\n  db: {conflict: keepold, config_paths: [/etc/db]}\n  web: {refresh: false}\n")
    monkeypatch.setenv("REFLOAT_CONFIG", str(path))
    options = asked("db").wishes.options
    assert (options.refresh, options.config_paths, options.conflict) == (True, (ConfigTree(path="/etc/db"),), "keepold")
    typed = RefreshWishes.of(True, ["/etc/other"], "install", None)
    options = asked("db", Wishes(refresh=typed)).wishes.options
    assert (options.refresh, options.conflict) == (False, "install")
    assert options.config_paths == (ConfigTree(path="/etc/other"),)
    assert asked("web").wishes.options.refresh is False


def test_a_target_is_found_by_either_of_its_names_and_a_stranger_gets_the_defaults(file: Path) -> None:
    assert file.exists()
    assert asked("shop-db-1").wishes.to == "15.2"
    assert (asked("other").target, asked("other").wishes.keep, asked("other").wishes.to) == ("other", 5, "")
    assert (meant("web"), meant("unheard-of"), meant("")) == ("shop/web", "unheard-of", "")
    assert place_from("").volume == "attic"


def test_what_is_said_of_a_service_holds_for_its_container_as_well(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    engine = MemoryEngine()
    engine.world.add_image(Image(id="sha256:1", tags=("web:1",), config={}))
    engine.create_container("shop-web-1", {"Image": "web:1", "Labels": {PROJECT: "shop", SERVICE: "web"}})
    monkeypatch.setattr("runner.engine.docker.connect_engine", lambda: engine)
    assert file.exists()
    assert (asked("shop-web-1").target, asked("shop-web-1").wishes.image) == ("shop-web-1", "mirror.local/web:3")
    session = Session(home=file.parent / "home", engine=engine, vault=MemoryVault(engine), clock=MemoryClock())
    monkeypatch.setattr("runner.cli.look.open_session", lambda: session)
    status_of(["doctor"])
    told = capsys.readouterr().out
    assert f"✓ config   {file}, 2 targets\n" in told
    assert f"! config   db (shop-db-1) is not on this engine → See {file}\n" in told
    assert "shop/web" not in told


def test_the_named_file_comes_before_the_folder_and_the_folder_before_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REFLOAT_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.chdir(tmp_path)
    assert config_path() is None
    (home := tmp_path / "xdg/refloat").mkdir(parents=True)
    (home / "refloat.yaml").write_text("")
    assert config_path() == home / "refloat.yaml"
    (tmp_path / "refloat.yaml").write_text("")
    assert config_path() == Path("refloat.yaml")
    monkeypatch.setenv("REFLOAT_CONFIG", "/elsewhere")
    assert config_path() == Path("/elsewhere")


def test_a_named_file_that_is_missing_or_wrong_is_a_usage_error(
    tmp_path: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFLOAT_CONFIG", "")  # put back afterwards, for --config sets it
    assert status_of(["plan", "db", "--config", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml cannot be read: No such file" in capsys.readouterr().err
    (tmp_path / "bad.yaml").write_text("targets: 3\n")
    assert status_of(["status", "db", f"--config={tmp_path}/bad.yaml"]) == 2
    assert "bad.yaml:1: targets: " in capsys.readouterr().err


def test_the_name_of_the_file_may_stand_anywhere_on_the_line() -> None:
    assert split_line(["plan", "db", "--config", "f", "--json"]) == (["--config", "f"], ["plan", "db", "--json"])
    assert split_line(["plan", "--config=f", "db"]) == (["--config=f"], ["plan", "db"])
    assert split_line(["plan", "db"]) == ([], ["plan", "db"])


def test_recipes_of_ones_own_may_be_named_anywhere_but_behind_the_verb_that_has_that_option_itself() -> None:
    line = ["--recipe", "a.yaml", "plan", "--config=f", "db", "--recipe=b"]
    assert split_line(line) == (["--config=f", "--recipe", "a.yaml", "--recipe=b"], ["plan", "db"])
    assert split_line(["recipes", "list", "--recipe", "a"]) == ([], ["recipes", "list", "--recipe", "a"])


def test_the_schema_is_printed_without_an_engine(capsys: Out) -> None:
    assert status_of(["init", "--schema"]) == 0
    assert '"require_rehearsal"' in capsys.readouterr().out


ODD = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=12)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(ODD, ODD, st.booleans()), max_size=5, unique_by=lambda one: one[0]))
def test_a_sketch_reads_without_mistakes_whatever_the_names(found: list[tuple[str, str, bool]]) -> None:
    entries = tuple(
        Entry(name=name, id="1", image="i:1", version="2.42.0", recipe="r" if known else "", product=product,
              status="running", why_not="one\nline")
        for name, product, known in found
    )  # fmt: skip
    config = config_from_yaml(sketch_of(entries), "refloat.yaml")
    assert [target.called(name) for name, target in config.targets.items()] == [entry.name for entry in entries]


def test_two_services_of_one_name_are_told_apart_in_a_sketch() -> None:
    entries = tuple(
        Entry(name=f"{project}-db-1", id="1", image="i:1", status="running", service=f"{project}/db")
        for project in ("a", "b")
    )
    config = config_from_yaml(sketch_of(entries), "refloat.yaml")
    assert {name: target.service for name, target in config.targets.items()} == {"db": "a/db", "b-db-1": "b/db"}


def test_a_sketch_has_each_compose_project_as_a_stack_to_be_uncommented() -> None:
    services = ("shop/db", "shop/web", "shop2/web", "alone/alone")
    entries = tuple(Entry(name=f"{each.replace('/', '-')}-1", id="1", image="i:1", version="1.0", status="running",
                          service=each) for each in services)  # fmt: skip
    text = sketch_of(entries)
    assert not config_from_yaml(text, "refloat.yaml").stacks
    head, mark, stacks = text.partition("# stacks:")
    uncommented = "".join(f"{line[2:]}\n" for line in f"{mark}{stacks}".splitlines())
    stack = config_from_yaml(f"{head}{uncommented}", "refloat.yaml").stacks
    assert {name: dict(one.members) for name, one in stack.items()} == {"shop": {"db": None, "web": None}}
    assert "#   example:" in sketch_of(entries[3:])


WINDOWS = """\
targets: {{db: {{window: {db}}}, web: {{window: {web}}}, side: {{goal: 2.x}}}}
stacks: {{shop: {{members: {{db: 2.0, web: 2.0, side: }}{own}}}}}
"""
NIGHT, SUNDAY = "daily 03:00-04:00 UTC", "Sun 02:00-05:00 UTC"


def test_a_stack_has_the_window_of_its_members_or_one_of_its_own() -> None:
    same = WINDOWS.format(db=f'"{NIGHT}"', web=f'"{NIGHT}"', own="")
    assert config_from_yaml(same, "refloat.yaml").target("shop")[1].window == NIGHT
    two = {"db": f'"{NIGHT}"', "web": f'"{SUNDAY}"'}
    with pytest.raises(UsageError, match=r"shop have several windows .* give the stack its own"):
        config_from_yaml(WINDOWS.format(**two, own=""), "refloat.yaml")
    own = config_from_yaml(WINDOWS.format(**two, own=f', window: "{SUNDAY}"'), "refloat.yaml")
    assert own.target("shop")[1].window == SUNDAY


def test_a_stack_must_be_rehearsed_as_lately_as_the_strictest_of_its_members_wants_it() -> None:
    text = """\
targets: {db: {require_rehearsal: 7d}, web: {require_rehearsal: 36h}, side: {}}
stacks: {all: {members: {db: 2.0, web: 2.0, side: }}, own: {members: {db: 2.0}, require_rehearsal: 30d}}
"""
    config = config_from_yaml(text, "refloat.yaml")
    assert [config.target(name)[1].require_rehearsal for name in ("all", "own")] == ["36h", "30d"]


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path, capsys: Out) -> None:
    (mine := tmp_path / "mine.yaml").write_text("targets: {}\n")
    assert status_of(["init", "--out", str(mine)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert mine.read_text() == "targets: {}\n"


@pytest.mark.parametrize(
    ("text", "admitted", "refused"),
    [
        (">=2.45,<3", ["2.45.0", "2.53.3"], ["2.42.0", "3.0.0"]),
        (">= 2.45 < 3", ["2.45.0"], ["3.0.0"]),
        ("<=2.53", ["2.53.3"], ["2.54.0"]),
        (">2.53", ["2.54.0", "3.0.0"], ["2.53.9"]),
        ("2.x", ["2.1.0"], ["3.1.0", "3.0.0-rc.1", "2.1.0-rc.1"]),
        ("2.53.*, !=2.53.2", ["2.53.3"], ["2.53.2", "2.54.0"]),
        ("newest", ["9.9.9"], ["9.9.9-rc.1"]),
    ],
)
def test_bounds_compare_as_many_numbers_as_are_written(text: str, admitted: list[str], refused: list[str]) -> None:
    constraint = constraint_from(text)
    assert is_constraint(text)
    assert [one for one in admitted if not constraint.admits(release_from(one, "semver"))] == []
    assert [one for one in refused if constraint.admits(release_from(one, "semver"))] == []


@pytest.mark.parametrize("text", ["2.53.3", "15-alpine", "latest", "v1.2.3", "sha256-x"])
def test_what_leaves_no_choice_is_a_tag(text: str) -> None:
    assert not is_constraint(text)


@settings(derandomize=True, deadline=None)
@given(st.text("0123456789.<>=!x*, ", max_size=12))
def test_any_words_are_a_constraint_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert constraint_from(text).bounds


def test_a_span_is_read_in_its_unit() -> None:
    assert [span(text).total_seconds() for text in ("90s", "30m", "2h", "7d")] == [90, 1800, 7200, 604800]


def test_a_secret_is_read_where_the_file_points_and_its_absence_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "defaults:\n  notify:\n  - {url: 'json://${TOKEN}@host'}\n  - {url: !file hook.url, events: [stuck]}\n"
    first, second = config_from_yaml(text, "refloat.yaml").defaults.notify
    monkeypatch.setenv("TOKEN", "hunter2")
    (tmp_path / "hook.url").write_text("json://there\n")
    assert secret_text(first.url, tmp_path) == "json://hunter2@host"
    assert (secret_text(second.url, tmp_path), second.events) == ("json://there", ("stuck",))
    monkeypatch.delenv("TOKEN")
    (tmp_path / "hook.url").unlink()
    for each in (first, second):
        with pytest.raises(UsageError) as missing:
            secret_text(each.url, tmp_path)
        assert missing.value.code == "secret-missing"


def test_a_window_and_an_event_that_are_none_are_said() -> None:
    for text, said in (
        ("defaults: {window: Sunday}\n", "“Sunday” is no window"),
        ("defaults: {notify: [{url: x, events: [end]}]}\n", "Input should be 'announce'"),
        ("defaults: {notify: [{url: x, when: [start]}]}\n", "there is no such key"),
    ):
        with pytest.raises(UsageError, match=said):
            config_from_yaml(text, "refloat.yaml")
