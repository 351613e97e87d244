"""The one change of a file after which a service has another image: byte for byte the same elsewhere, or why not.

It does no I/O: it is given a way to read files, and gives the change as data.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from runner.compose.places import Files, Place, Read, Unclear
from runner.compose.variables import Assigned, Part, assignments, mentions, resolved
from runner.steps.nouns import FileEdit

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")


@dataclass(frozen=True)
class Change:
    """From which image to which; ``digest`` (``sha256:…``) is the new one's, where the registry's is known."""

    service: str
    running: str
    new: str
    digest: str = ""
    along: tuple[tuple[str, str], ...] = ()
    """Other services that change in the same run, and their new images: they may share a variable."""


def find_edit(paths: tuple[str, ...], variables: str, read: Read, change: Change) -> FileEdit | None:
    """The edit that makes ``change``; ``variables`` is the path of the .env file. Unclear says why there is none.

    None where one for a service that changes along with it has made it.
    """
    edit = _edit(Files(paths, read), variables, read, change)
    if edit is not None:
        _check(paths, variables, read, change, edit)
    return edit


def _edit(files: Files, variables: str, read: Read, change: Change) -> FileEdit | None:
    place = _own_place(files, change)
    text = files.text(place.path)
    inner = _inner_start(text, place)
    known = assignments(read(variables) or "")
    _refuse_own_variables(files, read, place, known)
    parts = resolved(place.value, known)
    says = "".join(part.text for part in parts)
    if change.along and says == change.new:
        return None
    if says != change.running:
        raise Unclear(f"{place.path} says {says}, but {change.running} runs (a variable of a shell, or edited since)")
    start, end, words = _span(says, change)
    part, offset = _part_with(parts, start, end)
    if part.variable:
        _refuse_shared(files, variables, read, place, part.variable, change)
        return _splice(variables, read(variables) or "", part.start + offset, end - start, words)
    return _splice(place.path, text, inner + part.start + offset, end - start, words)


def _refuse_own_variables(files: Files, read: Read, place: Place, known: dict[str, Assigned | None]) -> None:
    """An included file has variables of its own, which count where the project's say nothing."""
    for path in files.variables_of(place.path):
        for name in set(assignments(read(path) or "")) - set(known):
            if mentions(place.value, name):
                raise Unclear(f"the image in {place.path} is made with {name} of {path}")


def _own_place(files: Files, change: Change) -> Place:
    """Where the image is written that this service has alone, or with others that go to the same one with it."""
    service = change.service
    place = files.image(service)
    if place is None:
        raise Unclear(f"no image of the service {service} is written in {', '.join(files.paths)}")
    if files.is_built(service):
        raise Unclear(f"compose builds the service {service} itself")
    sharing = [name for name in files.services() if name != service and _image_key(files, name) == place.key]
    going = dict(change.along)
    staying = [name for name in sharing if going.get(name) != change.new]
    if staying or files.uses(place) > 2 + len(sharing):
        others = ", ".join(staying) or "something else"
        raise Unclear(f"{service} has its image in one with {others} in {place.path}")
    return place


def _image_key(files: Files, service: str) -> tuple[str, int] | None:
    try:
        place = files.image(service)
    except Unclear:
        return None
    return place.key if place else None


def _inner_start(text: str, place: Place) -> int:
    """Where the value begins in the file; Unclear where its source is not the value itself."""
    raw = text[place.start : place.end]
    properties = _PROPERTIES.match(raw)
    skipped = properties.end() if properties else 0
    body = raw[skipped:]
    if body == place.value:
        return place.start + skipped
    if body[:1] in ("'", '"') and body[1:-1] == place.value:
        return place.start + skipped + 1
    raise Unclear(f"the image in {place.path} is written with escapes or over several lines")


def _span(says: str, change: Change) -> tuple[int, int, str]:
    """Which characters of the reference change, and into what."""
    home, new_home = _home(says), _home(change.new)
    if home != new_home:
        return 0, len(says), change.new
    tag = change.new.partition("@")[0][len(new_home) :]
    if "@" in says:
        if not change.digest:
            raise Unclear(f"{says} is pinned by digest, and the digest of {change.new} in its registry is not known")
        return len(home), len(says), f"{tag}@{change.digest}"
    return (len(home) + 1, len(says), tag[1:]) if len(says) > len(home) else (len(home), len(home), tag)


def _home(ref: str) -> str:
    name = ref.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name


def _part_with(parts: tuple[Part, ...], start: int, end: int) -> tuple[Part, int]:
    """The one part that holds these characters, and how far in it they begin."""
    at = 0
    for part in parts:
        if at <= start and end <= at + len(part.text) and (start < at + len(part.text) or part is parts[-1]):
            return part, start - at
        at += len(part.text)
    raise Unclear("it is put together from several pieces")


def _refuse_shared(files: Files, variables: str, read: Read, place: Place, name: str, change: Change) -> None:
    """Whoever else changes along may use the variable, too, in its image."""
    texts = [files.text(path) for path in dict.fromkeys((*files.every, place.path))]
    along = {other.key: other for service, _ in change.along if (other := files.image(service))}
    ours = sum(mentions(other.value, name) for other in ({**along, place.key: place}).values())
    if sum(mentions(text, name) for text in (*texts, read(variables) or "")) > ours:
        raise Unclear(f"the variable {name} in {variables} is used elsewhere, too")


def _splice(path: str, text: str, start: int, length: int, words: str) -> FileEdit:
    before = text.encode()
    at = len(text[:start].encode())
    was = text[start : start + length]
    after = before[:at] + words.encode() + before[at + len(was.encode()) :]
    head, tail = _around(text, start, start + length)
    return FileEdit(path=path, line=text.count("\n", 0, start) + 1, at_byte=at, was=was, becomes=words,
                    shown_before=f"{head}{was}{tail}", shown_after=f"{head}{words}{tail}",
                    sha256_before=_sha256(before), sha256_after=_sha256(after))  # fmt: skip


def _around(text: str, start: int, end: int) -> tuple[str, str]:
    """What surrounds the change as people are shown it: its own word and the key before it, never the whole line."""
    head = re.search(r"(?:[\w.-]+[ \t]*[:=][ \t]*)?[^\s,{}\[\]]*(?:\$\{\w+:?-)?$", text[:start])
    tail = re.match(r"[^\s,\[\]{]*", text[end:])
    return head[0] if head else "", tail[0] if tail else ""


def _check(paths: tuple[str, ...], variables: str, read: Read, change: Change, edit: FileEdit) -> None:
    """Read the files as they will be: the service must have the new image then, and all others theirs."""

    def edited(path: str) -> str | None:
        text = read(path)
        return edit.apply(text.encode()).decode() if text is not None and path == edit.path else text

    before, after = Files(paths, read), Files(paths, edited)
    was, now = (dict(_images(*one, change.service)) for one in ((before, variables, read), (after, variables, edited)))
    meant = dict(change.along)
    if any(now[name] not in (says, meant.get(name, says)) for name, says in was.items()):
        raise Unclear("the change would reach other services, too")
    place = after.image(change.service)
    says = _says(place, assignments(edited(variables) or "")) if place else ""
    if says.partition("@")[0] != change.new.partition("@")[0]:
        raise Unclear(f"the change would not give {change.new}")


def _images(files: Files, variables: str, read: Read, but: str) -> tuple[tuple[str, str], ...]:
    known = assignments(read(variables) or "")
    return tuple((name, _of(files, name, known)) for name in files.services() if name != but)


def _of(files: Files, name: str, known: dict[str, Assigned | None]) -> str:
    try:
        place = files.image(name)
        return _says(place, known) if place else ""
    except Unclear as why:
        return str(why)


def _says(place: Place, known: dict[str, Assigned | None]) -> str:
    return "".join(part.text for part in resolved(place.value, known))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
