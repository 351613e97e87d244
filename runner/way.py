"""The way of an upgrade as steps: what is chosen, named and timed for each phase; it touches nothing."""

from __future__ import annotations

from runner.compose.project import Definition
from runner.facts import Fact, Image, Json
from runner.labels import SUCCESSOR
from runner.options import Options
from runner.plan import Side, held_tag
from runner.recipes.due import packages_between
from runner.recipes.loader import recipe_for_image
from runner.recipes.model import Recipe
from runner.recipes.tags import other_release, release_in_tag, stated_version
from runner.recipes.work import PackageList
from runner.spec import NO_RESTART, restarts
from runner.steps import AnyForward
from runner.steps.forward import (
    BringBackData,
    ColdCopy,
    CreateSuccessor,
    EnsureSoleUse,
    HoldImage,
    Rename,
    SetRestartPolicy,
    StartSuccessor,
    StopContainer,
    TakeEvidence,
    WarmCopy,
    WritePapers,
)  # fmt: skip
from runner.steps.nouns import Blueprint, Existing, HealthTerms, Ours, Phase, Reading
from runner.steps.pauses import PauseAgain, Thaw
from runner.steps.proof import AcceptVerdict, CompareEvidence, EditFile, ProveHealth
from runner.vault.port import Room, Source
from runner.way_configuration import checks_beforehand, packages_beforehand, prepare_refresh, refresh_steps
from runner.way_hooks import Hooks, keep_quiet, speak_again
from runner.world import Installed, World

DEFAULT_STOP_S = 10
"""What the engine itself waits where nobody set a timeout."""
NO_PROOF = HealthTerms(deadline_s=0)
UNASKED = Installed()


class Way(Fact):
    """What differs between an upgrade and a later rollback."""

    blueprint: Blueprint
    new: Side
    terms: HealthTerms
    readings: tuple[Reading, ...]
    policy: Json
    earlier: Room | None = None
    why_earlier: str = "the old version needs its own data"


def repository(ref: str) -> str:
    """The name of an image without its tag or digest; a registry's port is not a tag."""
    name = ref.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name


def side(image: Image, ref: str, installed: Installed = UNASKED) -> Side:
    """An image as a side of an upgrade; the version is where its recipe finds it, else its label's, else its tag."""
    name, home = ref.partition("@")[0], repository(ref)
    tag = name[len(home) + 1 :]
    recipe = recipe_for_image(home)
    version = (stated_version(recipe, home, tag, image) if recipe else "") or installed.program or image.version or tag
    digest = next((each for each in image.digests if repository(each) == home), "")
    data = other_release(recipe, home, version, installed.data, installed.data_parts) if recipe else ""
    return Side(image_ref=ref, image_id=image.id, version=version, digest=digest, data=data)


def old_side(world: World) -> Side:
    """What runs, as its image and the container itself say."""
    return side(world.old_image, world.target.image_ref, world.installed)


def recipe_of(world: World) -> Recipe | None:
    """The recipe of what runs."""
    return recipe_for_image(repository(world.target.image_ref))


def arriving_recipe(world: World) -> Recipe | None:
    """The recipe of what is to run: another product's where one follows another, as Valkey follows Redis."""
    return recipe_for_image(repository(world.new_ref)) or recipe_of(world)


def kept_name(name: str) -> str:
    """The name the old container is parked under."""
    return f"{name}-refloat-kept"


def staging_name(name: str) -> str:
    """The fixed name the new container is made under: the lock of a target."""
    return f"{name}-refloat-next"


def way_steps(world: World, options: Options, way: Way, back: Blueprint, run: str) -> tuple[AnyForward, ...]:
    """All steps of an upgrade or a later rollback, in order."""
    name = world.target.name
    room = Room(place=world.place, target=name, run=run)
    return (
        *_prepare(world, options, way, room),
        *_freeze(world, options, way, back, room),
        *_change(world, options, way, room),
        *_prove(way, run, name, hooks_of(world, options)),
        *_open(way, room, world.definition if options.edit else None),
        *speak_again(options.silence, Ours(run=run, role=SUCCESSOR, name=name), options.folder),
        *hooks_of(world, options).at("after-verdict", Ours(run=run, role=SUCCESSOR, name=name)),
        *((PauseAgain(cause="it was paused before", who=Ours(run=run, role=SUCCESSOR, name=name)),)
          if world.target.state.paused else ()),
    )  # fmt: skip


def hooks_of(world: World, options: Options) -> Hooks:
    """The hooks of the recipe, then the user's."""
    recipe = recipe_of(world)
    return Hooks((*(recipe.hooks if recipe else ()), *options.hooks), options.folder)


def _prepare(world: World, options: Options, way: Way, room: Room) -> tuple[AnyForward, ...]:
    name, old = world.target.name, Existing(id=world.target.id, name=world.target.name)
    staged = Ours(run=room.run, role=SUCCESSOR, name=staging_name(name))
    checked = way.earlier is None and not options.unchecked
    checking = recipe_of(world) if checked else None
    packages = packages_beforehand(world, _packages(world), old, staged) if checked else ()
    warm = WarmCopy(cause="the bulk of the data costs no downtime", room=room, sources=world.sources)
    return (
        WritePapers(cause="losing the runner does not matter then", room=room, sources=world.sources),
        CreateSuccessor(cause="errors in its settings show now, and its name locks the target", who=staged,
                        blueprint=way.blueprint),
        HoldImage(cause="no moved tag and no prune takes the way back", image_id=world.old_image.id,
                  image_ref=world.target.image_ref, tag=held_tag(room.run)),
        *(() if world.target.state.paused else (_evidence(old, way),)),
        *checks_beforehand(world, checking, staged),
        *packages,
        *((warm,) if world.sources else ()),
        *prepare_refresh(world, checking, old, staged, room),
    )  # fmt: skip


def _evidence(old: Existing, way: Way, phase: Phase = Phase.PREPARE) -> TakeEvidence:
    return TakeEvidence(phase=phase, cause="the new version is compared with it", who=old, readings=way.readings,
                        terms=way.terms)  # fmt: skip


def _woken(world: World, way: Way, old: Existing) -> tuple[AnyForward, ...]:
    """One that is paused is woken up right before it is stopped, and only then can be asked."""
    if not world.target.state.paused:
        return ()
    thaw = Thaw(cause="what is paused can neither be asked nor stopped cleanly", who=old)
    return thaw, _evidence(old, way, Phase.FREEZE)


def _packages(world: World) -> tuple[PackageList, ...]:
    """The package lists the recipe wants compared on this way; none where a version is not known."""
    recipe = recipe_of(world)
    if recipe is None or not recipe.packages:
        return ()
    sides = old_side(world), side(world.new_image, world.new_ref)
    leaving, into = (release_in_tag(recipe, repository(one.image_ref), one.version) for one in sides)
    return packages_between(recipe, leaving, into) if leaving and into else ()


def _freeze(world: World, options: Options, way: Way, back: Blueprint, room: Room) -> tuple[AnyForward, ...]:
    old = Existing(id=world.target.id, name=world.target.name)
    policy, hooks = _policy_of(world), hooks_of(world, options)
    quiet = keep_quiet(options.silence, old, options.folder, options.window)
    recipe = recipe_of(world)
    stop = StopContainer(
        cause="nobody may write while the snapshot is taken",
        who=old,
        run=room.run,
        timeout_s=stop_timeout_s(world, options, recipe),
        clean_required=bool(recipe and recipe.requires_clean_stop and way.earlier is None),
        terms=_old_terms(world, way),
        vanishes=back if world.target.host_config.get("AutoRemove") else None,
        started_hooks=hooks.back("after-start", old),
        back_hooks=hooks.back("after-rollback", old),
    )
    return (
        *((*quiet, *_woken(world, way, old), *hooks.at("before-stop", old), stop)
          if world.target.state.alive else ()),
        *((_parked(old, policy),) if restarts(policy) else ()),
        *_copy_cold(world, room),
    )  # fmt: skip


def _parked(old: Existing, policy: Json) -> SetRestartPolicy:
    why = "a daemon that restarts must not bring it back beside the new one"
    return SetRestartPolicy(phase=Phase.FREEZE, cause=why, who=old, policy=NO_RESTART, before=policy)


def _copy_cold(world: World, room: Room) -> tuple[AnyForward, ...]:
    if not world.sources:
        return ()
    taken: Json = {"container": world.target.id, "name": world.target.name, "image": world.target.image_id}
    return (
        EnsureSoleUse(phase=Phase.FREEZE, cause="a snapshot of data in use is worth nothing", sources=world.sources),
        ColdCopy(cause="the way back to exactly this data", room=room, sources=world.sources, taken_from=taken),
    )


def _policy_of(world: World) -> Json:
    policy = world.target.host_config.get("RestartPolicy")
    return policy if isinstance(policy, dict) else NO_RESTART


def stop_timeout_s(world: World, options: Options, recipe: Recipe | None) -> int:
    """The user's choice, the container's own, the recipe's, the engine's default: the first that is set."""
    own = world.target.config.get("StopTimeout")
    if options.stop_timeout_s is not None:
        return options.stop_timeout_s
    if isinstance(own, int):
        return own
    return max(recipe.stop_timeout_s or DEFAULT_STOP_S, DEFAULT_STOP_S) if recipe else DEFAULT_STOP_S


def _old_terms(world: World, way: Way) -> HealthTerms:
    """What the old version must show on the way back: nothing, where it was not up and healthy before either."""
    health = world.target.state.health
    if not (world.target.state.running or world.target.state.paused) or (health and health.status != "healthy"):
        return NO_PROOF
    probes = tuple(probe for probe in way.terms.probes if probe.kind != "image" and probe.if_before)
    return way.terms.model_copy(update={"probes": probes, "danger": (), "dwell_s": min(way.terms.dwell_s, 2.0)})


def _change(world: World, options: Options, way: Way, room: Room) -> tuple[AnyForward, ...]:
    name, old = world.target.name, Existing(id=world.target.id, name=world.target.name)
    successor = Ours(run=room.run, role=SUCCESSOR, name=name)
    sources, checking = world.sources, None if options.unchecked else recipe_of(world)
    sole = EnsureSoleUse(phase=Phase.CHANGE, cause="two servers on one data directory corrupt it", sources=sources)
    return (
        Rename(cause="the name is needed", who=old, before=name, name=kept_name(name)),
        Rename(cause="others know it by this name", who=successor, before=staging_name(name), name=name),
        *((_brought_back(way.earlier, way.why_earlier, room, sources),) if way.earlier and sources else ()),
        *(refresh_steps(world, checking, old, successor, room) if way.earlier is None else ()),
        *hooks_of(world, options).at("before-start", successor),
        *((sole,) if sources else ()),
        StartSuccessor(cause="the change itself", who=successor, room=room, sources=sources,
                       stop_timeout_s=stop_timeout_s(world, options, recipe_of(world))),
    )  # fmt: skip


def _brought_back(earlier: Room, why: str, room: Room, sources: tuple[Source, ...]) -> BringBackData:
    return BringBackData(cause=why, earlier=earlier, room=room, sources=sources)


def _prove(way: Way, run: str, name: str, hooks: Hooks) -> tuple[AnyForward, ...]:
    successor = Ours(run=run, role=SUCCESSOR, name=name)
    prove = ProveHealth(cause="running is not healthy", who=successor, terms=way.terms)
    compared = CompareEvidence(cause="healthy is not complete", who=successor, readings=way.readings,
                               goal_version=way.new.version)  # fmt: skip
    return (
        *hooks.at("after-start", successor),
        prove,
        *((compared,) if way.readings else ()),
        *hooks.at("before-verdict", successor),
    )


def _open(way: Way, room: Room, definition: Definition | None) -> tuple[AnyForward, ...]:
    successor = Ours(run=room.run, role=SUCCESSOR, name=room.target)
    as_before = SetRestartPolicy(phase=Phase.OPEN, cause="it was so before", who=successor, policy=way.policy,
                                 before=NO_RESTART)  # fmt: skip
    edit = definition.edit if definition else None
    return (
        *((as_before,) if restarts(way.policy) else ()),
        *((EditFile(cause="compose would bring the old version again", edit=edit),) if edit else ()),
        AcceptVerdict(cause="proven", name=room.target, room=room),
    )
