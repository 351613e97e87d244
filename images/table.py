"""What images/table.txt asks for, and each image's content key and build context; never talks to an engine."""

import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SHARED = HERE / "base"  # goes into every build context


@dataclass(frozen=True)
class Wanted:
    """One image: where it is built from and what it is called."""

    repository: str
    tag: str
    suite: str
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        """The whole reference, as docker takes it."""
        return f"{self.repository}:{self.tag}"

    @property
    def end(self) -> str:
        """The last word of the repository."""
        return self.repository.rpartition("/")[2]

    @property
    def folder(self) -> Path:
        """Where the Dockerfile is; images that share one have their first word in common, or say FOLDER=NAME."""
        stated = next((one.partition("=")[2] for one in self.arguments if one.startswith("FOLDER=")), "")
        if stated:
            return HERE / stated
        return HERE / self.end if (HERE / self.end).is_dir() else HERE / self.end.partition("-")[0]


def read_table(text: str) -> tuple[Wanted, ...]:
    """Every image the table names, in its order."""
    lines = (line.split("#")[0].split() for line in text.splitlines())
    return tuple(wanted for words in lines if words for wanted in _read_line(words))


def _read_line(words: list[str]) -> list[Wanted]:
    repository, *rest = words
    if not rest or any("=" not in word for word in rest):
        raise ValueError(f"images/table.txt: a line is REPOSITORY SUITE=TAG,… and NAME=value, not: {' '.join(words)}")
    arguments = tuple(word for word in rest if word[0].isupper())
    suites = [word.split("=") for word in rest if not word[0].isupper()]
    return [Wanted(repository, tag, suite, arguments) for suite, tags in suites for tag in tags.split(",")]


def content_key(wanted: Wanted, base_key: str) -> str:
    """What the image's label must say for it to be up to date."""
    digest = hashlib.sha256(repr((wanted, base_key)).encode())
    for name, path in context_files(wanted):
        digest.update(repr((name, path.stat().st_mode & 0o111, path.read_bytes())).encode())
    return digest.hexdigest()[:32]


def context_files(wanted: Wanted) -> list[tuple[str, Path]]:
    """Name in the build context and file, in a fixed order."""
    return sorted(
        (str(path.relative_to(folder)), path)
        for folder in (SHARED, wanted.folder)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


def context_tar(wanted: Wanted) -> bytes:
    """The build context; the same files give the same bytes, so the builder's own cache holds."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, path in context_files(wanted):
            entry = tarfile.TarInfo(name)
            entry.size = path.stat().st_size
            entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            tar.addfile(entry, io.BytesIO(path.read_bytes()))
    return buffer.getvalue()
