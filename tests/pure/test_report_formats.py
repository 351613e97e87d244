"""Every format of a report, on every kind of end and on hostile texts: well formed, complete, and without a secret."""

from __future__ import annotations

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xmlschema import XMLSchema10

from runner.records import Closed, Did, End, Failed, Meant, Noted, Opened, Record, Turned, Wish
from runner.report.clean import clean
from runner.report.formats import Format, rendered, report_schema
from runner.report.story import Story
from runner.report.telling import run_story
from tests.pure.report_cases import STORIES, whole
from tests.pure.test_report_plan import at

ROOT = Path(__file__).parents[2]
KINDS = sorted(STORIES)
HOSTILE = (
    "</style></pre><script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "| a | b |\n|---|---|\n``` @everyone #1 <b>",
    "]]></failure><testcase name='x'/>",
    "\x00\x1b[2J\x0b\ufffe\ud800\u202etext",
    "{{ 7 * 7 }} {% include '/etc/passwd' %} ${7*7}",
    "back\\slash `tick` ``two`` [link](https://example.org)",
)
ELEMENTS = (
    "html head meta title style body main header p h1 h2 h3 span div code section dl dt dd small pre ul li figure "
    "figcaption svg line text rect b table thead tbody tr th td br footer"
)
ALLOWED = set(ELEMENTS.split())
VOID = {"meta", "br"}


class Page(HTMLParser):
    """What is in a page: its text, its elements, and that they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.used: set[str] = set()
        self.names: set[str] = set()
        self.values: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.used.add(tag)
        self.names |= {name for name, _ in attrs}
        self.values += [value or "" for _, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.used.add(tag)
        self.names |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def text(self) -> str:
        return flat("".join(self.said))


def flat(text: str) -> str:
    return " ".join(text.split())


def hostile(text: str) -> Story:
    """The story of a run in which everything that comes from elsewhere says this."""
    records: tuple[Record, ...] = (
        Opened(at=at(0), wish=Wish.FORWARD, host="h", pid=1),
        Meant(at=at(1), key="6"),
        Noted(at=at(1), kind="waiting", text=text),
        Noted(at=at(1), kind="warning", text=text),
        Failed(at=at(2), key="6", code="crashed", what=text, log=(text, f"x {text}")),
        Did(at=at(3), key="7", facts={"findings": [{"name": text, "ok": False, "words": text, "before": text}]}),
        Turned(at=at(3), code="crashed", why=text),
        Closed(at=at(4), end=End.OLD),
    )
    named = text.encode("utf-8", "replace").decode() or "db"  # a plan is made of what a file can hold
    return run_story(whole().model_copy(update={"target": named, "recipe": named}), records, (), "rolled back")


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_is_one_file_that_needs_nothing_else(kind: str) -> None:
    text = rendered(STORIES[kind], Format.HTML)
    page = Page(text)
    assert page.open == []
    assert page.used <= ALLOWED
    assert not {name for name in page.names if name.startswith("on") or name in ("src", "href", "srcdoc", "action")}
    assert not re.search(r"url\(|@import|https?://(?!localhost)", text)
    assert "default-src 'none'" in text


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_the_verdict_and_what_to_type_next(kind: str) -> None:
    story = STORIES[kind]
    page = Page(rendered(story, Format.HTML))
    for said in (
        story.headline,
        story.why,
        *(each.command for each in story.advice),
        *(s.sentence for s in story.steps),
    ):
        assert flat(said) in page.text


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_has_headings_and_every_picture_a_title(kind: str) -> None:
    text = rendered(STORIES[kind], Format.HTML)
    assert text.count("<table") == text.count("<thead>")
    for svg in re.findall(r"<svg[^>]*>", text):
        assert 'role="img" aria-labelledby=' in svg or 'aria-hidden="true"' in svg
    labels = re.findall(r'aria-labelledby="([^"]+)"', text)
    assert len(set(labels)) == len(labels)
    assert all(f'<title id="{label}">' in text for label in labels)


@pytest.mark.parametrize("kind", KINDS)
def test_the_json_follows_its_schema_and_comes_back_the_same(kind: str) -> None:
    story = STORIES[kind]
    told = json.loads(rendered(story, Format.JSON))
    assert Story.model_validate(told) == story
    assert set(told) == set(report_schema()["properties"])  # type: ignore[arg-type]  # an object, by its own schema


def test_the_schema_in_the_docs_is_that_of_the_code() -> None:
    """Where it is not, write ``json.dumps(report_schema(), indent=2, ensure_ascii=False)`` there."""
    kept = json.loads((ROOT / "docs/report.schema.json").read_text(encoding="utf-8"))
    assert kept == report_schema()


@cache
def junit_schema() -> XMLSchema10:
    return XMLSchema10(str(Path(__file__).with_name("junit.xsd")))


def checked_junit(text: str) -> ET.Element:
    """The document, valid by the common schema; that its counts are right no schema can say."""
    junit_schema().validate(text)
    root = ET.fromstring(text)  # noqa: S314  # our own
    for suite in root:
        cases = suite.findall("testcase")
        assert suite.get("tests") == str(len(cases))
        for kind, counted in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert suite.get(counted) == str(sum(case.find(kind) is not None for case in cases))
    return root


MISSHAPEN = (
    ("<properties>", "<system-err/><properties>"),
    ('time="', 'time="-'),
    ('timestamp="', 'timestamp="on '),
    ('classname="', 'class="'),
    ('id="1"', 'id="0"'),
    ('type="crashed"', ""),
)


@pytest.mark.parametrize(("said", "instead"), MISSHAPEN)
def test_the_schema_of_junit_notices_what_readers_trip_over(said: str, instead: str) -> None:
    text = rendered(STORIES["crashed"], Format.JUNIT)
    assert said in text
    assert not junit_schema().is_valid(text.replace(said, instead))


@pytest.mark.parametrize("kind", KINDS)
def test_junit_has_a_case_for_the_verdict_and_for_each_step_probe_and_piece_of_evidence(kind: str) -> None:
    story = STORIES[kind]
    root = checked_junit(rendered(story, Format.JUNIT))
    counts = {suite.get("name"): int(suite.get("tests", "")) for suite in root}
    steps = len(story.steps) + len(story.not_reached)
    wanted = {"verdict": 1, "hops": len(story.hops), "versions": len(story.candidates), "steps": steps,
              "probes": len(story.probes), "evidence": len(story.evidence)}  # fmt: skip
    assert counts == {name: count for name, count in wanted.items() if count}
    bad = any(suite.get("failures") != "0" or suite.get("errors") != "0" for suite in root)
    assert bad == (story.exit_status != 0)


def test_junit_says_of_a_failed_step_why_with_its_last_words() -> None:
    root = checked_junit(rendered(STORIES["crashed"], Format.JUNIT))
    failure = next(iter(root.findall("./testsuite[@name='steps']/testcase/failure")))
    assert (failure.get("type"), failure.get("message")) == ("crashed", "db does not stay up.")
    assert "FATAL: incompatible" in (failure.text or "")


def outside_fences(text: str) -> str:
    return re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_markdown_table_breaks_it_and_nobody_is_called(text: str) -> None:
    told = outside_fences(rendered(hostile(text), Format.MARKDOWN))
    rows = [line for line in told.splitlines() if line.startswith("|")]
    for table in re.findall(r"(?:^\|.*\n)+", told, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    assert rows
    assert not re.search(r"(?<!\\)<(?!sub>|/sub>)", re.sub(r"`+[^`]*`+", "", told))
    assert not re.search(r"@\w", re.sub(r"`+[^`]*`+", "", told))


@pytest.mark.parametrize("kind", KINDS)
def test_markdown_is_short_and_begins_with_the_verdict(kind: str) -> None:
    story = STORIES[kind]
    told = rendered(story, Format.MARKDOWN)
    assert story.target in told.splitlines()[0]
    assert len(told) < 4000


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_texts(text: str) -> None:
    story = hostile(text)
    page = Page(rendered(story, Format.HTML))
    assert page.used <= ALLOWED
    assert flat(clean(text)) in page.text
    checked_junit(rendered(story, Format.JUNIT))
    assert json.loads(rendered(story, Format.JSON))["why"] == clean(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", rendered(story, Format.TEXT))


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(), max_size=40))
def test_whatever_a_product_says_every_format_can_be_read(text: str) -> None:
    story = hostile(text)
    for form in Format:
        rendered(story, form).encode("utf-8")
    checked_junit(rendered(story, Format.JUNIT))
    assert Page(rendered(story, Format.HTML)).used <= ALLOWED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", list(Format))
def test_the_password_in_a_probe_is_in_no_format(kind: str, form: Format) -> None:
    assert "hunter2" not in rendered(STORIES[kind], form)
