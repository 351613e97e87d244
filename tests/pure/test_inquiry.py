"""What a recipe wants known of the old version: a check that says no refuses, a list warns, silence is told."""

from __future__ import annotations

import pytest

from runner.additions import addition_warnings
from runner.engine.memory import Behaviour, MemoryEngine
from runner.engine.memory.behaviour import Answer
from runner.facts import Image, Json
from runner.inquiry import ask_checks, inquire
from runner.recipes.loader import recipe_named
from runner.recipes.model import Recipe
from runner.recipes.work import Listing, Preflight
from runner.world import Inquired
from tests.pure.test_planner import going

LIST = ("find", "local")
CHECK = ("test", "clean")


def recipe(*, danger: str | None = None) -> Recipe:
    check = Preflight(
        name="clean", where="old-container", argv=CHECK, danger=danger, why="Because.", source="https://a.b"
    )
    elsewhere = check.model_copy(update={"where": "target-image", "argv": ("never", "asked", "here")})
    listing = Listing(name="local-files", argv=LIST, ordinary=("README.TXT",), source="https://a.b")
    return recipe_named("redis").model_copy(update={"preflight": (check, elsewhere), "customised": (listing,)})


def machine(*answers: Answer) -> MemoryEngine:
    engine = MemoryEngine()
    behaviour = Behaviour(answers=answers)
    engine.world.add_image(Image(id=f"sha256:{'1' * 64}", tags=("vendor/mon:1",), config={}), behaviour)
    body: Json = {"Image": "vendor/mon:1", "Env": ["PASSWORD=s3cret-word"]}
    engine.create_container("mon", body)
    engine.start("mon")
    return engine


def test_what_passes_says_nothing() -> None:
    engine = machine(Answer(argv=CHECK), Answer(argv=LIST, stdout="/local/README.TXT\n"))
    check, listing = inquire(engine, engine.container("mon"), recipe())
    assert (check.refused, check.unheard) == ("", "")
    assert (listing.items, listing.count, listing.unheard) == ((), 0, "")


def test_a_check_that_fails_says_why_and_no_secret() -> None:
    engine = machine(Answer(argv=CHECK, exit_code=1, stdout="left over by s3cret-word"), Answer(argv=LIST))
    check, _ = inquire(engine, engine.container("mon"), recipe())
    assert check.refused.startswith("left over by")
    assert "s3cret" not in check.refused


def test_a_line_can_mean_no_whatever_the_exit_status() -> None:
    engine = machine(Answer(argv=CHECK, stdout="fine\nwarning: two of them\n"), Answer(argv=LIST))
    check, _ = inquire(engine, engine.container("mon"), recipe(danger="^warning"))
    assert check.refused == "warning: two of them"


def test_a_long_list_is_counted_and_cut() -> None:
    found = "\n".join(["/local/README.TXT", *(f"/local/own-{n}" for n in range(30))])
    engine = machine(Answer(argv=CHECK), Answer(argv=LIST, stdout=found))
    _, listing = inquire(engine, engine.container("mon"), recipe())
    assert listing.count == 30
    assert listing.items[0] == "/local/own-0"
    assert len(listing.items) < 30


def test_a_table_gives_its_rows_and_the_release_that_outdates_each() -> None:
    head = "Name     Version  Until Version  Files  State\n-------- -------- -------------- ------ -------\n"
    rows = "weather  1.2      2.3.0b1        3      Enabled\nstars    0.9      None           1      Disabled\n"
    engine = machine(Answer(argv=LIST, stdout=head + rows))
    listing = recipe_named("checkmk").customised[1].model_copy(update={"argv": LIST})
    asked = recipe_named("checkmk").model_copy(update={"preflight": (), "customised": (listing,)})
    (packages,) = inquire(engine, engine.container("mon"), asked)
    assert packages.items == ("weather 1.2", "stars 0.9")
    assert packages.limits == (("weather 1.2", "2.3.0b1"), ("stars 0.9", "None"))


@pytest.mark.parametrize(
    ("until", "goal", "outdated"),
    [
        ("2.0.0", "2.0.0i1", False), ("2.0.0", "2.0.0", True), ("2.0.0i1", "2.0.0i2", True),
        ("1.6.0", "1.6.0-2010.02.01", True), ("2.3.0", "2.2.0p47", False), ("None", "2.3.0", False),
    ],
)  # fmt: skip
def test_an_extension_is_outdated_from_its_own_limit_on(until: str, goal: str, outdated: bool) -> None:
    world = going("checkmk/check-mk-raw", "1.5.0", goal)
    said = Inquired(name="extension-packages", listing=True, items=("own",), count=1, limits=(("own", until),))
    codes = [one.code for one in addition_warnings(world.model_copy(update={"inquired": (said,)}))]
    assert codes == ["customised", *(["outdated"] if outdated else [])]


def test_what_cannot_be_asked_is_no_verdict() -> None:
    engine = machine()
    check, listing = inquire(engine, engine.container("mon"), recipe())
    assert (check.refused, listing.items) == ("", ())
    assert check.unheard
    assert listing.unheard


def test_an_unknown_product_is_not_asked_and_of_one_that_does_not_run_it_is_said_that_it_was_not() -> None:
    engine = machine()
    assert inquire(engine, engine.container("mon"), None) == ()
    engine.pause("mon")
    assert {one.unheard for one in inquire(engine, engine.container("mon"), recipe())} == {"it is paused"}
    engine.stop("mon", 5)
    assert {one.unheard for one in inquire(engine, engine.container("mon"), recipe())} == {"it is exited"}


def test_right_before_an_upgrade_only_the_checks_are_asked_again() -> None:
    engine = machine(Answer(argv=CHECK, exit_code=1, stdout="no"), Answer(argv=LIST, stdout="/local/mine"))
    assert [(one.name, one.refused) for one in ask_checks(engine, engine.container("mon"), recipe())] == [
        ("clean", "no")
    ]


def test_what_is_migrating_says_no_until_its_log_says_that_it_is_over() -> None:
    engine = machine()
    checkmk = recipe_named("checkmk").model_copy(update={"preflight": (), "customised": ()})
    assert ask_checks(engine, engine.container("mon"), checkmk) == ()
    engine.world.cell("mon").log.append("-|  3/24 Rewriting password store...")
    (asked,) = ask_checks(engine, engine.container("mon"), checkmk)
    assert "3/24" in asked.refused
    engine.world.cell("mon").log.append("### CONTAINER STARTED")
    assert ask_checks(engine, engine.container("mon"), checkmk) == ()
