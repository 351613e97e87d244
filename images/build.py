"""Builds what images/table.txt asks for and the engine lacks; never deletes an image.

    python3 -m images.build [NAME…]

A NAME is a repository, the end of one, or a whole reference: `tools`, `prometheus`, `refloat-lab/redis:7.0.15`.
Without DOCKER_HOST it builds on the private engine of images/engine. Nothing but the standard library is needed.
"""

import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from images.docker import LABEL, BuildFailed, docker_build
from images.suites import base_key, base_name, cache_folder, lists_name, make_base, make_lists
from images.table import HERE, Wanted, content_key, context_tar, read_table

AT_ONCE = 2
T = TypeVar("T")


def main(names: list[str]) -> int:
    """Build, and say what failed."""
    os.environ.setdefault("DOCKER_HOST", _private_engine())
    wanted = select(read_table((HERE / "table.txt").read_text()), names)
    try:
        if missing(wanted):
            with _only_one_build():
                _build_missing(wanted)
    except BuildFailed as failure:
        print(f"images: {failure}", file=sys.stderr)
        return 1
    print(f"images: {len(wanted)} up to date")
    return 0


def _private_engine() -> str:
    if host := os.environ.get("DOCKER_HOST"):
        return host
    started = subprocess.run([HERE / "engine" / "engine.sh", "start"], stdout=-1, check=False, text=True)
    if started.returncode != 0:
        raise SystemExit(started.returncode)
    return started.stdout.strip()


def select(table: tuple[Wanted, ...], names: list[str]) -> tuple[Wanted, ...]:
    """The rows the names mean; all of them without a name."""
    meant = set(names)
    chosen = tuple(row for row in table if not names or meant & {row.repository, row.end, row.folder.name, row.name})
    if not chosen:
        raise SystemExit(f"images: nothing in images/table.txt is called {' or '.join(names)}")
    return chosen


def missing(wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """Those the engine has not, or has with another content."""
    keys = {row.name: content_key(row, base_key(row.suite)) for row in wanted}
    present = content_labels(keys)
    return tuple(row for row in wanted if present.get(row.name) != keys[row.name])


def content_labels(names: Iterable[str]) -> dict[str, str]:
    """Name → content key, of those images the engine has; one call for all."""
    inspect = ["docker", "image", "inspect", "--format", "{{json .RepoTags}}|{{json .Config.Labels}}", *names]
    found = subprocess.run(inspect, capture_output=True, text=True, check=False).stdout
    pairs = (line.partition("|") for line in found.splitlines() if line)
    return {name: (json.loads(labels) or {}).get(LABEL, "") for tags, _, labels in pairs for name in json.loads(tags)}


@contextmanager
def _only_one_build() -> Iterator[None]:
    with (cache_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_missing(wanted: tuple[Wanted, ...]) -> None:
    rows = missing(wanted)  # once more: who held the lock before us may have built them
    suites = list(dict.fromkeys(row.suite for row in rows))
    _in_parallel(make_base, _unmade(suites, base_name), str)
    _in_parallel(make_lists, _unmade(suites, lists_name), lambda suite: f"{suite}'s lists")
    _in_parallel(_build_in_turn, sharing(rows), lambda alike: " ".join(row.name for row in alike))


def _unmade(suites: list[str], name: Callable[[str], str]) -> list[str]:
    present = content_labels(name(suite) for suite in suites)
    return [suite for suite in suites if present.get(name(suite)) != base_key(suite)]


def sharing(rows: tuple[Wanted, ...]) -> list[tuple[Wanted, ...]]:
    """The rows by Dockerfile and suite: what is alike in them is built once if they are built in turn."""
    folders = [(row.folder, row.suite) for row in rows]
    return [tuple(row for row in rows if (row.folder, row.suite) == each) for each in dict.fromkeys(folders)]


def _build_in_turn(rows: tuple[Wanted, ...]) -> None:
    for row in rows:
        build(row)


def _in_parallel(action: Callable[[T], None], items: list[T], title: Callable[[T], str]) -> None:
    def told(item: T) -> None:
        print(f"images: making {title(item)}", flush=True)
        action(item)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = [job.exception() for job in [pool.submit(told, item) for item in items]]
    failed = [failure for failure in failures if failure]
    for failure in failed:
        if not isinstance(failure, BuildFailed):
            raise failure
    if failed:
        raise BuildFailed("\n".join(map(str, failed)))


def build(row: Wanted) -> None:
    """One image; its label says what it was made of."""
    # What users get carries no lists of packages; in what the lab alone uses they lie in a layer all share.
    base = base_name(row.suite) if row.repository.startswith("refloat/") else lists_name(row.suite)
    labels = [f"{LABEL}={content_key(row, base_key(row.suite))}", f"org.opencontainers.image.version={row.tag}"]

    def with_version(version: str) -> None:
        arguments = [f"BASE={base}", f"VERSION={version}", *row.arguments, *_proxies()]
        options = [f"--build-arg={argument}" for argument in arguments] + [f"--label={label}" for label in labels]
        docker_build(*options, f"--tag={row.name}", context=context_tar(row))

    try:
        with_version(row.tag)
    except BuildFailed as failure:
        present = point_release_instead(row.tag, str(failure))
        if not present:
            raise
        print(f"images: {row.suite} has no {row.name} any more: made of {present}, change images/table.txt", flush=True)
        with_version(present)


def point_release_instead(tag: str, failure: str) -> str:
    """What the suite has now, where only the last number differs and the build failed for nothing else; else empty.

    A mirror that has moved by a point release then fails the tests that look at the number, not every test there is.
    """
    said = re.search(r"this suite has \S+ (\d+(?:\.\d+)+)\S* now, not (\S+): change", failure)
    if not said or tag.count(".") < 2 or tag != said[2]:
        return ""
    return said[1] if said[1].split(".")[:-1] == tag.split(".")[:-1] else ""


def _proxies() -> list[str]:
    return [f"{name}={os.environ[name]}" for name in ("http_proxy", "https_proxy", "no_proxy") if name in os.environ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
