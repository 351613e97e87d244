"""Which hops lead to a goal: found only where one upgrade may not go straight there, among the tags that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import Busy
from runner.goal import Goal
from runner.hopping import path_to
from runner.hops_ahead import HopsAhead, hops_ahead
from runner.options import Options
from runner.path_papers import PathPaper, close_cut_off, papers, walking, write_paper
from runner.prospects import Ask
from tests.pure.test_destination import engine_with, never, registry, silent
from tests.pure.test_due_now import refloat_on


def hops(running: str, to: str, ask: Ask, *here: str, force: bool = False) -> HopsAhead | None:
    engine = engine_with(running, *here)
    return hops_ahead(engine, engine.container("it"), Goal(to=to), ask, force=force)


def test_a_goal_that_one_upgrade_reaches_has_no_path_and_asks_no_registry() -> None:
    assert hops("prom/prometheus:v2.42.0", "v2.53.3", never) is None
    assert hops("vendor/mon:1.0", "9.0", never) is None
    assert hops("mongo:6.0.1", "nightly", never) is None


def test_a_path_goes_by_the_tags_that_exist_in_the_variant_that_runs() -> None:
    found = hops("mongo:6.0.1-jammy", "8.0.13-jammy", registry("7.0.2-jammy", "7.0.9", "8.0.13-jammy", "6.0.1-jammy"))
    assert found is not None
    assert (found.tags, found.spoken) == (("7.0.2-jammy", "8.0.13-jammy"), "6.0.1 → 7.0.2 → 8.0.13")


def test_where_the_registry_is_silent_the_recipes_own_list_and_the_engine_lead() -> None:
    found = hops("omflow/omflow:1.1.6.1", "1.2.0.3", silent)
    assert found is not None
    assert found.versions == ("1.2.0.0", "1.2.0.3")


def test_what_no_path_leads_to_is_left_to_the_refusal_of_the_one_hop() -> None:
    assert hops("postgres:15.3", "17.2", registry("15.3", "16.1", "17.2")) is None
    assert hops("mongo:8.0.13", "6.0.1", registry("7.0.2", "6.0.1")) is None
    assert hops("checkmk/check-mk-raw:2.0.0p39", "2.2.0p47", never, force=True) is None


def test_a_path_somebody_died_on_is_told_once_and_one_that_is_walked_is_left_alone(tmp_path: Path) -> None:
    session = refloat_on(engine_with("omflow/omflow:1.1.6.1"), tmp_path).session
    ahead = HopsAhead(target="it", start="1", versions=("2", "3"), tags=("2", "3"))
    paper = PathPaper(id="p", engine_id=session.engine.engine().id, hops=ahead)
    write_paper(session, paper)
    assert papers(session, "other") == ()
    with walking(session, paper):
        assert close_cut_off(session, "it") == ()
        with pytest.raises(Busy) as busy, walking(session, paper):
            pass
        assert busy.value.then == "Watch it: refloat status it"
    assert close_cut_off(session, "it") == (paper,)
    assert close_cut_off(session, "") == ()


def test_a_path_says_how_its_goal_was_found(tmp_path: Path) -> None:
    refloat = refloat_on(
        engine_with("omflow/omflow:1.1.6.1", "omflow/omflow:1.2.0.0", "omflow/omflow:1.2.0.3"), tmp_path
    )
    found = path_to(refloat, "it", Goal(to="newest"), Options())
    assert found is not None
    assert found.versions == ("1.2.0.0", "1.2.0.3")
    assert "newest is taken as 1.2.0.3, the newest within reach." in found.notices
