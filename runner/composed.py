"""Reads the compose files a target is defined in and asks compose for its hash; it writes nothing of the user's."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from runner.compose.edit import Change, find_edit
from runner.compose.places import Files, Unclear
from runner.compose.project import (
    DEPENDS_ON,
    PROJECT,
    SERVICE,
    Definition,
    Project,
    override_text,
    paths_of,
    project_of,
    siblings,
)
from runner.facts import Container, Image
from runner.steps.nouns import FileEdit
from runner.way import repository

TOOLS = (("docker", "compose"), ("docker-compose",))
PATIENCE_S = 30.0
"""How long compose may take to say a hash."""
ALL_PROFILES = {"COMPOSE_PROFILES": "*"}
"""Compose v2 answers for no service whose profile is not chosen."""


def read_definition(target: Container, others: tuple[Container, ...], new_image: Image, new_ref: str,
                    edits: tuple[FileEdit, ...] = (), along: Mapping[str, str] = MappingProxyType({}),
                    ) -> Definition | None:  # fmt: skip
    """What a change of image means for the files of a target; None where compose did not make it.

    ``edits`` are made before, in the same run: what they leave is what is read. ``along`` are the containers, by name,
    that change in that run, and their new images.
    """

    def read(path: str) -> str | None:
        text = _text(path)
        for edit in edits:
            text = edit.apply(text.encode()).decode() if text is not None and edit.path == path else text
        return text

    project = project_of(target)
    if project is None:
        return None
    paths = paths_of(project, lambda path: Path(path).is_file())
    change = Change(service=project.service, running=target.image_ref, new=new_ref, digest=_digest(new_image, new_ref),
                    along=_services_along(project, others, along))  # fmt: skip
    plain = Definition(service=f"{project.name}/{project.service}")
    try:
        _refuse_unreadable(project, paths)
        _refuse_siblings(project, others)
        edit = find_edit(paths, project.variables, read, change)
    except Unclear as why:
        return plain.model_copy(update={"why_not": str(why)})
    return plain.model_copy(update={"edit": edit, "config_hash": _new_hash(project, paths, new_ref)})


def written_needs(members: tuple[Container, ...]) -> frozenset[tuple[str, str]]:
    """Who is to be started after whom, by id, as the files say of containers on which compose (v1) did not note it."""
    return frozenset(
        (each.id, other.id)
        for each in members
        if (project := project_of(each)) and DEPENDS_ON not in each.labels
        for name in _written_services(project)
        for other in members
        if (theirs := project_of(other)) and (theirs.name, theirs.service) == (project.name, name)
    )


def _written_services(project: Project) -> tuple[str, ...]:
    """What a service depends on; nothing where the files are not here, or not plain to read."""
    paths = paths_of(project, lambda path: Path(path).is_file())
    try:
        return Files(paths, _text).depends_on(project.service)
    except Unclear:
        return ()


def _services_along(project: Project, others: tuple[Container, ...],
                    along: Mapping[str, str]) -> tuple[tuple[str, str], ...]:  # fmt: skip
    mine = (each for each in others if each.name in along and each.labels.get(PROJECT) == project.name)
    return tuple((each.labels.get(SERVICE, ""), along[each.name]) for each in mine)


def _refuse_unreadable(project: Project, paths: tuple[str, ...]) -> None:
    if not paths:
        named = ", ".join(project.files) or "compose file"
        raise Unclear(f"{named} (in {project.folder or 'an unknown folder'}) is not on this machine")


def _refuse_siblings(project: Project, others: tuple[Container, ...]) -> None:
    if more := siblings(project, others):
        raise Unclear(f"the same service has more containers: {', '.join(more)}")


def _text(path: str) -> str | None:
    """The text exactly as it is: no line end is translated."""
    try:
        return Path(path).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _digest(image: Image, ref: str) -> str:
    home = repository(ref)
    return next((each.partition("@")[2] for each in image.digests if each.partition("@")[0] == home), "")


def _new_hash(project: Project, paths: tuple[str, ...], new_ref: str) -> str:
    """The hash with the new image, by the compose that made the container: its hash of the files as they are is ours.

    Where no compose here comes to that, the files say something else than what runs, or nobody can be asked.
    """
    try:
        version = Files(paths, _text).version()
    except Unclear:
        return ""
    for tool in TOOLS:
        if project.config_hash and _ask(tool, project, paths) == project.config_hash:
            with tempfile.TemporaryDirectory(prefix="refloat-") as folder:
                override = Path(folder, "override.yml")
                override.write_text(override_text(project.service, new_ref, version), encoding="utf-8")
                return _ask(tool, project, (*paths, str(override)))
    return ""


def _ask(tool: tuple[str, ...], project: Project, paths: tuple[str, ...]) -> str:
    files = [word for path in paths for word in ("-f", path)]
    variables = ["--env-file", project.variables] if Path(project.variables).is_file() else []
    line = [*tool, "--project-directory", project.folder, "-p", project.name, *variables, *files]
    try:
        said = subprocess.run([*line, "config", "--hash", project.service], cwd=project.folder, capture_output=True,
                              env={**os.environ, **ALL_PROFILES}, stdin=subprocess.DEVNULL, text=True,
                              timeout=PATIENCE_S, check=False)  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    words = said.stdout.split()
    return words[1] if said.returncode == 0 and len(words) == 2 and words[0] == project.service else ""
