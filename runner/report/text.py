"""A story as plain text for a terminal; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterator

from runner.report.figures import figure_words
from runner.report.lines import event_line
from runner.report.story import Story
from runner.report.words import clock_words, day_words, sign


def text_report(story: Story) -> str:
    """The whole story."""
    parts = (
        (story.title, f"run {story.run}", *_verdict(story)),
        tuple(f"  {each.old} → {each.new}: {'done' if each.ok else 'not done'} ({each.run})" for each in story.hops),
        tuple(f"  {each.version}: {each.verdict}{f' ({each.why})' if each.why else ''}" for each in story.candidates),
        tuple(f"  {each.name} {each.change}: {'proven' if each.ok else 'not proven'}" for each in story.members),
        _figures(story),
        tuple(_events(story)),
        tuple(_evidence(story)),
        *_listings(story),
        tuple(_commit(story)),
    )
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _listings(story: Story) -> Iterator[tuple[str, ...]]:
    for listing in story.listings:
        if not listing.is_log:
            yield (listing.title, *(f"  {line}" for line in listing.lines))


def _verdict(story: Story) -> Iterator[str]:
    yield f"{story.headline.rstrip('.')} ({story.why.rstrip('.')})." if story.why else story.headline
    if story.way_back:
        yield story.way_back
    for listing in story.listings:
        if listing.is_log:
            yield f"{listing.title}:"
            yield from (f"  | {line}" for line in listing.lines)
    yield from (each.sentence for each in story.advice)


def _figures(story: Story) -> tuple[str, ...]:
    rows = ((each.name, " ".join(part for part in (figure_words(each), each.note) if part)) for each in story.figures)
    return tuple(f"  {name:<28}{words}" for name, words in rows)


def _events(story: Story) -> Iterator[str]:
    if story.events:
        yield f"What happened (UTC, from {day_words(story.events[0].at)})"
    for event in story.events:
        yield f"  {clock_words(event.at)}  {event_line(event)}"
        yield from (f"            | {text}" for text in event.log)


def _evidence(story: Story) -> Iterator[str]:
    if story.evidence:
        yield "Evidence"
    yield from (f"  {sign(each.ok)} {each.name}: {each.words}" for each in story.evidence)


def _commit(story: Story) -> Iterator[str]:
    if story.committed_at:
        yield f"Committed at {day_words(story.committed_at)}: what was kept is tidied away."
