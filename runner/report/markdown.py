"""A story as GitHub-flavoured Markdown, short, for a comment or a CI summary; it decides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.report.figures import figure_words
from runner.report.story import EvidenceTold, Listing, Mark, Story
from runner.report.words import seconds_words

SIGNS = {Mark.GOOD: "✅", Mark.BACK: "↩️", Mark.BAD: "❌", Mark.OPEN: "⏳"}
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
# A zero-width space keeps a name in a log from calling somebody, and an address from becoming a link.
CALLING = re.compile(r"@(?=\w)|(?<=[hH][tT][tT][pP])(?=[sS]?://)|(?<=[wW][wW][wW])(?=\.)")
CELL_CHARS = 200
MOST_LINES = 20


def markdown_report(story: Story) -> str:
    """The verdict, the figures, the evidence and what to do next."""
    parts = (
        f"### {SIGNS[story.mark]} {prose(story.headline)}",
        prose(story.why),
        prose(story.way_back),
        *(_log(listing) for listing in story.listings if listing.is_log),
        _hops(story),
        _candidates(story),
        _members(story),
        _figures(story),
        _evidence(story.evidence),
        _failed(story),
        _warnings(story),
        *(f"- {prose(each.text)}{f': {code(each.command)}' if each.command else ''}" for each in story.advice),
        f"<sub>{story.verb} of {prose(story.target)}, run {code(story.run)}, {prose(story.begun_at)}</sub>",
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def prose(text: str) -> str:
    """A text in one line in which nothing is markup."""
    return CALLING.sub(lambda found: f"{found.group()}\u200b", SPECIAL.sub(r"\\\1", " ".join(text.split())))


def cell(text: str) -> str:
    """The same, for a table, and not too long."""
    flat = " ".join(text.split())
    return prose(flat if len(flat) <= CELL_CHARS else f"{flat[: CELL_CHARS - 1]}…")


def code(text: str) -> str:
    """A text in one line as code; more backticks around it than in it."""
    flat = " ".join(text.split())
    fence = "`" * (_longest(flat) + 1)
    padded = f" {flat} " if "`" in flat else flat
    return f"{fence}{padded}{fence}"


def _longest(text: str) -> int:
    return max((len(found) for found in re.findall("`+", text)), default=0)


def _log(listing: Listing) -> str:
    lines = listing.lines[-MOST_LINES:]
    fence = "`" * max(3, _longest("\n".join(lines)) + 1)
    body = "\n".join(line.replace("\n", " ") for line in lines)
    return f"{prose(listing.title)}:\n\n{fence}text\n{body}\n{fence}"


def _figures(story: Story) -> str:
    rows = ((each.name, " ".join(part for part in (figure_words(each), each.note) if part)) for each in story.figures)
    return _table(("", ""), tuple(rows))


def _hops(story: Story) -> str:
    rows = tuple(
        ("✅" if each.ok else "❌", f"{each.old} → {each.new}", _seconds(each.downtime_s), each.run)
        for each in story.hops
    )
    return _table(("", "Hop", "Downtime", "Run"), rows)


def _members(story: Story) -> str:
    rows = tuple(
        (
            "✅" if each.ok else "❌",
            each.name,
            each.change,
            _seconds(each.settle_s),
            _seconds(each.ready_s),
            each.evidence,
        )
        for each in story.members
    )
    return _table(("", "Member", "Version", "Old one healthy after", "New one healthy after", "Evidence"), rows)


def _candidates(story: Story) -> str:
    signs = {"works": "✅", "fails": "❌", "not tried": "–"}
    rows = tuple((signs[each.verdict], each.version, each.verdict, _seconds(each.expected_s), each.why)
                 for each in story.candidates)  # fmt: skip
    return _table(("", "Version", "Verdict", "Downtime to expect", "Why"), rows)


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else seconds_words(seconds)


def _evidence(evidence: tuple[EvidenceTold, ...]) -> str:
    rows = tuple(
        (
            "–" if each.ok is None else "✅" if each.ok else "❌",
            each.name,
            each.before or "–",
            each.after or "–",
            each.words,
        )
        for each in evidence
    )
    return _table(("", "Evidence", "Before", "After", "Verdict"), rows)


def _failed(story: Story) -> str:
    rows = tuple((step.sentence, seconds_words(step.took_s), step.what) for step in story.steps if step.what)
    return _table(("Step that failed", "After", "Why"), rows)


def _warnings(story: Story) -> str:
    return "\n".join(f"> ⚠️ {prose(each.text)} ({code(each.code)})  " for each in story.warnings)


def _table(heads: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> str:
    if not rows:
        return ""
    return "\n".join(_lines(heads, rows))


def _lines(heads: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell(each) for each in row)} |"
