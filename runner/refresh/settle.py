"""Settling a refresh: every path by the tables, every question answered, before anything is written anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from runner.refresh import lines, sentences
from runner.refresh.choices import INSTALL, KEEP, LOOK_AGAIN, OPEN, RESTORE, Answer, Asks, Question, Texts
from runner.refresh.decide import Act, Ask, Verdict, decide, decide_mode
from runner.refresh.entries import Entry, Kind, Rules, Tree, ancestors_of, fingerprint_of, is_below, paths_in_order
from runner.refresh.lines import Line
from runner.refresh.merge import MERGE_LIMIT_BYTES, can_merge, merge
from runner.refresh.settlement import Change, Outcome, SetMode, Settlement, Swap, World, counts_of
from runner.refresh.usertree import UserTree


def settle(old: Tree, user: Tree, new: Tree, asks: Asks, world: World, rules: Rules | None = None) -> Settlement:
    """Settle every path, in order: defaults that are new, then defaults that are gone."""
    rules = rules or Rules()
    work = _Work(old, user, new, asks, world, rules)
    outcomes = tuple(work.settle_path(path) for path in paths_in_order(work.old, new, rules))
    counts = counts_of(outcomes)
    return Settlement(outcomes, tuple(work.changes), work.seen, tuple(work.answered), tuple(work.open), counts)


class _Work:
    """The state of one settling; each path sees what the paths before it came to."""

    def __init__(self, old: Tree, user: Tree, new: Tree, asks: Asks, world: World, rules: Rules) -> None:
        self.old, self.new, self.rules = _refreshable(old), new, rules
        self.disk: dict[str, Entry] = dict(user)
        self.tree = UserTree(user)
        self.asks, self.world = asks, world
        self.changes: list[Change] = []
        self.seen: dict[str, Entry | None] = {}
        self.answered: list[tuple[Question, Answer]] = []
        self.open: list[Question] = []
        self.kept: set[str] = set()

    def settle_path(self, path: str) -> Outcome:
        if path in self.new and self.new[path].kind is Kind.SPECIAL:
            return Outcome(path, 0, (lines.ignored_line(path),))
        outcome = self._content(path)
        while outcome.choice == LOOK_AGAIN:
            self._look_again()
            outcome = self._content(path)
        return replace(outcome, lines=outcome.lines + self._mode(path))

    def _content(self, path: str) -> Outcome:
        old, user, new = self.old.get(path), self.tree.at(path), self.new.get(path)
        if user and any(above in self.kept for above in ancestors_of(path)):
            return Outcome(path, 8, (lines.kept_line(8, path, user),))  # a directory is kept with what is in it
        verdict = decide(old, user, new, self.tree.names_in(path))
        if verdict.act is Act.MERGE and old and user and new:
            return self._merge(path, old, user, new)
        if verdict.ask and user:
            return self._two_way(path, verdict, verdict.ask, user)
        if verdict.act is Act.INSTALL and new and (blocker := self.tree.blocker_of(path)):
            return Outcome(path, verdict.row, (lines.blocked_line(path, blocker),))
        line = lines.quiet_line(verdict.row, path, new)
        return Outcome(path, verdict.row, (*_only(line), *self._act(path, verdict.act)))

    def _two_way(self, path: str, verdict: Verdict, ask: Ask, user: Entry) -> Outcome:
        old, new = self.old.get(path), self.new.get(path)
        sentence = sentences.about(verdict.row, old, user, new, self.tree.names_in(path))
        # An answer that lets a directory go was given to the names in it, not to any others.
        inside = self.world.below(path) if user.kind is Kind.DIRECTORY else ()
        print_of = fingerprint_of(path, verdict.row, old, user, new, *inside)
        answer = self._ask(Question(path, ask, sentence, print_of, compares=_compares(user, new)))
        if answer.choice == OPEN:
            line = lines.open_line(path, (KEEP, ask.value))
        elif answer.choice in (KEEP, LOOK_AGAIN):
            line = lines.kept_line(verdict.row, path, user)
        else:
            more = self._act(path, Act.INSTALL if ask is Ask.REPLACE else Act.REMOVE)
            return Outcome(path, verdict.row, (lines.replaced_line(verdict.row, path, user, new), *more), answer.choice)
        if verdict.row == 16 and answer.choice != LOOK_AGAIN:
            self.kept.add(path)
        return Outcome(path, verdict.row, (line,), answer.choice)

    def _merge(self, path: str, old: Entry, user: Entry, new: Entry) -> Outcome:
        whole = Verdict(14, Act.INSTALL, Ask.REPLACE)
        if max(old.size, user.size, new.size) > MERGE_LIMIT_BYTES:
            return self._two_way(path, whole, Ask.REPLACE, user)
        theirs = self.world.user_text(path), self.world.old_text(path), self.world.new_text(path)
        if not can_merge(*theirs):
            return self._two_way(path, whole, Ask.REPLACE, user)
        texts = Texts(*theirs, merge(*theirs))
        if texts.merged.conflicts == 0:
            self._write(path, user, texts.merged.text, texts.user)
            return Outcome(path, 14, (lines.merge_line(path, "merged"),))
        sentence = sentences.about_merge(texts.merged.conflicts)
        answer = self._ask(Question(path, Ask.MERGE, sentence, fingerprint_of(path, 14, old, user, new), texts))
        if answer.choice == INSTALL:
            self._swap(path, replace(new, mode=user.mode))  # the table of permissions has its say after this
        elif answer.choice == KEEP:
            accepted = texts.merged.text if answer.text is None else answer.text
            self._write(path, user, accepted, texts.user)
        choices = (KEEP, RESTORE, INSTALL)
        line = lines.open_line(path, choices) if answer.choice == OPEN else lines.merge_line(path, answer.choice)
        return Outcome(path, 14, (line,), answer.choice)

    def _mode(self, path: str) -> tuple[Line, ...]:
        old, user, new = self.old.get(path), self.tree.at(path), self.new.get(path)
        verdict = decide_mode(old, user, new, new_wins=path in self.rules.modes_to_set)
        if not verdict.sets or user is None or new is None:
            return ()
        if verdict.ask:
            print_of = fingerprint_of(path, verdict.title, old and old.mode, user.mode, new.mode)
            sentence = sentences.about_mode(verdict.title, old, user, new)
            answer = self._ask(Question(path, verdict.ask, sentence, print_of))
            if answer.choice == LOOK_AGAIN:
                self._look_again()
                return self._mode(path)
            if answer.choice == OPEN:
                return (lines.open_line(path, (KEEP, verdict.ask.value)),)
            if answer.choice == KEEP:
                return (lines.mode_line(path, user.mode, user.mode),)
        self._change(path, SetMode(path, user.mode, new.mode))
        self.tree.see(path, replace(user, mode=new.mode))
        return (lines.mode_line(path, user.mode, new.mode),)

    def _ask(self, question: Question) -> Answer:
        answer = self.asks(question)
        if answer.choice == OPEN:
            self.open.append(question)
        elif answer.choice != LOOK_AGAIN:
            self.answered.append((question, answer))
        return answer

    def _look_again(self) -> None:
        """See what a person did in a shell, anywhere, except where we are about to change something ourselves."""
        fresh, ours = self.world.look_again(), frozenset(self.seen)
        for path in self.disk.keys() | fresh.keys():
            if not is_below(path, ours):
                self.tree.see(path, fresh.get(path))
        self.disk = dict(fresh)

    def _act(self, path: str, act: Act) -> tuple[Line, ...]:
        if act is Act.REMOVE:
            self._change(path, Swap(path, True, None))
            self.tree.drop(path)
        if act is not Act.INSTALL:
            return ()
        made = [self._make_directory(above) for above in self.tree.missing_above(path)]
        user, new = self.tree.at(path), self.new[path]
        self._swap(path, new)
        if user and user.kind is new.kind and user.mode != new.mode:
            made.append(lines.mode_line(path, user.mode, new.mode))
        return tuple(made)

    def _make_directory(self, path: str) -> Line:
        self._swap(path, self.new[path])
        return Line(True, "Installed dir", path)

    def _write(self, path: str, user: Entry, text: bytes, before: bytes) -> None:
        if text != before:
            digest = hashlib.sha256(text).hexdigest()
            self._swap(path, Entry(Kind.FILE, user.mode, len(text), digest), text)

    def _swap(self, path: str, new: Entry, text: bytes | None = None) -> None:
        self._change(path, Swap(path, self.tree.at(path) is not None, new, text))
        self.tree.put(path, replace(new, names=0))

    def _change(self, path: str, change: Change) -> None:
        self.seen.setdefault(path, self.disk.get(path))
        self.changes.append(change)


def _refreshable(old: Mapping[str, Entry]) -> dict[str, Entry]:
    return {path: entry for path, entry in old.items() if entry.kind is not Kind.SPECIAL}


def _compares(user: Entry, new: Entry | None) -> bool:
    """Whether these are two files of a size worth reading to show how they differ."""
    if new is None or not (new.kind is user.kind is Kind.FILE):
        return False
    return max(user.size, new.size) <= MERGE_LIMIT_BYTES


def _only(line: Line | None) -> tuple[Line, ...]:
    return (line,) if line else ()
