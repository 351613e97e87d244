"""What a plan holds of one container: its steps, its way back, warnings, estimate; it refuses nothing.

It touches nothing: no clock, no network, no environment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from runner.additions import addition_warnings, data_warnings, uid_warnings
from runner.compose.project import CONFIG_HASH
from runner.donors import hide
from runner.drift import drift_warnings
from runner.facts import Image, Json
from runner.fitness import health_terms, readings_from
from runner.hop_rulings import other_product, ruling
from runner.labels import RETURNED, ROLE, RUN, SUCCESSOR
from runner.options import Options
from runner.plan import Estimate, Member, PlanWarning, held_tag
from runner.recipes.model import Recipe
from runner.spec import ContainerSpec, create_body, restart_policy, spec_from, spec_warnings, with_unseeded
from runner.steps import AnyForward
from runner.steps.nouns import Blueprint, Existing, HealthTerms, Ours
from runner.vault.port import Room
from runner.volume_warnings import volume_warnings
from runner.way import Way, arriving_recipe, kept_name, old_side, recipe_of, side, staging_name, way_steps
from runner.world import World, expectations


@dataclass(frozen=True)
class Part:
    """One container's share of a plan."""

    member: Member
    steps: tuple[AnyForward, ...]
    warnings: tuple[PlanWarning, ...]
    estimate: Estimate


def target_spec(world: World, keep_env: tuple[str, ...] = ()) -> ContainerSpec:
    """What the user set on the target, and its host name where its product's data goes by that."""
    names = {container.id: container.name for container in world.others}
    spec = spec_from(world.target, world.old_image, world.engine, names=names, keep_env=keep_env)
    recipe, known_as = recipe_of(world), world.target.config.get("Hostname")
    mode = str(spec.host_config.get("NetworkMode", ""))
    if recipe is None or not recipe.same_hostname or not known_as or mode == "host" or mode.startswith("container:"):
        return spec
    return spec.model_copy(update={"config": {"Hostname": known_as, **spec.config}})


def blueprint(spec: ContainerSpec, image: Image, ref: str, run: str, role: str,
              donors: tuple[Existing | Ours, ...]) -> Blueprint:  # fmt: skip
    """How to create a container of ours from what the user set, without one secret."""
    made = create_body(spec, image, labels={RUN: run, ROLE: role}, restart=False)
    body: Json = {**hide(made.body), "Image": ref}
    return Blueprint(image_id=image.id, image_ref=ref, body=body, connects=made.connects, donors=donors)


def upgrade_part(world: World, options: Options, run: str) -> Part:
    """A container's share of an upgrade; Refused where the vendor's rules bar it."""
    recipe = recipe_of(world)
    ruled = (*other_product(world), *(ruling(world, recipe, options.force) if recipe else ()))
    coming = arriving_recipe(world)
    spec = target_spec(world, options.keep_env)
    unseeded = with_unseeded(spec, world.empty_volumes)
    existing = Existing(id=world.target.id, name=world.target.name)
    way = Way(
        blueprint=_as_defined(
            blueprint(unseeded, world.new_image, world.new_ref, run, SUCCESSOR, (existing,)), world, options
        ),
        new=side(world.new_image, world.new_ref),
        terms=_terms(spec, world.new_image, coming, options),
        readings=(*(readings_from(coming) if coming else ()), *options.readings),
        policy=restart_policy(spec),
    )
    part = _part(world, options, way, spec, run)
    return replace(part, warnings=(*ruled, *part.warnings))


def _as_defined(made: Blueprint, world: World, options: Options) -> Blueprint:
    """With the hash that compose will look for once its file is edited, or it would make the container anew."""
    known = world.definition.config_hash if world.definition and options.edit else ""
    labels = made.body.get("Labels")
    if not known or not isinstance(labels, dict):
        return made
    return made.model_copy(update={"body": {**made.body, "Labels": {**labels, CONFIG_HASH: known}}})


def rollback_part(world: World, earlier: Member, options: Options, run: str) -> Part:
    """A container's share of a later way back: the old version again, with its data as it was then."""
    spec = target_spec(world)
    existing = Existing(id=world.target.id, name=world.target.name)
    made = earlier.way_back
    way = Way(
        blueprint=made.model_copy(update={"body": _relabelled(made.body, run), "donors": (existing,)}),
        new=earlier.old,
        terms=_terms(spec, world.new_image, recipe_of(world), options),
        readings=(),
        policy=restart_policy(spec),
        earlier=earlier.room,
    )
    return _part(world, options, way, spec, run)


def same_part(world: World, options: Options, run: str, earlier: Room | None = None, why_earlier: str = "") -> Part:
    """A container's share of a plan that leaves it its version, and may give it the data of a sealed snapshot."""
    spec, ref = target_spec(world), world.target.image_ref
    unseeded = with_unseeded(spec, world.empty_volumes)
    existing = Existing(id=world.target.id, name=world.target.name)
    way = Way(
        blueprint=blueprint(unseeded, world.old_image, ref, run, SUCCESSOR, (existing,)),
        new=side(world.old_image, ref),
        terms=_terms(spec, world.old_image, recipe_of(world), options),
        readings=options.readings if earlier is None else (),
        policy=restart_policy(spec),
        earlier=earlier,
        why_earlier=why_earlier or "the old version needs its own data",
    )
    return _part(world, options, way, spec, run)


def _relabelled(body: Json, run: str) -> Json:
    labels = body.get("Labels")
    return {**body, "Labels": {**(labels if isinstance(labels, dict) else {}), RUN: run, ROLE: SUCCESSOR}}


def _terms(spec: ContainerSpec, image: Image, recipe: Recipe | None, options: Options) -> HealthTerms:
    return health_terms(spec.config, image.config, recipe, probes=options.probes, deadline_s=options.deadline_s,
                        dwell_s=options.dwell_s)  # fmt: skip


def _part(world: World, options: Options, way: Way, spec: ContainerSpec, run: str) -> Part:
    name = world.target.name
    existing = Existing(id=world.target.id, name=name)
    successor = Ours(run=run, role=SUCCESSOR, name=name)
    back = blueprint(spec, world.old_image, world.target.image_ref, run, RETURNED, (existing, successor))
    member = Member(
        target=name,
        run=run,
        container_id=world.target.id,
        kept_name=kept_name(name),
        staging_name=staging_name(name),
        old=old_side(world),
        new=way.new,
        recipe=recipe.name if (recipe := recipe_of(world)) else "",
        room=Room(place=world.place, target=name, run=run),
        sources=world.sources,
        expectations=expectations(world),
        held_tag=held_tag(run),
        way_back=back,
    )
    return Part(
        member=member,
        steps=way_steps(world, options, way, back, run),
        warnings=(*_warnings(world), *drift_warnings(world, edit=options.edit, hold=options.hold)),
        estimate=estimate(world),
    )


def _warnings(world: World) -> tuple[PlanWarning, ...]:
    seen = spec_warnings(world.target, world.old_image, world.new_image, world.changes, world.others, world.engine)
    notices = tuple(PlanWarning(code="notice", text=text) for text in world.notices)
    told = tuple(PlanWarning(code=warning.code, text=warning.text) for warning in seen)
    paused = (f"{world.target.name} is paused: it runs for the moment in which it is asked and stopped, and until the "
              "new version is proven; then it is paused again")  # fmt: skip
    return (
        *((PlanWarning(code="paused", text=paused),) if world.target.state.paused else ()),
        *notices,
        *data_warnings(world),
        *uid_warnings(world),
        *addition_warnings(world),
        *volume_warnings(world),
        *(each for each in told if not _is_refreshed(world, each)),
    )


def _is_refreshed(world: World, warning: PlanWarning) -> bool:
    """Whether a warning of old files in a volume is about those that are refreshed."""
    places = world.refresh.order.places if world.refresh else ()
    return warning.code == "shadowing-volume" and any(f" {place.path} " in warning.text for place in places)


def estimate(world: World) -> Estimate:
    """The expected downtime; a guess with its reasons and never a limit."""
    stop_s, start_s = 1.0, 2.0
    copy_s = round(0.5 + world.entries / 100_000 + world.size_bytes / 20e9, 1) if world.sources else 0.0
    refresh_s = 2.0 if world.refresh else 0.0
    refreshed = (f"about {refresh_s:g} s to refresh configuration and have it checked",) if refresh_s else ()
    reasons = (
        f"about {stop_s:g} s to stop",
        f"about {copy_s:g} s to copy what changed of {world.size_bytes / 1e6:.1f} MB in {world.entries} entries",
        *refreshed,
        f"about {start_s:g} s to start; a migration takes as long as it takes (rehearse to measure it)",
    )
    return Estimate(
        downtime_s=round(stop_s + copy_s + refresh_s + start_s, 1),
        reasons=reasons,
        vault_bytes=world.needed_bytes,
        free_bytes=world.space.free_bytes if world.sources else 0,
    )
