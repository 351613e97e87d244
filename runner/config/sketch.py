"""A refloat.yaml to start from: what runs on the engine, with comments; it writes no file."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from runner.inventory import Entry

HEAD = """\
# refloat.yaml: what is decided once about each target; docs/config.md explains every key.
# The command line wins over a target, a target over the defaults.

defaults:
  keep: 3                      # how many snapshots a commit leaves
  # vault: refloat-vault       # where they are kept: a volume, or a path on the engine's host
  # hold: true                 # leave every verdict open until `refloat commit` or `refloat rollback`
  # require_rehearsal: 7d      # `apply` only what passed `refloat rehearse` within this time

targets:
"""
NONE = """\
  # example:
  #   container: example
  #   goal: ">=2.45,<3"        # a version, newest, 2.x, or bounds
"""


STACKS = """
# stacks:                      # targets that go together: one verdict, one way back; docs/stacks.md
"""
NO_STACK = """\
#   example:
#     members: {db: same, web: 2.x}
"""


def sketch_of(entries: Iterable[Entry]) -> str:
    """The text of a configuration that names every target there is; it already reads without mistakes.

    Whether what compose made as one is to be upgraded as one deserves a decision: that part is a comment.
    """
    named = _named(entries)
    found = "".join(_target(entry, name) for name, entry in named.items())
    head = HEAD.replace("targets:\n", "targets:\n" if found else "# targets:\n")
    stacks = "".join(_stack(project, names, named) for project, names in _projects(named).items())
    return head + (found or NONE) + STACKS + (stacks or NO_STACK)


def _projects(named: dict[str, Entry]) -> dict[str, tuple[str, ...]]:
    """The compose projects of several targets, with the names of those here."""
    every = dict.fromkeys(entry.service.partition("/")[0] for entry in named.values() if entry.service)
    members = {project: tuple(name for name, entry in named.items() if entry.service.startswith(f"{project}/"))
               for project in every}  # fmt: skip
    return {project: names for project, names in members.items() if len(names) > 1}


def _stack(project: str, names: tuple[str, ...], named: dict[str, Entry]) -> str:
    """A project as a stack; a stack and a target cannot have one name."""
    name = f"{project}-stack" if project in named else project
    members = "".join(f"#       {_text(each)}:\n" for each in names)
    lines = (f"#   {_text(name)}:", "#     members:             # each where its target says; or a version, or `same`")
    return "\n".join(lines) + "\n" + members


def _named(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Each under a short name: the service's where no other has it."""
    named: dict[str, Entry] = {}
    for entry in entries:
        short = entry.service.partition("/")[2] or entry.name
        named[entry.name if short in named else short] = entry
    return named


def _target(entry: Entry, name: str) -> str:
    product = f"{entry.product or 'a product no recipe knows'} {entry.version or ''}".strip()
    lines = [f"  {_text(name)}:", f"    # {product}, {entry.image}; {_data(entry)}"]
    if entry.why_not:
        lines.append(f"    # cannot be upgraded as it stands: {' '.join(entry.why_not.split())}")
    if entry.service:
        lines.append(f"    service: {_text(entry.service)}")
    elif entry.name != name:
        lines.append(f"    container: {_text(entry.name)}")
    lines.append(f"    goal: {_text(_goal(entry))}")
    lines.append("    # probes: [http:8080/health]")
    return "\n".join(lines) + "\n"


def _goal(entry: Entry) -> str:
    """Stay within the major that runs: what goes beyond deserves a decision."""
    major = entry.version.removeprefix("v").partition(".")[0]
    return f"{major}.x" if entry.recipe and major.isdigit() else entry.version or "latest"


def _data(entry: Entry) -> str:
    return f"data: {', '.join(entry.data)}" if entry.data else "no data"


def _text(value: str) -> str:
    """A YAML scalar on one line, quoted where it must be."""
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip()
