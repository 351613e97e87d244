"""The report of a refresh: every path by status with its diff, and what was lost; it decides and prints nothing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.refresh.choices import Question
from runner.refresh.entries import Kind, printable, printable_line
from runner.refresh.lines import skipped_line
from runner.refresh.settlement import Outcome, Settlement, Swap, World

_DIFF_LIMIT_BYTES = 512 * 1024


@dataclass(frozen=True)
class Report:
    """A settled refresh as people and programs read it."""

    settlement: Settlement
    diffs: Mapping[str, str]
    lost: Mapping[str, tuple[str, ...]]  # directories that go with all they hold, and what that is
    applied: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)

    def text(self, *, diffs: bool) -> str:
        """Yield the status lines, the diffs if wanted, and the counts."""
        parts = [line for outcome in self.settlement.outcomes for line in self._lines_of(outcome, diffs)]
        counts = ", ".join(f"{word} {count}" for word, count in sorted(self.settlement.counts.items()))
        changed = len({change.path for change in self.settlement.changes} - set(self.left_out))
        verb = "changed" if self.applied else "to be changed"
        parts.append(f"{changed} path(s) {verb}." + (f" {counts}." if counts else ""))
        if self.settlement.still_open:
            parts.append(waiting_for_answers(len(self.settlement.still_open)))
        return "\n".join(parts) + "\n"

    def plain(self) -> dict[str, object]:
        """Yield the same for a program; open conflicts come with their choices and fingerprints."""
        return {
            "applied": self.applied,
            "changed": sorted({change.path for change in self.settlement.changes} - set(self.left_out)),
            "counts": dict(self.settlement.counts),
            "paths": [self._plain_outcome(outcome) for outcome in self.settlement.outcomes],
            "open": [plain_question(question) for question in self.settlement.still_open],
            "left_out": dict(self.left_out),
        }

    def _lines_of(self, outcome: Outcome, diffs: bool) -> list[str]:
        if outcome.path in self.left_out:
            return [str(skipped_line(outcome.path, self.left_out[outcome.path]))]
        lines = [str(line) for line in outcome.lines]
        lines += [f"   - {printable(path)}" for path in self.lost.get(outcome.path, ())]
        if diffs and outcome.path in self.diffs:
            lines += ["   " + printable_line(line) for line in self.diffs[outcome.path].splitlines()]
        return lines

    def _plain_outcome(self, outcome: Outcome) -> dict[str, object]:
        return {
            "path": outcome.path,
            "row": outcome.row,
            "choice": outcome.choice,
            "lines": [{"good": line.good, "status": line.word, "text": str(line).strip()} for line in outcome.lines],
            "diff": self.diffs.get(outcome.path, ""),
            "lost": list(self.lost.get(outcome.path, ())),
        }


def waiting_for_answers(count: int) -> str:
    """Say how many conflicts are open, and how they are answered."""
    how = "--save-answers FILE asks at a terminal, --conflict keepold or install decides"
    return f"{count} conflict(s) wait for an answer: {how}."


def plain_question(question: Question) -> dict[str, object]:
    """Yield a question for a program; with texts, the merge as far as it came."""
    plain: dict[str, object] = {
        "path": question.path,
        "question": question.ask.value,
        "sentence": question.sentence,
        "choices": list(question.choices),
        "fingerprint": question.fingerprint,
    }
    if question.texts:
        plain["half_merged"] = question.texts.merged.text.decode("utf-8", "surrogateescape")
    return plain


def report_of(settlement: Settlement, world: World) -> Report:
    """Draw up the report while the user's versions are still there to be compared."""
    swaps = [change for change in settlement.changes if isinstance(change, Swap)]
    diffs = {swap.path: _diff_of(swap, settlement, world) for swap in swaps}
    diffs |= {question.path: _diff_of_a_question(question, world) for question in _left_as_they_are(settlement, diffs)}
    directories = [path for path, entry in settlement.seen.items() if entry and entry.kind is Kind.DIRECTORY]
    taken = [swap.path for swap in swaps if swap.path in directories and swap.had]
    lost = {path: world.below(path) for path in taken}
    ours = {swap.path for swap in swaps if swap.had}
    lost = {path: tuple(inner for inner in names if inner not in ours) for path, names in lost.items()}
    return Report(settlement, {path: diff for path, diff in diffs.items() if diff}, lost)


def _left_as_they_are(settlement: Settlement, changed: Mapping[str, str]) -> list[Question]:
    asked = (*settlement.still_open, *(question for question, _ in settlement.answered))
    shows = [question for question in asked if question.texts or question.compares]  # not one about a mode
    return [question for question in shows if question.path not in changed]


def _diff_of_a_question(question: Question, world: World) -> str:
    texts = question.texts
    user = texts.user if texts else world.user_text(question.path)
    new = texts.new if texts else world.new_text(question.path)
    if max(len(user), len(new)) > _DIFF_LIMIT_BYTES:
        return "(too large to be shown)\n"
    return unified_diff(user, new, "yours, kept", "new default")


def _diff_of(swap: Swap, settlement: Settlement, world: World) -> str:
    seen = settlement.seen[swap.path]
    had_file, gets_file = seen is not None and seen.kind is Kind.FILE, swap.new and swap.new.kind is Kind.FILE
    if seen is None or not (had_file or gets_file):
        return ""
    if max(seen.size, swap.new.size if swap.new else 0) > _DIFF_LIMIT_BYTES:
        return "(too large to be shown)\n"
    before = world.user_text(swap.path) if had_file else b""
    after = b"" if not gets_file else world.new_text(swap.path) if swap.text is None else swap.text
    becomes = "result" if swap.text is not None else "new default" if gets_file else "nothing"
    return unified_diff(before, after, "yours" if had_file else "nothing", becomes)


def unified_diff(before: bytes, after: bytes, one: str, other: str) -> str:
    """Yield a unified diff of two texts; of data, only that they differ."""
    if b"\0" in before + after:
        return f"(binary: {len(before)} and {len(after)} bytes)\n" if before != after else ""
    texts = [text.decode("utf-8", "surrogateescape").splitlines(keepends=True) for text in (before, after)]
    found = difflib.unified_diff(texts[0], texts[1], one, other)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in found)
