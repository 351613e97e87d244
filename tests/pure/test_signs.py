"""What a log and a state alone tell about a start."""

from __future__ import annotations

import pytest

from runner.facts import Container, Finished, State
from runner.probes.answer import answer_from_exit
from runner.probes.http import Page, judged, page_from, welcome
from runner.probes.log import answer_from_log
from runner.probes.since import since_s
from runner.signs import signs_from
from runner.steps.nouns import HealthTerms, HttpProbe, LogProbe
from runner.verdict import verdict_from, verdict_on_gone

TERMS = HealthTerms(danger=("does not match",), migrating=(r"completed \d+%",), migrated=("server started",))
UP = State(status="running", started_at="2024-01-01T00:00:00.000000001Z", pid=7)


def _container(state: State) -> Container:
    return Container(id="c1", name="web", image_id="i", image_ref="web:2", state=state, config={}, host_config={})


def _code(state: State, first: State | None = UP) -> str:
    verdict = verdict_from(_container(state), _container(first) if first else None)
    return verdict.code if verdict else ""


def test_a_progress_line_means_migrating_until_a_later_line_ends_it() -> None:
    begun = signs_from("hello\ncompleted 10%\n", TERMS)
    assert (begun.migrating, begun.progress) == (True, "completed 10%")
    assert not signs_from("completed 10%\nserver started\n", TERMS).migrating
    assert signs_from("server started\ncompleted 20%\nmore words\n", TERMS).migrating


def test_a_log_without_such_lines_says_nothing() -> None:
    quiet = signs_from("one\n\n  \n", TERMS)
    assert (quiet.danger, quiet.progress, quiet.migrating, quiet.last_line) == ("", "", False, "one")


def test_a_dangerous_line_is_quoted() -> None:
    assert signs_from("fine\nthe server does not match\nfine\n", TERMS).danger == "the server does not match"


def test_a_running_container_that_is_what_it_was_has_no_verdict() -> None:
    assert _code(UP) == ""
    assert _code(UP, None) == ""
    assert _code(State(status="created")) == ""
    assert _code(UP, State(status="created")) == ""


def test_every_way_to_end_has_its_own_code() -> None:
    assert _code(State(status="exited", exit_code=0)) == "crashed"
    assert _code(State(status="dead", exit_code=137)) == "crashed"
    assert _code(State(status="exited", exit_code=137, oom_killed=True)) == "oom"
    assert _code(State(status="restarting", exit_code=1)) == "crash-looping"
    assert _code(UP.model_copy(update={"restart_count": 1, "pid": 8})) == "crash-looping"
    assert _code(UP.model_copy(update={"restart_count": 1, "oom_killed": True})) == "oom"
    assert _code(UP.model_copy(update={"started_at": "2024-01-01T00:00:09Z"})) == "other-process"
    assert _code(UP.model_copy(update={"pid": 8})) == "other-process"
    assert _code(State(status="created", exit_code=127)) == "not-started"
    assert _code(State(status="created", error="no such device")) == "not-started"
    assert verdict_on_gone("web").code == "crashed"


def test_a_killed_process_is_told_apart_from_one_that_gave_up() -> None:
    verdict = verdict_from(_container(State(status="exited", exit_code=137)), None)
    assert verdict
    assert "SIGKILL" in verdict.what


@pytest.mark.parametrize(
    ("started", "finished", "since"),
    [
        ("", "", 0.0),
        ("2024-01-01T00:00:00.000000001Z", "", 0.0),  # its first line may be stamped before its start is noted
        ("2024-01-01T01:00:00.5+01:00", "2023-12-31T23:59:00Z", 1704067199.5),
        ("2024-01-01T00:00:00.5Z", "2024-01-01T00:00:00.25Z", 1704067200.375),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:09Z", 1704067199.95),  # it has ended itself
    ],
)
def test_the_present_process_logged_what_came_after_the_one_before_it(
    started: str, finished: str, since: float
) -> None:
    assert since_s(_container(State(status="running", started_at=started, finished_at=finished))) == since


def test_a_page_is_read_from_whichever_tool_there_was() -> None:
    curl = page_from(Finished(exit_code=0, stdout=b'{"a": 1}\nrefloat-status 200'))
    assert (curl.status, curl.body) == (200, '{"a": 1}')
    wget = page_from(Finished(exit_code=0, stdout=b"body", stderr=b"  HTTP/1.1 302 Found\n  HTTP/1.1 200 OK\n"))
    assert (wget.status, wget.body) == (200, "body")
    bash = page_from(Finished(exit_code=0, stdout=b"HTTP/1.0 503 Busy\r\nA: b\r\n\r\nbody"))
    assert (bash.status, bash.body) == (503, "body")


def test_a_page_that_did_not_come_has_no_status_but_a_complaint() -> None:
    refused = page_from(Finished(exit_code=7, stdout=b"\nrefloat-status 000", stderr=b"curl: (7) refused\n"))
    assert (refused.status, refused.complaint) == (0, "curl: (7) refused")
    missing = page_from(Finished(exit_code=127, stderr=b"sh: bash: not found"))
    assert (missing.status, missing.complaint) == (0, "sh: bash: not found")


def test_a_status_is_welcome_when_expected_or_below_400() -> None:
    assert welcome(HttpProbe(port=1), 302)
    assert not welcome(HttpProbe(port=1), 404)
    assert not welcome(HttpProbe(port=1), 0)
    assert welcome(HttpProbe(port=1, status=401), 401)
    assert not welcome(HttpProbe(port=1, status=200), 302)


def test_a_page_that_says_no_in_words_is_no_whatever_its_status() -> None:
    probe = HttpProbe(port=1, danger="Database error(?:<[^>]*>)*[^<]*")
    no = judged(probe, Page(200, "<output>Database error<ul><li>Version 7 is not 6.</li></ul></output>", ""))
    assert (no.ok, no.said) == (False, "status 200, but it says “Database error Version 7 is not 6.”")
    assert judged(probe, Page(200, "<p>Sign in</p>", "")).ok
    assert judged(probe, Page(503, "<p>Sign in</p>", "")).said == "status 503"


def test_an_exit_is_answered_in_the_last_words_of_the_command() -> None:
    assert answer_from_exit(Finished(exit_code=0, stdout=b"a\nfine\n"), 5).said == "fine"
    assert answer_from_exit(Finished(exit_code=4), 5).said == "exit code 4"
    assert answer_from_exit(Finished(exit_code=None), 5).said == "no answer within 5 s"


def test_a_log_probe_finds_its_line() -> None:
    assert answer_from_log(LogProbe(pattern="^rea"), "a\nready\n").said == "ready"
    assert not answer_from_log(LogProbe(pattern="^rea"), "a\nalready\n").ok
