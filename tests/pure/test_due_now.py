"""Notes and gates before an upgrade: what is told, what is asked, what waits, and that an answer is kept."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runner.answers import Answer, answers_file, keep_answers, read_answers
from runner.cli import notes
from runner.cli.main import status_of
from runner.clock import MemoryClock
from runner.due_now import acknowledgements, due_between, due_warnings, refuse_undecided
from runner.engine.memory import MemoryEngine
from runner.errors import Exit, Later, UsageError
from runner.facts import Image
from runner.goal import Goal
from runner.inventory import read_inventory
from runner.options import Options
from runner.plan import Plan, Side
from runner.recipes.loader import put_first
from runner.recipes.work import Note
from runner.session import Session
from runner.vault.memory import MemoryVault
from runner.verbs import Refloat

Out = pytest.CaptureFixture[str]
NAME = "flow"
GOAL = Goal(to="1.2.0.0")


def engine_with(repository: str, *tags: str) -> MemoryEngine:
    """A machine with these images, the first of them running."""
    engine = MemoryEngine()
    for number, tag in enumerate(tags, start=1):
        engine.world.add_image(Image(id=f"sha256:{str(number) * 64}", tags=(f"{repository}:{tag}",), config={}))
    engine.create_container(NAME, {"Image": f"{repository}:{tags[0]}", "HostConfig": {}})
    engine.start(NAME)
    return engine


def refloat_on(engine: MemoryEngine, home: Path) -> Refloat:
    return Refloat(Session(home=home, engine=engine, vault=MemoryVault(engine), clock=MemoryClock()))


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refloat:
    """An OMFLOW whose next feature version has a gate that blocks and two that do not."""
    monkeypatch.setattr("runner.verbs.check_on_paper", lambda _plan, _world: None)  # slow, with tests of its own
    refloat = refloat_on(engine_with("omflow/omflow", "1.1.6.3", "1.2.0.0"), tmp_path)
    monkeypatch.setattr(notes, "open_session", lambda: refloat.session)
    return refloat


def warned(plan: Plan, code: str) -> str:
    return "\n".join(warning.text for warning in plan.warnings if warning.code == code)


def test_an_upgrade_waits_for_the_answer_to_a_gate_that_blocks_and_says_what_to_type(flow: Refloat) -> None:
    plan = flow.plan(NAME, GOAL)
    with pytest.raises(Later) as later:
        flow.apply(plan)
    assert (later.value.code, later.value.exit_status) == ("gate-open", Exit.LATER)
    assert later.value.then == "refloat gates flow --to 1.2.0.0 --answer terms=TEXT"
    assert flow.session.runs.all() == ()


def test_an_answer_lets_a_plan_made_before_it_go_on(flow: Refloat) -> None:
    plan = flow.plan(NAME, GOAL)
    flow.answers(flow.due(NAME, GOAL), ("terms=accepted by the board",))
    flow.apply(plan)
    assert flow.session.runs.all() == (plan.run,)


def test_an_answer_given_with_the_plan_is_kept_and_not_asked_again(flow: Refloat) -> None:
    assert "terms of use" in warned(flow.plan(NAME, GOAL), "gate")
    assert "terms of use" not in warned(flow.plan(NAME, GOAL, Options(answers=("terms=yes",))), "gate")
    again = warned(flow.plan(NAME, GOAL), "gate")
    assert "terms of use" not in again
    assert "backup of OMFLOW" in again


def test_a_standing_answer_counts_where_its_gate_is_asked_and_is_silent_elsewhere(flow: Refloat) -> None:
    standing = Options(standing_answers=("terms=as always", "other=of another product"))
    assert "terms of use" not in warned(flow.plan(NAME, GOAL, standing), "gate")
    assert [one.gate for one in read_answers(flow.session.home)] == ["terms"]


def test_an_answer_for_one_release_is_none_for_another(flow: Refloat) -> None:
    flow.answers(flow.due(NAME, GOAL), ("terms=yes",))
    (kept,) = read_answers(flow.session.home)
    assert (kept.target, kept.goal, kept.gate, kept.answer) == (NAME, "1.2.0.0", "terms", "yes")
    plan = flow.plan(NAME, GOAL)
    other = plan.lead.model_copy(update={"new": plan.new.model_copy(update={"version": "1.2.0.1"})})
    with pytest.raises(Later):
        flow.apply(plan.model_copy(update={"members": (other,)}))


def test_a_later_answer_replaces_the_earlier_one(flow: Refloat) -> None:
    for words in ("no", "yes = really"):
        flow.answers(flow.due(NAME, GOAL), (f"terms={words}",))
    assert [one.answer for one in read_answers(flow.session.home)] == ["yes = really"]


def test_gates_that_do_not_block_are_warnings_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.verbs.check_on_paper", lambda _plan, _world: None)
    refloat = refloat_on(engine_with("grafana/grafana", "11.0.0", "12.0.0"), tmp_path)
    plan = refloat.plan(NAME, Goal(to="12.0.0"))
    assert "plugin" in warned(plan, "gate")
    refloat.apply(plan)
    assert refloat.session.runs.all() == (plan.run,)


def test_an_upgrade_waits_until_its_incompatible_changes_are_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.verbs.check_on_paper", lambda _plan, _world: None)
    refloat = refloat_on(engine_with("prom/prometheus", "v2.53.3", "v3.0.0"), tmp_path)
    plan = refloat.plan(NAME, Goal(to="v3.0.0"))
    with pytest.raises(Later) as later:
        refloat.apply(plan)
    assert (later.value.code, later.value.exit_status) == ("note-unread", Exit.LATER)
    assert later.value.then == "refloat notes flow --to v3.0.0 --ack three-flags --ack content-type --ack le-labels"
    assert refloat.session.runs.all() == ()
    due = refloat.due(NAME, Goal(to="v3.0.0"))
    keep_answers(tmp_path, acknowledgements(due, ("three-flags", "content-type", "le-labels"), "me@here", "now"))
    refloat.apply(plan)
    assert refloat.session.runs.all() == (plan.run,)


def test_what_waits_is_said_at_once_gates_and_notes_alike() -> None:
    old, new = side("checkmk/check-mk-raw:2.3.0p43", "2.3.0p43"), side("checkmk/check-mk-raw:2.4.0p23", "2.4.0p23")
    due = due_between(NAME, old, new)
    blocking = due.model_copy(update={"gates": tuple(gate.model_copy(update={"blocks": True}) for gate in due.gates)})
    with pytest.raises(Later) as later:
        refuse_undecided(blocking, ())
    assert later.value.then.splitlines() == [
        "refloat gates flow --to 2.4.0p23 --answer extensions=TEXT",
        "refloat notes flow --to 2.4.0p23 --ack werks-2-4",
    ]


def test_a_plan_shows_what_has_to_be_done_and_what_is_offered_with_what_is_missing_without_it(flow: Refloat) -> None:
    assert "To be done with 1.2.0.0: Python 3.8 becomes 3.11" in warned(flow.plan(NAME, GOAL), "mandatory")
    offered = Note(
        id="dark", kind="optional", at="2.0", what="Apply the new configuration.", missing_without="no dark mode.",
        administrator=True, canary=True, old_clients="yes", source="https://example.org/notes",
    )  # fmt: skip
    due = due_between(NAME, side("a:1", "1"), side("a:2", "2")).model_copy(update={"notes": (offered,)})
    (told,) = due_warnings(due, ())
    assert told.code == "optional"
    assert told.text == (
        "Offered with 2.0: Apply the new configuration. Only an administrator can do it. On one device first, then on "
        "the rest. Older clients work with it. Without it: no dark mode. (https://example.org/notes)"
    )


def test_the_inventory_counts_the_incompatible_changes_ahead_that_nobody_has_read(tmp_path: Path) -> None:
    refloat = refloat_on(engine_with("prom/prometheus", "v2.53.3", "v3.0.0"), tmp_path)
    read = acknowledgements(refloat.due(NAME, Goal(to="v3.0.0")), ("le-labels",), "me@here", "now")
    assert [one.notes_unread for one in read_inventory(refloat.session.engine)] == [3]
    assert [one.notes_unread for one in read_inventory(refloat.session.engine, read)] == [2]


def test_incompatible_notes_are_warnings_of_the_plan_with_their_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.verbs.check_on_paper", lambda _plan, _world: None)
    refloat = refloat_on(engine_with("prom/prometheus", "v2.53.3", "v3.0.0"), tmp_path)
    told = warned(refloat.plan(NAME, Goal(to="v3.0.0")), "note")
    assert "fallback_scrape_protocol" in told
    assert "https://" in told
    assert refloat.plan(NAME, Goal(to="v3.0.0")).warnings  # and asking twice changes nothing
    assert not answers_file(tmp_path).exists()


def side(ref: str, version: str) -> Side:
    return Side(image_ref=ref, image_id="", version=version)


def test_one_release_has_one_name_with_or_without_its_v() -> None:
    old = side("prom/prometheus:v2.53.3", "2.53.3")
    by_tag = due_between(NAME, old, side("prom/prometheus:v3.0.0", "v3.0.0"))
    by_label = due_between(NAME, old, side("prom/prometheus:v3.0.0", "3.0.0"))
    assert by_tag == by_label
    assert by_tag.typed == "--to v3.0.0"


def test_where_product_or_version_is_unknown_nothing_is_due_and_it_does_not_claim_to_know() -> None:
    unknown = due_between(NAME, side("vendor/mon:1", "1"), side("vendor/mon:2", "2"))
    moving = due_between(NAME, side("omflow/omflow:1.1.6.3", "1.1.6.3"), side("omflow/omflow:latest", "latest"))
    assert (unknown.known, unknown.product, unknown.gates) == (False, "", ())
    assert (moving.known, moving.product, moving.gates) == (False, "OMFLOW", ())


def test_another_repository_or_a_digest_is_typed_as_a_whole_image() -> None:
    old = side("omflow/omflow:1.1.6.3", "1.1.6.3")
    for ref in ("mirror/omflow:1.2.0.0", "omflow/omflow@sha256:abc", "omflow/omflow:1.2.0.0@sha256:abc"):
        assert due_between(NAME, old, side(ref, "1.2.0.0")).typed == f"--image {ref}"


@pytest.mark.parametrize(
    ("text", "code"), [("terms", "bad-answer"), ("terms=", "bad-answer"), ("temrs=yes", "no-such-gate")]
)
def test_an_answer_to_nothing_is_refused_and_nothing_is_kept(flow: Refloat, text: str, code: str) -> None:
    with pytest.raises(UsageError) as wrong:
        flow.answers(flow.due(NAME, GOAL), (text,))
    assert wrong.value.code == code
    assert not answers_file(flow.session.home).exists()


@pytest.mark.parametrize("content", ["", "{}", '[{"target": 1}]'])
def test_a_damaged_file_of_answers_is_named_and_never_taken_for_no_answers(flow: Refloat, content: str) -> None:
    answers_file(flow.session.home).write_text(content)
    with pytest.raises(UsageError) as wrong:
        flow.plan(NAME, GOAL)
    assert wrong.value.code == "bad-answers"
    assert str(answers_file(flow.session.home)) in wrong.value.then


def test_notes_tells_each_change_with_its_source(flow: Refloat, capsys: Out) -> None:
    assert flow.session.home.is_dir()
    assert status_of(["notes", NAME, "--to", "1.2.0.0"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("flow: OMFLOW, 1.1.6.3 → 1.2.0.0\n")
    assert "mandatory    runtime (with 1.2.0.0)" in out
    assert "https://doc.omflow.com.tw/" in out


def test_notes_of_a_version_that_is_not_on_the_engine_are_told_from_its_tag(flow: Refloat, capsys: Out) -> None:
    assert flow.session.home.is_dir()
    assert status_of(["notes", NAME, "--to", "1.2.0.1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [note["id"] for note in told["notes"]] == ["runtime"]
    assert (told["leaving"], told["goal"], told["known"]) == ("1.1.6.3", "1.2.0.1", True)


def test_a_note_is_acknowledged_once_with_who_and_when_for_every_way_through_its_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    monkeypatch.setattr("runner.verbs.check_on_paper", lambda _plan, _world: None)
    refloat = refloat_on(engine_with("prom/prometheus", "v2.53.3", "v3.0.0", "v3.1.0"), tmp_path)
    monkeypatch.setattr(notes, "open_session", lambda: refloat.session)
    ids = [note.id for note in refloat.due(NAME, Goal(to="v3.0.0")).notes if note.kind == "incompatible"]
    assert f"--ack {ids[0]}" in warned(refloat.plan(NAME, Goal(to="v3.0.0")), "note")
    acks = [part for one in ids for part in ("--ack", one)]
    assert status_of(["notes", NAME, "--to", "v3.0.0", *acks, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["notes"]
    assert all("@" in one["acknowledged"]["by"] for one in told if one["id"] in ids)
    for goal in ("v3.0.0", "v3.1.0"):
        assert warned(refloat.plan(NAME, Goal(to=goal)), "note") == ""
    assert status_of(["notes", NAME, "--to", "v3.1.0"]) == 0
    assert ", acknowledged by " in capsys.readouterr().out


def test_a_note_that_is_not_on_the_way_cannot_be_acknowledged(flow: Refloat, capsys: Out) -> None:
    assert status_of(["notes", NAME, "--to", "1.2.0.0", "--ack", "elsewhere"]) == 2
    assert "It has: runtime" in capsys.readouterr().err
    assert not answers_file(flow.session.home).exists()


def test_gates_shows_what_is_open_and_what_was_answered(flow: Refloat, capsys: Out) -> None:
    assert flow.session.home.is_dir()
    assert status_of(["gates", NAME, "--to", "1.2.0.0", "--answer", "terms=read by me"]) == 0
    out = capsys.readouterr().out
    assert "answered: read by me" in out
    assert "open: refloat gates flow --to 1.2.0.0 --answer backup=TEXT" in out
    assert status_of(["gates", NAME, "--to", "1.2.0.0", "--json"]) == 0
    gates = {gate["id"]: gate["answer"] for gate in json.loads(capsys.readouterr().out)["gates"]}
    assert gates["terms"]["answer"] == "read by me"
    assert gates["backup"] is None


def test_without_a_goal_both_verbs_say_what_is_missing(flow: Refloat, capsys: Out) -> None:
    assert flow.session.home.is_dir()
    for verb in ("notes", "gates"):
        assert status_of([verb, NAME]) == 2
        assert "--to VERSION" in capsys.readouterr().err


def test_a_release_whose_notes_say_so_is_optional_by_a_recipe_of_ones_own(tmp_path: Path) -> None:
    """Opqo's releases are mandatory unless their notes say otherwise."""
    own = tmp_path / "own.yaml"
    page = "https://example.org/22.09"
    note = f"{{id: badge, kind: optional, at: 22.09.0, what: A badge., missing_without: No badge., source: '{page}'}}"
    own.write_text(f"extends: opqo\nname: opqo\nnotes:\n- {note}\n")
    sides = tuple(Side(image_ref=f"sharptree/opqo:{one}", image_id="", version=one) for one in ("22.03.0", "22.09.0"))
    shipped = due_warnings(due_between("device", *sides), ())
    assert "mandatory" in {one.code for one in shipped}
    put_first((own,))
    try:
        told = {one.code: one.text for one in due_warnings(due_between("device", *sides), ())}
    finally:
        put_first(())
    assert "mandatory" not in told
    assert "Without it: No badge." in told["optional"]


def test_what_two_terminals_answer_at_once_is_kept_of_both(tmp_path: Path) -> None:
    said = [Answer(target="prom", goal="3.5.3", gate=f"gate-{each}", answer="yes", at="now") for each in range(24)]
    with ThreadPoolExecutor(len(said)) as pool:
        list(pool.map(lambda one: keep_answers(tmp_path, (one,)), said))
    assert {one.gate for one in read_answers(tmp_path)} == {one.gate for one in said}
