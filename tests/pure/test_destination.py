"""What a goal means where it is no tag as it stands: the newest within reach, or the highest of a series."""

from __future__ import annotations

import pytest

from runner.destination import settled_goal, tags_ahead
from runner.engine.memory import MemoryEngine
from runner.errors import NothingToDo, Refused
from runner.facts import Image
from runner.goal import Goal
from runner.prospects import Ask, read_prospect
from runner.registry.listing import Listing, not_asked


def engine_with(*refs: str) -> MemoryEngine:
    """Images of these names; the first one runs as ``it``."""
    engine = MemoryEngine()
    for number, ref in enumerate(refs, 1):
        engine.world.add_image(Image(id=f"sha256:{number:064}", tags=(ref,), config={}))
    engine.create_container("it", {"Image": refs[0]})
    return engine


def registry(*tags: str) -> Ask:
    return lambda home: Listing(repository=home, registry="reg.example", tags=tags)


def silent(home: str) -> Listing:
    return Listing(repository=home, registry="reg.example", unseen="The registry reg.example cannot be reached.")


def never(home: str) -> Listing:
    raise AssertionError(f"{home} was asked for")


def settled(engine: MemoryEngine, to: str, ask: Ask) -> tuple[str, str]:
    goal, said = settled_goal(engine, engine.container("it"), Goal(to=to), ask)
    return goal.to, " ".join(said)


PROM = "prom/prometheus"


def test_a_whole_version_and_a_whole_image_ask_no_registry() -> None:
    engine = engine_with(f"{PROM}:v2.42.0")
    for whole in ("v2.53.3", "2.53.3", "latest"):
        assert settled(engine, whole, never) == (whole, "")
    goal = Goal(image="elsewhere/prometheus")
    assert settled_goal(engine, engine.container("it"), goal, never) == (goal, ())


def test_the_newest_is_the_newest_of_the_registry_and_the_engine_as_it_is_tagged_there() -> None:
    engine = engine_with(f"{PROM}:v2.42.0", f"{PROM}:v2.45.0")
    tag, said = settled(engine, "newest", registry("v2.53.3", "v3.0.0-rc.1", "latest", "main"))
    assert (tag, said) == ("v2.53.3", "newest is taken as v2.53.3, the newest within reach.")


def test_the_newest_within_reach_is_taken_and_what_lies_beyond_is_said() -> None:
    engine = engine_with("postgres:15.3")
    tag, said = settled(engine, "newest", registry("15.3", "15.14", "17.2", "16.1"))
    assert tag == "15.14"
    assert "17.2 is newer, but barred: 17.2 is of another major" in said


def test_nothing_within_reach_is_a_refusal_and_nothing_newer_is_no_failure() -> None:
    engine = engine_with("postgres:15.3")
    with pytest.raises(Refused) as no:
        settled(engine, "newest", registry("15.3", "17.2"))
    assert no.value.code == "hop"
    with pytest.raises(NothingToDo):
        settled(engine, "newest", registry("15.3"))


def test_a_registry_that_is_silent_is_named_and_what_is_here_counts() -> None:
    tag, said = settled(engine_with(f"{PROM}:v2.42.0", f"{PROM}:v2.50.0"), "newest", silent)
    assert tag.startswith("v")
    assert "cannot be reached" in said


@pytest.mark.parametrize(("words", "tag"), [("2.x", "v2.53.3"), (">=2.43,<2.53", "v2.45.0"), ("<2.53.3", "v2.45.0")])
def test_the_newest_that_will_do_is_taken_with_the_vendors_spelling(words: str, tag: str) -> None:
    engine = engine_with(f"{PROM}:v2.42.0")
    assert settled(engine, words, registry("v2.45.0", "v2.53.3", "v99.0.0"))[0] == tag


def test_where_nothing_newer_will_do_nothing_needs_to_be_done() -> None:
    with pytest.raises(NothingToDo, match=r"it runs v2.42.0; nothing newer within 1.x is known"):
        settled(engine_with(f"{PROM}:v2.42.0"), "1.x", registry("v1.8.2", "v2.42.0"))


def test_a_series_is_its_highest_finished_release_here_or_there() -> None:
    engine = engine_with(f"{PROM}:v2.42.0", f"{PROM}:v2.53.1")
    assert settled(engine, "2.53", silent)[0] == "v2.53.1"
    tag, said = settled(engine, "2.53", registry("v2.53.3", "v2.53.10", "v2.53.11-rc.0", "v2.54.0"))
    assert (tag, said) == ("v2.53.10", "2.53 is taken as v2.53.10, the highest of that series at reg.example.")


def test_a_series_that_is_a_tag_itself_is_that_tag() -> None:
    engine = engine_with("postgres:13", "postgres:15")
    assert settled(engine, "15", never) == ("15", "")
    assert settled(engine, "14", registry("14", "14.9")) == ("14", "")
    assert settled(engine, "99", registry("14", "14.9")) == ("99", "")


def test_only_tags_of_the_running_variant_count() -> None:
    engine = engine_with("redis:7.0.15-alpine")
    assert settled(engine, "newest", registry("7.2.5", "7.2.4-alpine", "7.0.15-alpine"))[0] == "7.2.4-alpine"


def test_a_variant_before_the_version_is_kept_on_the_way() -> None:
    home = "zabbix/zabbix-server-pgsql"
    engine = engine_with(f"{home}:ubuntu-6.0.14")
    listed = registry("alpine-7.0.29", "ubuntu-7.0.22", "ubuntu-7.0-latest", "ubuntu-latest", "ubuntu-6.0.14", "7.0.30")
    assert settled(engine, "newest", listed)[0] == "ubuntu-7.0.22"
    one = read_prospect(engine, "it", listed)
    assert (one.variant, one.newest, one.next_tag) == ("ubuntu-", "7.0.22", "ubuntu-7.0.22")


def test_without_a_recipe_nobody_knows_which_is_the_newest() -> None:
    engine = engine_with("vendor/mon:1.0", "vendor/mon:2.0")
    with pytest.raises(Refused) as no:
        settled(engine, "newest", never)
    assert no.value.code == "version-unknown"
    assert settled(engine, "2.1", never) == ("2.1", "")


def test_a_prospect_rests_on_the_registry_and_says_so() -> None:
    engine = engine_with("postgres:15.3")
    one = read_prospect(engine, "it", registry("15.3", "15.14", "17.2", "bookworm"))
    assert (one.newest, one.reachable, one.rule, one.next_tag) == ("17.2", "15.14", "same-major-only", "15.14")
    assert (one.registry, one.registry_tags, one.unseen) == ("reg.example", 4, "")


def test_a_prospect_without_its_registry_still_answers_and_says_what_it_could_not_see() -> None:
    one = read_prospect(engine_with("postgres:15.3", "postgres:15.14"), "it", silent)
    assert (one.reachable, one.unseen) == ("15.14", "The registry reg.example cannot be reached.")


def test_the_releases_given_are_all_there_are_and_no_registry_is_asked() -> None:
    one = read_prospect(engine_with("postgres:15.3", "postgres:17.2"), "it", never, ("15.3", "15.7"))
    assert (one.newest, one.next_tag, one.releases_given) == ("15.7", "15.7", True)


def test_a_container_made_from_an_image_id_asks_nobody_for_its_tags() -> None:
    engine = MemoryEngine()
    bare = f"sha256:{1:064}"
    engine.world.add_image(Image(id=bare, config={}))
    engine.create_container("it", {"Image": bare})
    assert read_prospect(engine, "it", never).newest == ""
    assert read_prospect(engine_with("vendor/mon:1"), "it", never).product == ""
    assert not_asked("x").whole is False


def ahead(engine: MemoryEngine, to: str, ask: Ask) -> tuple[str, ...]:
    return tags_ahead(engine, engine.container("it"), Goal(to=to), ask)


def test_ahead_lie_the_releases_on_the_engine_and_the_stops_on_the_way() -> None:
    engine = engine_with(f"{PROM}:v2.42.0", f"{PROM}:v2.45.0", f"{PROM}:v2.53.3", f"{PROM}:v2.30.0", f"{PROM}:v3.5.3")
    assert ahead(engine, "2.53.3", silent) == ("v2.45.0", "v2.53.3")
    assert ahead(engine, "<3", registry("v2.50.0", "v2.54.1")) == ("v2.45.0", "v2.53.3", "v2.54.1")
    with pytest.raises(NothingToDo):
        ahead(engine, "<2.42", silent)
    with pytest.raises(Refused, match="cannot be read"):
        ahead(engine_with("someones/thing:blue"), "newest", silent)
