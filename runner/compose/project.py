"""What compose's labels tell of a container: its project, its files, what to do about them; it does no I/O."""

from __future__ import annotations

from collections.abc import Callable
from posixpath import basename, dirname, isabs, join, normpath

from runner.facts import Container, Fact
from runner.steps.nouns import FileEdit

PREFIX = "com.docker.compose."
PROJECT, SERVICE = f"{PREFIX}project", f"{PREFIX}service"
CONFIG_FILES, WORKING_DIR = f"{PREFIX}project.config_files", f"{PREFIX}project.working_dir"
ENVIRONMENT_FILE = f"{PREFIX}project.environment_file"
DEPENDS_ON = f"{PREFIX}depends_on"
CONFIG_HASH, VERSION = f"{PREFIX}config-hash", f"{PREFIX}version"


class Project(Fact):
    """Where a container's definition is, as its labels say."""

    name: str
    service: str
    folder: str
    files: tuple[str, ...]
    """As the labels have them: absolute, or counted from a folder that is not recorded."""
    variables: str
    """The file of variables: the one named, else ``.env``."""
    config_hash: str
    version: str


class Definition(Fact):
    """What is to be done about the files that define a target."""

    service: str
    """``project/service``."""
    edit: FileEdit | None = None
    why_not: str = ""
    """Why nothing is to be edited; empty where something is."""
    config_hash: str = ""
    """What compose itself makes of the service with the new image; empty where nobody could ask it."""


def project_of(container: Container) -> Project | None:
    """The project of a container that compose made."""
    labels = container.labels
    if not labels.get(PROJECT) or not labels.get(SERVICE) or labels.get(f"{PREFIX}oneoff", "").lower() == "true":
        return None
    folder = labels.get(WORKING_DIR, "")
    return Project(
        name=labels[PROJECT],
        service=labels[SERVICE],
        folder=folder,
        files=tuple(part.strip() for part in labels.get(CONFIG_FILES, "").split(",") if part.strip()),
        variables=normpath(join(folder, labels.get(ENVIRONMENT_FILE, "").split(",")[0] or ".env")),
        config_hash=labels.get(CONFIG_HASH, ""),
        version=labels.get(VERSION, ""),
    )


def paths_of(project: Project, exists: Callable[[str], bool]) -> tuple[str, ...]:
    """The project's files; empty where they are not all here.

    Compose v1 notes relative paths but not what they are relative to: the project's folder or one above it.
    """
    if not project.files or not isabs(project.folder):
        return ()
    folder = project.folder
    while True:
        paths = tuple(normpath(join(folder, file)) for file in project.files)
        if all(exists(path) for path in paths):
            return paths
        if folder == dirname(folder):
            return ()
        folder = dirname(folder)


def siblings(project: Project, others: tuple[Container, ...]) -> tuple[str, ...]:
    """Other containers of the same service, by name: one file says the image of them all."""
    return tuple(
        other.name
        for other in others
        if other.labels.get(PROJECT) == project.name
        and other.labels.get(SERVICE) == project.service
        and "-refloat-" not in other.name
    )


def override_text(service: str, image: str, version: str) -> str:
    """A compose file that gives one service another image; the version is the other files' (v1 wants them equal)."""
    head = f"version: '{version}'\n" if version else ""
    return f"{head}services:\n  '{service}':\n    image: '{image}'\n"


def spoken(paths: tuple[str, ...]) -> str:
    """Files as people call them."""
    return ", ".join(basename(path) for path in paths)
