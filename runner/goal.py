"""Where an upgrade is to go: the user's words, the image they mean, whether it is pulled; it pulls nothing itself."""

from __future__ import annotations

from typing import Literal

from runner.errors import UsageError
from runner.facts import Container, Fact, Image
from runner.plan import HELD
from runner.recipes.tags import MOVING
from runner.way import repository

Pull = Literal["missing", "always", "never"]


class Goal(Fact):
    """``to`` is a version (the tag of the target's own repository), ``image`` a whole reference; one of them."""

    to: str = ""
    image: str = ""
    pull: Pull | None = None
    """None: ``missing``, but ``always`` for a tag that moves."""


def image_ref(goal: Goal, target: Container, old_image: Image) -> str:
    """The reference that is meant; UsageError where there is none or two."""
    if bool(goal.to) == bool(goal.image):
        raise UsageError("no-goal", "Say where to go: --to VERSION or --image REF, one of them.")
    if goal.image:
        return goal.image if _tagged(goal.image) else f"{goal.image}:latest"
    return f"{home_of(target, old_image)}:{goal.to}"


def _tagged(ref: str) -> bool:
    return repository(ref) != ref


def home_of(target: Container, old_image: Image) -> str:
    """The repository that a target's versions are tags of; UsageError ``no-repository`` where nobody knows it."""
    ref = target.image_ref
    if ref and not ref.startswith("sha256:") and not old_image.id.removeprefix("sha256:").startswith(ref):
        return repository(ref)
    if tags := [tag for tag in old_image.tags if not tag.startswith(HELD)]:
        return repository(tags[0])
    what = f"{target.name} was created from an image id, so its repository is not known."
    raise UsageError("no-repository", what, then="Name the whole image: --image REPOSITORY:TAG")


def pull_policy(goal: Goal, ref: str) -> Pull:
    """What the user said, else what suits the tag."""
    return goal.pull or ("always" if moves(ref) else "missing")


def moves(ref: str) -> bool:
    """Whether a tag is known to move; a digest never does."""
    if "@" in ref:
        return False
    tag = ref[len(repository(ref)) + 1 :]
    return any(tag == word or tag.endswith(f"-{word}") for word in MOVING)
