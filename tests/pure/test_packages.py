"""Runtime packages before and after a change of the runtime: read as pip prints them, missing ones named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.clock import MemoryClock
from runner.engine.memory import MemoryEngine
from runner.engine.memory.behaviour import Answer, Behaviour
from runner.facts import Image
from runner.goal import Goal
from runner.options import Options
from runner.outcome import Outcome
from runner.packages import lacking, packages_in
from runner.records import End, Noted, Record
from runner.session import Session
from runner.vault.memory import MemoryVault
from runner.verbs import Refloat

FREEZE = ("/opt/omflow/python/bin/pip", "freeze")
BEFORE = "django==2.2.28\nldap3==2.9.1\nopenpyxl==3.1.2\n"
GOAL = Goal(to="1.2.0.0")


def machine(home: Path, before: str | None, after: str | None) -> Refloat:
    """An OMFLOW right before its change of runtime; None is a version that gives no list."""
    engine = MemoryEngine()
    for number, (tag, said) in enumerate((("1.1.6.3", before), ("1.2.0.0", after)), start=1):
        image = Image(id=f"sha256:{str(number) * 64}", tags=(f"omflow/omflow:{tag}",), config={})
        engine.world.add_image(image)
        code, text = (0, f"{said}wheel==0.41.2\nmod_wsgi==4.9.4\n") if said is not None else (1, "pip: no such thing")
        engine.world.behaviours[image.id] = Behaviour(
            answers=(Answer(argv=FREEZE, exit_code=code, stdout=text),), obeys=True
        )
    engine.create_container("flow", {"Image": "omflow/omflow:1.1.6.3", "HostConfig": {}})
    engine.start("flow")
    return Refloat(Session(home=home, engine=engine, vault=MemoryVault(engine), clock=MemoryClock()))


def upgrade(refloat: Refloat, *, unchecked: bool = False) -> Outcome:
    options = Options(answers=("terms=yes",), unchecked=unchecked, dwell_s=0)
    return refloat.apply(refloat.plan("flow", GOAL, options))


@pytest.mark.parametrize(
    ("line", "name", "version"),
    [
        ("mod_wsgi==4.9.4", "mod-wsgi", "4.9.4"),
        ("Django 4.2", "django", "4.2"),
        ("ldap3 (2.9.1)", "ldap3", "2.9.1"),
        ("own @ file:///opt/omflow/tmp/own.whl", "own", ""),
        ("-e git+https://example.org/x.git@1#egg=Own.Tool", "own-tool", ""),
        ("openpyxl", "openpyxl", ""),
    ],
)
def test_a_line_of_a_list_is_read_with_the_name_as_pip_compares_it(line: str, name: str, version: str) -> None:
    assert packages_in(line) == {name: version}


def test_what_is_no_package_is_not_read() -> None:
    assert packages_in("WARNING: You are using pip version 21; upgrade.\n\n# a comment\n") == {}


def test_names_decide_and_versions_only_where_a_minimum_is_stated() -> None:
    before = packages_in("django==2.2\nldap3==2.9\nPyMySQL==1.0\npkg_resources==0.0.0")
    assert (
        lacking(before, packages_in("django==4.2.1\nldap3==1.0\npymysql"), {"django": "4.2"}, ("pkg-resources",)) == ()
    )
    after = packages_in("Django==4.1.13\nldap3==3.0")
    assert lacking(before, after, {"django": "4.2"}) == ("pkg-resources", "pymysql", "django 4.1.13 (at least 4.2)")
    assert lacking({}, {}, {"django": "4.2"}) == ()


def test_what_the_vendor_asks_for_is_missed_whatever_was_there_before() -> None:
    after = packages_in("Django==4.2\nmod-wsgi==5.0")
    assert lacking({}, after, {}, required=("django", "mod_wsgi", "wheel")) == ("wheel (the vendor asks for it)",)
    assert lacking({"wheel": "1"}, after, {}, required=("wheel",)) == ("wheel",)


def test_an_upgrade_through_the_change_compares_and_any_other_does_not(tmp_path: Path) -> None:
    refloat = machine(tmp_path, BEFORE, BEFORE)
    kinds = [step.kind for step in refloat.plan("flow", GOAL).steps]
    assert kinds.index("compare-packages") < kinds.index("stop-container")
    unchecked = refloat.plan("flow", GOAL, Options(unchecked=True))
    assert "compare-packages" not in [step.kind for step in unchecked.steps]


def test_a_runtime_with_everything_goes_through(tmp_path: Path) -> None:
    done = upgrade(machine(tmp_path, BEFORE, "Django==4.2\nldap3==2.9.1\nopenpyxl==3.1.2\nwheel==0.41\n"))
    assert done.end is End.NEW


def test_missing_packages_are_named_before_anything_is_stopped(tmp_path: Path) -> None:
    refloat = machine(tmp_path, BEFORE, "django==3.2\nopenpyxl==3.1.2\n")
    started = refloat.session.engine.container("flow").state.started_at
    end = upgrade(refloat)
    assert end.end is End.OLD
    assert "ldap3, django 3.2 (at least 4.2)" in end.why
    assert refloat.session.engine.container("flow").state.started_at == started
    assert upgrade(refloat, unchecked=True).end is End.NEW


def test_a_new_version_without_a_list_is_no_way_through(tmp_path: Path) -> None:
    end = upgrade(machine(tmp_path, BEFORE, None))
    assert (end.end, "gives no list of its packages" in end.why) == (End.OLD, True)


def test_an_old_version_without_a_list_is_told_of_and_not_held_back(tmp_path: Path) -> None:
    refloat = machine(tmp_path, None, "")
    heard: list[str] = []

    def hear(record: Record) -> None:
        heard.extend([record.text] if isinstance(record, Noted) else [])

    assert upgrade(Refloat(replace(refloat.session, hear=hear))).end is End.NEW
    assert any("nothing was compared: pip: no such thing" in text for text in heard)
