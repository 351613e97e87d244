"""A rehearsal as data: its names, the steps it must have, its result and whom that convinces; it touches nothing."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from runner.engine.pulling import repository_of
from runner.errors import Exit
from runner.evidence import Finding
from runner.facts import Fact, Usage
from runner.labels import REHEARSAL, RUN, member_run, run_of
from runner.plan import Estimate, Expectation, Plan
from runner.recipes.loader import recipe_for_image
from runner.retention import span_words
from runner.steps import AnyForward
from runner.vault.port import Changed, Room, Source, VaultPlace

STAND_IN = "stand-in"
"""The role of the old version's copy."""
TWIN = "twin"
"""The role of another copy of the old version, which shows beside the new one that it comes up on the snapshot."""
CLONE = "clone"
NOT_PLAYED = ("set-restart-policy", "edit-file", "keep-quiet", "end-quiet")


class Belongings(Fact):
    """What of the target's its copy gets one of its own of."""

    sources: tuple[Source, ...]
    """Its data: cloned."""
    files: tuple[str, ...] = ()
    """The keys of those that are one file each."""
    shown: tuple[Source, ...] = ()
    """What it only reads, configuration mostly: copied as it is now."""


class Scene(Belongings):
    """Every name of one rehearsal, saved before anything is made, so that whoever comes later can clear it away."""

    run: str
    target: str
    target_id: str
    engine_id: str
    place: VaultPlace
    room: Room
    """The snapshot that is played on."""
    borrowed: bool
    """Whether the snapshot was there before: then it stays, and the target is not touched at all."""
    clones: dict[str, str]
    """Key of a source → the volume that stands for it."""
    copies: dict[str, str] = {}
    """The same of what is shown."""
    within: str = ""
    """The run of the scene whose snapshot is shared, where several versions are rehearsed side by side."""
    hops: int = 1
    """How many plans are played, one after another."""
    members: tuple[Scene, ...] = ()
    """Of a stack: what is made for each member; the scene of the whole has no data of its own."""
    part: int = 0
    """Of a member: its number in the stack, counted from 1; ``within`` is the run of the whole."""
    networks: dict[str, str] = {}
    """Of a stack: network that members share → the one that stands for it."""

    @property
    def everyone(self) -> tuple[Scene, ...]:
        """It and its members."""
        return (self, *self.members)

    @property
    def stand_in(self) -> str:
        """The old version's copy; of a stack what its copies are called together."""
        return f"{self.target}-rehearsal-{run_of(self.run)[-6:]}"

    @property
    def network(self) -> str:
        """The network nobody else is on."""
        return f"refloat-rehearsal-{self.run}"

    @property
    def twin(self) -> str:
        """Another copy of the old version, on clones of the snapshot that the way back leads to."""
        return f"{self.stand_in}-twin"

    @property
    def twin_network(self) -> str:
        """The twin answers to the same names as the copy: it has a network of its own."""
        return f"{self.network}-twin"

    @property
    def twin_clones(self) -> dict[str, str]:
        """Key of a source → the volume that stands for it there."""
        return {key: f"{name}-twin" for key, name in self.clones.items()}

    @property
    def play(self) -> str:
        """The run of the plan that is carried out on the copies."""
        return member_run(f"{self.within}-play", self.part) if self.part else f"{self.run}-play"

    @property
    def plays(self) -> tuple[str, ...]:
        """That run, and where there are several hops those of the others and of the way back to the start."""
        if self.hops == 1:
            return (self.play,)
        return (self.play, *(f"{self.play}-{number}" for number in range(2, self.hops + 1)), f"{self.play}-back")

    @property
    def play_rooms(self) -> tuple[Room, ...]:
        """Where those runs keep their snapshots."""
        if self.members:
            return ()
        return tuple(Room(place=self.place, target=self.stand_in, run=run) for run in self.plays)

    @property
    def labels(self) -> dict[str, str]:
        """What all things of a rehearsal carry."""
        return {RUN: self.run, REHEARSAL: self.within if self.part else self.run}


class Altered(Changed):
    """What the new version did to one piece of the data: files added, changed and deleted."""

    source: str
    """How people call it: ``volume prom-data``, or a path."""
    destination: str


class Rehearsed(Fact):
    """What came of a rehearsal; all times in seconds."""

    run: str
    target: str
    at: str
    old: str
    new: str
    new_ref: str
    expectations: tuple[Expectation, ...]
    """What the plan relied on: images, container, mounts, networks, settings."""
    passed: bool = False
    code: str = ""
    why: str = ""
    log: tuple[str, ...] = ()
    rolled_back: bool | None = None
    """Whether the way back was rehearsed as well, and led back; None where it was left out."""
    beside: bool = False
    """Whether the old version was seen healthy on a clone of the snapshot beside the new one, instead of after it."""
    clones: str = ""
    """How the clones were made; empty where there is no data."""
    paused_s: float | None = None
    """How long the target stood still for the snapshot; None where it was not touched."""
    settle_s: float | None = None
    ready_s: float | None = None
    """From the new version's start until it was healthy."""
    migration_s: float | None = None
    """How much longer than the old version that took: migrating, and all else a first start costs."""
    downtime_s: float | None = None
    """As it was on the copy."""
    expected: Estimate | None = None
    """The downtime to expect of the target, with its reasons."""
    changes: tuple[Altered, ...] = ()
    """One for each piece of the data; from the moment the old version was stopped until the new one was accepted."""
    growth_bytes: int | None = None
    """How much more of the disk the data takes now; None where there is none."""
    used_before: Usage | None = None
    """What the old version used on the copy until it was stopped."""
    used: Usage | None = None
    """What the new version used until it was accepted."""
    image_differences: tuple[str, ...] = ()
    """Where the new image declares something else than the old one."""
    total_s: float = 0
    drift: tuple[str, ...] = ()
    """Where the copy of the old version answers otherwise than the target: what isolation, or the copying, cost."""
    evidence: tuple[Finding, ...] = ()
    unasked: tuple[str, ...] = ()
    """Probes and evidence that the old version did not answer on the copy, so that they say nothing of the new one."""
    configuration: tuple[str, ...] = ()
    """What the refresh of configuration did on the copy: a line a path; the diffs are in its report."""
    new_lines: tuple[str, ...] = ()
    """Lines that look like trouble and that the old version never said."""
    taken: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    """What keeps the copy from taking the breath of others."""
    hops: tuple[Rehearsed, ...] = ()
    """Where it is a path: what came of each hop, in order; those after one that failed were not played."""
    members: tuple[Rehearsed, ...] = ()
    """Where it is a stack: what was seen of each member, in the order in which they are started."""
    typed: str = ""
    """Of a stack: what was typed besides its name to say where it shall go."""

    @property
    def again(self) -> str:
        """What to type after a verb for the same change."""
        return f"{self.target} {self.typed}".rstrip() if self.members else f"{self.target} --image {self.new_ref}"

    @property
    def exit_status(self) -> Exit:
        """What the command line returns."""
        return Exit.DONE if self.passed else Exit.REHEARSAL_FAILED


def scene_from(plan: Plan, things: Belongings, snapshot: Room | None, hops: int = 1) -> Scene:
    """The names of the rehearsal of a plan."""
    run = plan.run
    return Scene(
        run=run,
        target=plan.target,
        target_id=plan.lead.container_id,
        engine_id=plan.engine_id,
        place=plan.place,
        room=snapshot or Room(place=plan.place, target=plan.target, run=run),
        borrowed=snapshot is not None,
        sources=things.sources,
        files=things.files,
        shown=things.shown,
        clones={source.key: f"refloat-clone-{run}-{source.key}" for source in things.sources},
        copies={source.key: f"refloat-clone-{run}-{source.key}" for source in things.shown},
        hops=hops,
    )


def shared_scene(plan: Plan, things: Belongings, snapshot: Room | None, run: str) -> Scene:
    """The scene that only holds the snapshot that several rehearsals play on."""
    scene = scene_from(plan.model_copy(update={"run": run}), things, snapshot)
    return scene.model_copy(update={"clones": {}, "copies": {}})


def guest_scene(plan: Plan, shared: Scene) -> Scene:
    """The scene of one of several rehearsals on one snapshot."""
    return scene_from(plan, shared, shared.room).model_copy(update={"within": shared.run})


def unplayed(plan: Plan, at: str) -> Rehearsed:
    """The result of a rehearsal that has not shown anything yet."""
    return Rehearsed(
        run=plan.run,
        target=plan.target,
        at=at,
        old=plan.old.spoken,
        new=plan.new.spoken,
        new_ref=plan.new.image_ref,
        expectations=relied_on(plan),
    )


def relied_on(plan: Plan) -> tuple[Expectation, ...]:
    """What a rehearsal of a plan relies on: what the plan does, and the recipes that say what healthy and whole is."""
    refs = (ref for member in plan.members for ref in (member.old.image_ref, member.new.image_ref))
    found = (recipe_for_image(repository_of(ref)) for ref in refs)
    recipes = {recipe.name: recipe.model_dump_json() for recipe in found if recipe}
    digests = {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in recipes.items()}
    return (*plan.expectations, *(Expectation(about=f"recipe {name}", was=each) for name, each in digests.items()))


def other_steps(planned: Plan, played: Plan) -> str:
    """Where the plan that is played is another one than the plan that is meant; empty where it is the same.

    The copy has no restart policy to be parked and set, no file of the user's is edited for it, and no hook of it is
    called on the host.
    """
    meant = [step.kind for step in planned.steps if step.kind not in NOT_PLAYED and not _is_for_the_host(step)]
    kinds = [step.kind for step in played.steps]
    if meant == kinds:
        return ""
    return f"meant: {', '.join(meant)}; played: {', '.join(kinds)}"


def _is_for_the_host(step: AnyForward) -> bool:
    return step.kind == "call-hook" and step.call.where == "host"


def convincing(results: tuple[Rehearsed, ...], plan: Plan, now: datetime, max_age: timedelta,
               further: tuple[Expectation, ...] = ()) -> str:  # fmt: skip
    """Why no rehearsal speaks for a plan; empty where the newest of this very change passed and is young enough."""
    expected = (*relied_on(plan), *further)
    same = [each for each in results if each.target == plan.target and each.expectations == expected]
    if not same:
        others = any(each.target == plan.target for each in results)
        return "another change of it was rehearsed, or it changed since" if others else "it was never rehearsed"
    newest = max(same, key=lambda each: each.at)
    if not newest.passed:
        return f"its last rehearsal failed ({newest.why.rstrip('.')})"
    if now - datetime.fromisoformat(newest.at) > max_age:
        return f"its last rehearsal is older than {span_words(int(max_age.total_seconds()))}"
    return ""
