"""Somebody removes the versions of an open run: the way back goes on from whoever stands in their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.engine.memory import MemoryEngine
from runner.errors import Refused
from runner.goal import Goal
from runner.options import Options
from runner.records import End
from runner.stacking import Part, Stack
from runner.verbs import Refloat
from tests.pure.sweep.stages import MIGRATES, NAME, NEW, OLD, STACKS, TOKEN, WEB, Stage, build, runner_on

HELD = Stage("held", new=MIGRATES, hold=True, policy="always")


def held(tmp_path: Path) -> tuple[MemoryEngine, Refloat]:
    engine = build(HELD)
    refloat = runner_on(engine, tmp_path)
    assert refloat.apply(refloat.plan(NAME, Goal(to="2.0"), Options(hold=True, deadline_s=10))).held
    return engine, refloat


def made_anew(engine: MemoryEngine, name: str, image: str, *binds: str) -> None:
    """As `docker compose up` does: both versions go, and a container of its own comes."""
    for each in engine.containers():
        if each.name in (name, f"{name}-refloat-kept"):
            engine.remove_container(each.id, force=True)
    engine.create_container(name, {"Image": image, "Env": ["SECRET=s3cret"], "HostConfig": {"Binds": [*binds]}})
    engine.start(name)


def test_where_both_versions_were_removed_the_old_one_comes_back_with_its_data_all_the_same(tmp_path: Path) -> None:
    engine, refloat = held(tmp_path)
    made_anew(engine, NAME, NEW, "mondata:/data")
    offer = refloat.offer_rollback(NAME)
    assert not offer.undoes
    assert refloat.rollback(offer).end is End.NEW
    back = engine.container(NAME)
    assert (back.image_ref, engine.data["mondata"]) == (OLD, TOKEN)
    assert "SECRET=s3cret" in str(back.config["Env"])
    assert offer.closes is not None
    assert refloat.session.outcome(offer.closes).committed


def test_where_nobody_stands_in_their_place_it_is_said_what_to_bring_up(tmp_path: Path) -> None:
    engine, refloat = held(tmp_path)
    for each in engine.containers():
        engine.remove_container(each.id, force=True)
    (run,) = refloat.session.runs.all()
    with pytest.raises(Refused, match="Somebody removed both versions of mon") as refused:
        refloat.offer_rollback(run)
    assert refused.value.code == "kept-gone"
    assert "2.0" in refused.value.then


def test_a_kept_container_alone_that_somebody_removed_is_created_again(tmp_path: Path) -> None:
    engine, refloat = held(tmp_path)
    engine.remove_container(f"{NAME}-refloat-kept", force=True)
    offer = refloat.offer_rollback(NAME)
    assert offer.undoes
    assert refloat.rollback(offer).end is End.OLD
    back = engine.container(NAME)
    assert (back.image_ref, back.state.running, engine.data["mondata"]) == (OLD, True, TOKEN)


def test_a_stack_goes_back_from_those_who_stand_in_the_place_of_its_members(tmp_path: Path) -> None:
    engine = build(next(stage for stage in STACKS if stage.name == "two of a stack go through"))
    refloat, goal, options = runner_on(engine, tmp_path), Goal(to="2.0"), Options(hold=True, deadline_s=10)
    parts = tuple(Part(target=name, goal=goal, options=options) for name in (NAME, WEB))
    refloat.apply(refloat.plan_stack(Stack(name="pair", parts=parts, options=options)))
    made_anew(engine, NAME, NEW, "mondata:/data")
    made_anew(engine, WEB, "vendor/web:2.0", "webdata:/data")
    assert refloat.rollback(refloat.offer_rollback("pair")).end is End.NEW
    assert [engine.container(name).image_ref for name in (NAME, WEB)] == [OLD, "vendor/web:1.0"]
    assert engine.data["mondata"] == engine.data["webdata"] == TOKEN
