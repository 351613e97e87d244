"""A story as JUnit XML: each step, probe and piece of evidence is a test case; it decides nothing.

The order and the attributes are those of the schema that Ant's JUnit task began, which Jenkins, GitLab and GitHub's
actions read; times are seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, tostring

from runner.facts import Fact
from runner.report.lines import event_line
from runner.report.story import CandidateTold, EvidenceTold, HopTold, MemberTold, ProbeTold, StepState, StepTold, Story
from runner.report.words import clock_words

FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-�\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold."""


class _Case(Fact):
    name: str
    time_s: float = 0
    result: Literal["passed", "failure", "error", "skipped"] = "passed"
    code: str = ""
    message: str = ""
    details: str = ""


def junit_report(story: Story) -> str:
    """The whole document."""
    suites = [(name, cases) for name, cases in _suites(story) if cases]
    root = Element("testsuites")
    for number, (name, cases) in enumerate(suites):
        _suite(root, story, number, name, cases)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suites(story: Story) -> Iterator[tuple[str, tuple[_Case, ...]]]:
    yield "verdict", (_verdict(story),)
    yield "hops", tuple(_hop(each) for each in story.hops)
    yield "members", tuple(_member(each) for each in story.members)
    yield "versions", tuple(_candidate(each) for each in story.candidates)
    steps = (*story.steps, *story.not_reached)
    yield "steps", tuple(_step(step) for step in steps)
    yield "probes", tuple(_probe(probe) for probe in story.probes)
    yield "evidence", tuple(_evidence(each) for each in story.evidence)


def _suite(root: Element, story: Story, number: int, name: str, cases: tuple[_Case, ...]) -> None:
    counted = {kind: sum(case.result == kind for case in cases) for kind in ("failure", "error", "skipped")}
    package = f"refloat.{_token(story.target)}"
    suite = SubElement(root, "testsuite", {
        "name": name,
        "package": package,
        "id": str(number),
        "timestamp": datetime.fromisoformat(story.begun_at).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "hostname": "localhost",
        "tests": str(len(cases)),
        "failures": str(counted["failure"]),
        "errors": str(counted["error"]),
        "skipped": str(counted["skipped"]),
        "time": _seconds(sum(case.time_s for case in cases)),
    })  # fmt: skip
    properties = SubElement(suite, "properties")
    for key, value in _properties(story):
        SubElement(properties, "property", {"name": key, "value": _text(value)})
    for case in cases:
        _case(suite, f"{package}.{name}", case)
    journal = "\n".join(_journal(story)) if name == "verdict" else ""
    SubElement(suite, "system-out").text = _text(journal)
    SubElement(suite, "system-err").text = ""


def _properties(story: Story) -> tuple[tuple[str, str], ...]:
    return (("run", story.run), ("verb", story.verb), ("target", story.target), ("state", story.state),
            ("old", story.old.image or story.old.spoken), ("new", story.new.image or story.new.spoken))  # fmt: skip


def _case(suite: Element, classname: str, case: _Case) -> None:
    made = SubElement(suite, "testcase", {
        "name": _token(case.name), "classname": classname, "time": _seconds(case.time_s),
    })  # fmt: skip
    if case.result == "skipped":
        SubElement(made, "skipped", {"message": _text(case.message)} if case.message else {})
    elif case.result != "passed":
        attributes = {"message": _text(case.message), "type": _text(case.code or case.result)}
        SubElement(made, case.result, attributes).text = _text(case.details)


def _verdict(story: Story) -> _Case:
    failed = story.exit_status != 0
    return _Case(
        name=f"{story.target} {story.old.spoken} → {story.new.spoken}",
        time_s=story.total_s,
        result="failure" if failed else "passed",
        code=story.code or story.state,
        message=story.headline,
        details="\n".join((story.headline, story.why, *(each.sentence for each in story.advice))),
    )


def _hop(each: HopTold) -> _Case:
    said = "" if each.ok else f"refloat show {each.run}"
    return _Case(name=f"{each.old} → {each.new}", result="passed" if each.ok else "failure", code="hop",
                 message=said, details=said)  # fmt: skip


def _member(each: MemberTold) -> _Case:
    return _Case(name=f"{each.name}: {each.change}", time_s=each.ready_s or 0,
                 result="passed" if each.ok else "failure", code="member", message=each.evidence,
                 details=each.data)  # fmt: skip


def _candidate(each: CandidateTold) -> _Case:
    results: dict[str, Literal["passed", "failure", "skipped"]] = {"works": "passed", "fails": "failure"}
    return _Case(name=each.version, time_s=each.total_s, result=results.get(each.verdict, "skipped"),
                 code=each.verdict, message=each.why, details=each.why)  # fmt: skip


def _step(step: StepTold) -> _Case:
    results: dict[StepState, Literal["passed", "failure", "error", "skipped"]] = {
        StepState.DONE: "passed",
        StepState.FAILED: "failure",
        StepState.CUT_OFF: "error",
        StepState.NOT_REACHED: "skipped",
    }
    return _Case(
        name=f"{step.key} {step.phase}: {step.sentence}",
        time_s=step.took_s,
        result=results[step.state],
        code=step.code or step.state.value,
        message=step.what or step.state.value,
        details="\n".join((step.what, *step.log)),
    )


def _probe(probe: ProbeTold) -> _Case:
    if probe.ok is None:
        return _Case(name=probe.name, result="skipped", message=probe.answer)
    return _Case(name=probe.name, result="passed" if probe.ok else "failure", code="probe", message=probe.answer,
                 details=probe.answer)  # fmt: skip


def _evidence(each: EvidenceTold) -> _Case:
    if each.ok is None:
        return _Case(name=each.name, result="skipped", message=each.words)
    details = f"before: {each.before}\nafter: {each.after}\n{each.words}"
    return _Case(name=each.name, result="passed" if each.ok else "failure", code="evidence", message=each.words,
                 details=details)  # fmt: skip


def _journal(story: Story) -> Iterator[str]:
    for event in story.events:
        yield f"{clock_words(event.at)}  {event_line(event)}"
        yield from (f"            | {line}" for line in event.log)


def _text(text: str) -> str:
    return FORBIDDEN.sub("�", text)


def _token(text: str) -> str:
    """A text as the schema's token: no newline, no blanks at its ends or beside one another; never empty."""
    return " ".join(_text(text).split()) or "unnamed"


def _seconds(seconds: float) -> str:
    return f"{max(seconds, 0):.3f}"
