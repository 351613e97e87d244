"""Contents of volumes in memory, and what is said of them: sizes, and what became of them; it keeps none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from runner.vault.port import Changed, FileChange, Measured, Source

Contents = dict[str, str]
"""Relative path → token."""


def below(contents: Mapping[str, str], prefix: str) -> Contents:
    """Yield the part of a tree below a folder, by relative path."""
    return {path.removeprefix(prefix): token for path, token in contents.items() if path.startswith(prefix)}


def different(here: Contents, wanted: Contents) -> Contents:
    """Yield the paths at which two trees differ, without their tokens."""
    return {path: "" for path in (*here, *wanted) if here.get(path) != wanted.get(path)}


def put_right(here: Contents, wanted: Contents, paths: Iterable[str]) -> None:
    """Make one tree as another at these paths."""
    for path in paths:
        if path in wanted:
            here[path] = wanted[path]
        else:
            del here[path]


def digest_of(trees: Mapping[str, Contents]) -> str:
    """Yield a digest over trees by key."""
    return hashlib.sha256(json.dumps(trees, sort_keys=True).encode()).hexdigest()


def changed(source: Source, before: Contents, after: Contents) -> Changed:
    """Yield what became of one source."""
    paths = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    kinds = {path: "changed" if path in before and path in after else "added" if path in after else "deleted"
             for path in paths}  # fmt: skip
    files = tuple(
        FileChange.model_validate({"kind": kinds[path], "path": path, "before_bytes": len(before.get(path, "")),
                                   "after_bytes": len(after.get(path, ""))})
        for path in paths
    )  # fmt: skip
    of_kind = {kind: [each for each in files if each.kind == kind] for kind in ("added", "changed", "deleted")}
    return Changed(
        key=source.key,
        added=len(of_kind["added"]),
        changed=len(of_kind["changed"]),
        deleted=len(of_kind["deleted"]),
        added_bytes=sum(each.after_bytes for each in of_kind["added"]),
        changed_bytes=sum(each.after_bytes for each in of_kind["changed"]),
        deleted_bytes=sum(each.before_bytes for each in of_kind["deleted"]),
        size_bytes=sum(map(len, after.values())),
        biggest=files,
    )


def measured(source: Source, contents: Contents) -> Measured:
    """Yield the size of one source."""
    size = sum(map(len, contents.values()))
    return Measured(key=source.key, size_bytes=size, entries=len(contents), new_bytes=size, new_entries=len(contents))
