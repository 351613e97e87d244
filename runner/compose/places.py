"""Where a service's image stands in compose files: through overrides, includes, extends and anchors; it does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from posixpath import dirname, join, normpath

import yaml

Read = Callable[[str], str | None]
"""The text of a file by its absolute path; None where it cannot be read."""
MOST_EXTENDS = 20


class Unclear(Exception):
    """Why an image cannot be changed safely, in words that follow “because”."""


@dataclass(frozen=True)
class Place:
    """A scalar in a file: its whole source text lies between ``start`` and ``end``, counted in characters."""

    path: str
    start: int
    end: int
    value: str

    @property
    def key(self) -> tuple[str, int]:
        """Two services with one key share one scalar."""
        return (self.path, self.start)


@dataclass(frozen=True)
class Included:
    """A file that another one includes, and the files of variables it is read with."""

    path: str
    variables: tuple[str, ...]


class Files:
    """The files of one project in the order in which they override each other; each is parsed once."""

    def __init__(self, paths: tuple[str, ...], read: Read) -> None:
        self.paths = paths
        self._read = read
        self._known: dict[str, tuple[str, yaml.MappingNode]] = {}

    @property
    def every(self) -> tuple[str, ...]:
        """Its files, and those they include."""
        return (*self.paths, *self.included)

    @cached_property
    def included(self) -> tuple[str, ...]:
        """The files that ``include`` names, and those included there; Unclear."""
        return tuple(dict.fromkeys(each.path for path in self.paths for each in self._includes(path, MOST_EXTENDS)))

    def variables_of(self, path: str) -> tuple[str, ...]:
        """The files of variables of an included file; they count after those of the project."""
        every = (each for own in self.paths for each in self._includes(own, MOST_EXTENDS))
        return next((each.variables for each in every if each.path == path), ())

    def _includes(self, path: str, depth: int) -> Iterator[Included]:
        if not depth:
            raise Unclear("`include` goes round in a circle")
        node = _value(self._file(path)[1], "include")
        for entry in node.value if isinstance(node, yaml.SequenceNode) else ():
            for each in _included(path, entry):
                yield each
                yield from self._includes(each.path, depth - 1)

    def text(self, path: str) -> str:
        """A file's text; Unclear."""
        return self._file(path)[0]

    def services(self) -> tuple[str, ...]:
        """Every service of the project."""
        names = (str(key.value) for path in self.every for key, _ in _pairs(self._services(path)))
        return tuple(dict.fromkeys(names))

    def image(self, service: str) -> Place | None:
        """Where the image of a service is written; Unclear."""
        own = self._of(self.paths, service, "image", MOST_EXTENDS)
        return own or self._of(self.included, service, "image", MOST_EXTENDS)

    def is_built(self, service: str) -> bool:
        """Whether compose builds it."""
        return any(_value(self._service(path, service), "build") is not None for path in self.every)

    def depends_on(self, service: str) -> tuple[str, ...]:
        """The services it is to be started after, by all of the files; Unclear."""
        nodes = (_value(self._service(path, service), "depends_on") for path in self.every)
        return tuple(dict.fromkeys(name for node in nodes for name in _names(node)))

    def uses(self, place: Place) -> int:
        """How often the scalar stands in its file: 1, and once more for each alias."""
        return sum(1 for node in _leaves(self._file(place.path)[1]) if node.start_mark.index == place.start)

    def version(self) -> str:
        """What the first file says as its ``version``; empty where it says none."""
        node = _value(self._file(self.paths[0])[1], "version")
        return str(node.value) if isinstance(node, yaml.ScalarNode) else ""

    def _of(self, paths: tuple[str, ...], service: str, key: str, depth: int) -> Place | None:
        if not depth:
            raise Unclear("`extends` goes round in a circle")
        for path in reversed(paths):
            node = self._service(path, service)
            found = _value(node, key)
            if found is not None:
                return _place(path, found)
            if base := self._extended(path, node, key, depth):
                return base
        return None

    def _extended(self, path: str, node: yaml.Node | None, key: str, depth: int) -> Place | None:
        extends = _value(node, "extends")
        if isinstance(extends, yaml.ScalarNode):
            return self._of((path,), str(extends.value), key, depth - 1)
        name, file = _value(extends, "service"), _value(extends, "file")
        if not isinstance(name, yaml.ScalarNode):
            return None
        other = normpath(join(dirname(path), str(file.value))) if isinstance(file, yaml.ScalarNode) else path
        return self._of((other,), str(name.value), key, depth - 1)

    def _service(self, path: str, service: str) -> yaml.Node | None:
        return _value(self._services(path), service)

    def _services(self, path: str) -> yaml.Node:
        """In the oldest format the services are the file itself."""
        root = self._file(path)[1]
        return _value(root, "services") or (root if _value(root, "version") is None else yaml.MappingNode("", []))

    def _file(self, path: str) -> tuple[str, yaml.MappingNode]:
        if path not in self._known:
            text = self._read(path)
            if text is None:
                raise Unclear(f"{path} is not here or is not text")
            self._known[path] = (text, _parsed(path, text))
        return self._known[path]


def _included(path: str, entry: yaml.Node) -> tuple[Included, ...]:
    """The files of one entry: a path, or a mapping with paths, a folder and files of variables."""
    folder = dirname(path)
    files = _texts(path, entry if isinstance(entry, yaml.ScalarNode) else _value(entry, "path"))
    here = [normpath(join(folder, file)) for file in files]
    chosen, given = _texts(path, _value(entry, "project_directory")), _texts(path, _value(entry, "env_file"))
    base = normpath(join(folder, chosen[0])) if chosen else dirname(here[0]) if here else folder
    variables = tuple(normpath(join(folder, file)) for file in given) or (join(base, ".env"),)
    return tuple(Included(file, variables) for file in here)


def _texts(path: str, node: yaml.Node | None) -> tuple[str, ...]:
    """The text at a node, or those of its list; Unclear where one is made with a variable or lies elsewhere."""
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node] if node is not None else []
    texts = tuple(str(each.value) for each in nodes)
    if odd := next((text for text in texts if "$" in text or "://" in text or text.startswith("git@")), ""):
        raise Unclear(f"{path} includes {odd}, which cannot be read here")
    return texts


def _parsed(path: str, text: str) -> yaml.MappingNode:
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError:
        raise Unclear(f"{path} is not YAML") from None
    if not isinstance(node, yaml.MappingNode):
        raise Unclear(f"{path} is no compose file")
    return node


def _place(path: str, node: yaml.Node) -> Place:
    if not isinstance(node, yaml.ScalarNode):
        raise Unclear(f"the image in {path} is no text")
    return Place(path=path, start=node.start_mark.index, end=node.end_mark.index, value=str(node.value))


def _pairs(node: yaml.Node | None) -> tuple[tuple[yaml.Node, yaml.Node], ...]:
    return tuple(node.value) if isinstance(node, yaml.MappingNode) else ()


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """What stands at a key: its own value, else that of the first mapping merged in with ``<<``."""
    pairs = _pairs(node)
    own = next((value for name, value in pairs if name.value == key), None)
    if own is not None:
        return own
    merged = (each for name, value in pairs if name.value == "<<" for each in _merged(value))
    return next((found for each in merged if (found := _value(each, key)) is not None), None)


def _names(node: yaml.Node | None) -> tuple[str, ...]:
    """The items of a list, or the keys of a mapping."""
    if isinstance(node, yaml.SequenceNode):
        return tuple(str(each.value) for each in node.value)
    return tuple(str(key.value) for key, _ in _pairs(node))


def _merged(node: yaml.Node) -> tuple[yaml.Node, ...]:
    return tuple(node.value) if isinstance(node, yaml.SequenceNode) else (node,)


def _leaves(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Every scalar as often as something names it; a mapping that several name counts once."""
    open_nodes, seen = [node], set[int]()
    while open_nodes:
        each = open_nodes.pop()
        if isinstance(each, yaml.ScalarNode):
            yield each
        elif id(each) not in seen:
            seen.add(id(each))
            open_nodes += [one for pair in _pairs(each) for one in pair] or (
                list(each.value) if isinstance(each, yaml.SequenceNode) else []
            )
