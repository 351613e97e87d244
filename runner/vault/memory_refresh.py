"""A refresh in memory: a file is one token, an image's defaults are what its program ships; no text is merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from runner.refresh.choices import Conflict
from runner.vault.configuration import ConfigPlace, OpenQuestion, PathTold, Refreshed, RefreshOrder, joined
from runner.vault.memory_contents import Contents, below
from runner.vault.port import VaultError

Ships = Mapping[str, Mapping[str, str]]
"""Image → absolute path → token."""


def refresh_trees(order: RefreshOrder, trees: Mapping[str, Contents],
                  ships: Ships) -> tuple[dict[str, Contents], Refreshed]:  # fmt: skip
    """What each source's contents come to, by key, and that in words; the trees given stay as they are."""
    results = {key: dict(tree) for key, tree in trees.items()}
    told = tuple(_refresh_place(place, order, results[place.key], ships) for place in order.places)
    return results, joined(told)


def contents_of(place: ConfigPlace, trees: Mapping[str, Contents]) -> Contents:
    """What a place holds."""
    return below(trees[place.key], f"{place.inside}/" if place.inside else "")


def outcomes_of(order: RefreshOrder, trees: Mapping[str, Contents]) -> dict[str, str]:
    """A digest of what each place holds."""
    return {place.path: repr(sorted(contents_of(place, trees).items())) for place in order.places}


def _refresh_place(place: ConfigPlace, order: RefreshOrder, tree: Contents, ships: Ships) -> Refreshed:
    """Change the tree."""
    old, new = (below(ships[image], f"{place.defaults or place.path}/") for image in (order.old_image, order.new_image))
    if not old or not new:
        return Refreshed()
    top = f"{place.inside}/" if place.inside else ""
    user, answers = below(tree, top), {answer.path: answer.choice for answer in order.answers}
    statuses: dict[str, str] = {}
    for path in sorted({*old, *new}):
        answer = answers.get(f"{place.path}/{path}", order.conflict)
        became, status = _decided(old.get(path), user.get(path), new.get(path), answer)
        tree.pop(top + path, None)
        tree |= {} if became is None else {top + path: became}
        statuses |= {path: status} if status else {}
    changed = sum(user.get(path) != tree.get(top + path) for path in {*old, *new})
    return _told(place, statuses, changed)


def _told(place: ConfigPlace, statuses: Mapping[str, str], changed: int) -> Refreshed:
    opened = (path for path, status in statuses.items() if status == "Conflict")
    return Refreshed(
        places=(place.path,),
        paths=tuple(PathTold(path=f"{place.path}/{path}", lines=(f" * {status:<14} {path}",))
                    for path, status in statuses.items()),
        counts=dict(Counter(statuses.values())),
        changed=changed,
        open=tuple(OpenQuestion(path=f"{place.path}/{path}", question="replace", sentence="Both changed.",
                                choices=("keep", "replace"), fingerprint="") for path in opened),
    )  # fmt: skip


def _decided(old: str | None, user: str | None, new: str | None, answer: str) -> tuple[str | None, str]:
    """What a path comes to, and its status; ``answer`` is a choice or a policy."""
    if new in (old, user):
        return user, ""
    if user == old:
        return new, "Updated" if old and new else "Installed" if new else "Vanished"
    if user is None:
        return None, "Missing"
    if answer in ("replace", "remove", Conflict.INSTALL):
        return new, "Replaced"
    if answer == Conflict.ABORT:
        raise VaultError("refresh-conflict", "Both changed.")
    return user, "Conflict" if answer == Conflict.ASK else "Keeping"
