"""Reports from the run folders and the command line: found, written whole, refused beforehand where they cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli import reports
from runner.cli.main import status_of
from runner.errors import Refused, UsageError
from runner.report.formats import Format
from runner.reports import check_writable, find_story, format_of, write_report
from tests.pure.report_cases import STORIES
from tests.pure.sweep.stages import STAGES, act, build
from tests.pure.test_rehearsal import GOES_THROUGH, machine

Out = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which one upgrade went through and one came back."""
    monkeypatch.setattr("runner.verbs.check_on_paper", lambda _plan, _world: None)  # slow, with tests of its own
    monkeypatch.setenv("REFLOAT_HOME", str(tmp_path / "home"))
    for stage in STAGES[:2]:
        act(stage, build(stage), tmp_path / "home")
    return tmp_path / "home"


def test_a_run_is_found_by_its_name_its_beginning_and_its_target(home: Path) -> None:
    run = find_story(home, "mon").run
    assert find_story(home, run).run == run
    assert find_story(home, run[:-2]).run == run
    with pytest.raises(Refused) as no:
        find_story(home, "*")
    assert no.value.code == "no-such-run"


def test_a_rehearsal_is_found_with_all_that_was_played(tmp_path: Path) -> None:
    here = machine(GOES_THROUGH, tmp_path)
    result = here.rehearse()
    story = find_story(tmp_path, result.run)
    assert (story.verb, story.state, len(story.acts)) == ("rehearsal", "passed", 2)
    assert story.acts[1].title == "The way back"
    assert find_story(tmp_path, result.run[:-1]).run == result.run


def test_the_result_of_a_rehearsal_can_be_had_as_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    result = machine(GOES_THROUGH, tmp_path).rehearse(quick=True)
    monkeypatch.setenv("REFLOAT_HOME", str(tmp_path))
    assert status_of(["show", result.run, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == result.model_dump(mode="json")


def test_a_rehearsal_of_another_version_of_refloat_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rehearsals").mkdir()
    (tmp_path / "rehearsals" / "20240101-000000-abcdef.json").write_text("{}")
    with pytest.raises(Refused) as no:
        find_story(tmp_path, "20240101-000000-abcdef")
    assert no.value.code == "unreadable-rehearsal"


@pytest.mark.parametrize(
    ("form", "begins"),
    [("text", "upgrade of mon"), ("html", "<!doctype html>"), ("json", "{"), ("junit", "<?xml"), ("markdown", "### ")],
)
def test_show_prints_every_format_and_no_secret(form: str, begins: str, home: Path, capsys: Out) -> None:
    assert home.is_dir()
    assert status_of(["show", "mon", "--format", form]) == 0
    out = capsys.readouterr().out
    assert out.lstrip().startswith(begins)
    assert "s3cret" not in out


def test_show_writes_a_file_in_the_format_of_its_name(home: Path, tmp_path: Path, capsys: Out) -> None:
    assert home.is_dir()
    assert status_of(["show", "mon", "-o", str(tmp_path / "run.json")]) == 0
    assert capsys.readouterr().out == ""
    assert json.loads((tmp_path / "run.json").read_text())["target"] == "mon"


@pytest.mark.parametrize(("name", "code"), [("run.pdf", "bad-report"), ("nowhere/run.html", "not-writable")])
def test_a_report_that_cannot_be_is_refused_before_the_engine_is_asked(
    name: str, code: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    assert home.is_dir()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    for line in (["apply", "db", "--to", "2"], ["rollback", "db"]):
        assert status_of([*line, "--report", str(tmp_path / name), "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["error"]["code"] == code
    assert not list(tmp_path.glob("*.draft"))


def test_a_report_replaces_a_file_and_never_anything_else(tmp_path: Path) -> None:
    path, link = tmp_path / "a.md", tmp_path / "link.md"
    path.write_text("old")
    link.symlink_to(path)
    write_report(link, STORIES["through"], Format.MARKDOWN)
    assert link.is_symlink()
    assert path.read_text().startswith("### ")
    folder = tmp_path / "folder.md"
    folder.mkdir()
    with pytest.raises(UsageError):
        check_writable(folder)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.md", "folder.md", "link.md"]


def test_the_suffix_says_the_format() -> None:
    named = {"a.html": Format.HTML, "a.XML": Format.JUNIT, "a.md": Format.MARKDOWN, "a.json": Format.JSON}
    assert {name: format_of(Path(name)) for name in named} == named


def test_a_report_that_cannot_be_written_in_the_end_is_said_and_changes_nothing(tmp_path: Path, capsys: Out) -> None:
    gone = tmp_path / "gone"
    reports.write_reports(((gone / "a.md", Format.MARKDOWN),), lambda: STORIES["through"])
    assert "cannot be written" in capsys.readouterr().err


def test_reports_are_written_whatever_the_end_but_only_where_something_happened(home: Path, tmp_path: Path) -> None:
    run, path = find_story(home, "mon").run, tmp_path / "run.md"
    wanted = reports.wanted_reports([path])
    with reports.reporting(wanted, run):
        pass
    assert not path.exists()
    journal = home / "runs" / run / "journal.jsonl"
    with pytest.raises(Refused):
        fail_late(wanted, run, journal)
    assert path.exists()


def fail_late(wanted: reports.Wanted, run: str, journal: Path) -> None:
    with reports.reporting(wanted, run):
        journal.write_text(journal.read_text() + journal.read_text().splitlines()[-1] + "\n")
        raise Refused("late", "Something failed at the very end.")
