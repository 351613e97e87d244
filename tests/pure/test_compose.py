"""One change in a compose file and every other byte as it was; or the reason why it cannot be made safely."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.compose.edit import Change, find_edit
from runner.compose.places import Read, Unclear
from runner.compose.project import Project, paths_of
from runner.edits import edit_file
from runner.goal import Goal
from runner.options import Options
from runner.report.ending import ending
from runner.steps.nouns import FileEdit
from tests.pure.sweep.stages import NAME, STAGES, build, compose_file, runner_on

BASE, OVER, DOTENV = "/p/docker-compose.yml", "/p/docker-compose.override.yml", "/p/.env"
TO_2 = Change("db", "acme/db:1.0", "acme/db:2.0", "sha256:new")


def reading(files: Mapping[str, str]) -> Read:
    return lambda path: files.get(path)


def edit_of(files: Mapping[str, str], change: Change = TO_2, order: tuple[str, ...] = (BASE,)) -> FileEdit:
    edit = find_edit(order, DOTENV, reading(files), change)
    assert edit is not None
    return edit


def edited(text: str, change: Change = TO_2, dotenv: str = "") -> str:
    """The file after the edit, which must be of the compose file itself."""
    edit = edit_of({BASE: text, DOTENV: dotenv}, change)
    assert edit.path == BASE
    return edit.apply(text.encode()).decode()


SERVICE = "services:\n  db:\n    image: {}\n    ports: ['1:1']\n"
WRITTEN = {
    "plain": ("acme/db:1.0", "acme/db:2.0"),
    "with a comment": ("acme/db:1.0   # why 1.0?", "acme/db:2.0   # why 1.0?"),
    "single quotes": ("'acme/db:1.0'", "'acme/db:2.0'"),
    "double quotes": ('"acme/db:1.0"', '"acme/db:2.0"'),
    "an anchor of its own": ("&x acme/db:1.0", "&x acme/db:2.0"),
    "a tag of YAML": ("!!str acme/db:1.0", "!!str acme/db:2.0"),
    "a default": ("acme/db:${TAG:-1.0}", "acme/db:${TAG:-2.0}"),
    "a default where unset": ('"acme/db:${TAG-1.0}"', '"acme/db:${TAG-2.0}"'),
    "a default that is all": ("${IMAGE:-acme/db:1.0}", "${IMAGE:-acme/db:2.0}"),
    "variables before it": ("${ORG:-acme}/db:1.0", "${ORG:-acme}/db:2.0"),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_only_the_tag_changes_however_it_is_written(how: str) -> None:
    before, after = WRITTEN[how]
    assert edited(SERVICE.format(before)) == SERVICE.format(after)


@pytest.mark.parametrize(
    ("running", "new", "before", "after"),
    [
        ("acme/db", "acme/db:2.0", "acme/db", "acme/db:2.0"),
        ("acme/db:1.0", "other/db:9", "acme/db:1.0", "other/db:9"),
        ("reg:5000/db:1.0", "reg:5000/db:2.0", "reg:5000/db:1.0", "reg:5000/db:2.0"),
        ("acme/db:1.0@sha256:old", "acme/db:2.0", "acme/db:1.0@sha256:old", "acme/db:2.0@sha256:new"),
        ("acme/db@sha256:old", "acme/db:2.0", "acme/db@sha256:old", "acme/db:2.0@sha256:new"),
    ],
)
def test_every_form_of_a_reference(running: str, new: str, before: str, after: str) -> None:
    change = Change("db", running, new, "sha256:new")
    assert edited(SERVICE.format(before), change) == SERVICE.format(after)


def test_carriage_returns_a_mark_of_order_and_odd_letters_stay() -> None:
    text = "\ufeff# größe 漢\r\nservices:\r\n\tdb: {}\r\n".replace("\tdb: {}", "  db: {image: acme/db:1.0, x-ü: 1}")
    assert edited(text) == text.replace(":1.0", ":2.0")


DOTENVS = {
    "plain": ("TAG=1.0\n", "TAG=2.0\n"),
    "exported, quoted, with comment": ("A=1\nexport TAG='1.0'  # keep\n", "A=1\nexport TAG='2.0'  # keep\n"),
    "the last of two": ('TAG=0.9\nTAG="1.0"\r\n', 'TAG=0.9\nTAG="2.0"\r\n'),
}


@pytest.mark.parametrize("how", DOTENVS)
@pytest.mark.parametrize("image", ["acme/db:$TAG", "acme/db:${TAG}", "acme/db:${TAG:-0.1}", "acme/db:${TAG:?say it}"])
def test_a_tag_from_the_file_of_variables_is_changed_there(how: str, image: str) -> None:
    before, after = DOTENVS[how]
    edit = edit_of({BASE: SERVICE.format(image), DOTENV: before})
    assert (edit.path, edit.apply(before.encode()).decode()) == (DOTENV, after)
    assert edit.shown_after.removeprefix("TAG=").strip("'\"") == "2.0"


def test_a_later_file_that_names_the_image_is_the_one_to_change() -> None:
    files = {BASE: SERVICE.format("acme/db:0.9"), OVER: SERVICE.format("acme/db:1.0")}
    assert edit_of(files, order=(BASE, OVER)).path == OVER
    files[OVER] = "services: {db: {ports: []}}\n"
    files[BASE] = SERVICE.format("acme/db:1.0")
    assert edit_of(files, order=(BASE, OVER)).path == BASE


@pytest.mark.parametrize("file", [", file: ./common/base.yml", ""])
def test_an_extended_service_lends_its_image(file: str) -> None:
    base = "services: {common: {image: acme/db:1.0}}\n"
    files = {BASE: f"services:\n  db:\n    extends: {{service: common{file}}}\n", "/p/common/base.yml": base}
    if not file:
        files[BASE] = "services:\n  db: {extends: {service: common}}\n  common: {image: acme/db:1.0}\n"
        with pytest.raises(Unclear, match="in one with common"):
            edit_of(files)
        return
    assert edit_of(files).path == "/p/common/base.yml"


INCLUDES = {
    "a path": "include: [sub/db.yml]\n",
    "a mapping": "include:\n  - {path: sub/db.yml}\n",
    "a list of paths": "include:\n  - path: [sub/db.yml, sub/more.yml]\n    project_directory: .\n",
    "one within another": "include: [outer.yml]\n",
}


@pytest.mark.parametrize("how", INCLUDES)
@pytest.mark.parametrize("image", ["acme/db:1.0", "acme/db:${TAG:-1.0}"])
def test_an_included_file_is_the_one_to_change(how: str, image: str) -> None:
    inner, web = SERVICE.format(image), "services:\n  web:\n    image: acme/web:1\n"
    files = {BASE: INCLUDES[how] + web, "/p/sub/db.yml": inner, "/p/sub/more.yml": "services:\n  db:\n    init: true\n",
             "/p/outer.yml": "include: [sub/db.yml]\n"}  # fmt: skip
    edit = edit_of(files)
    assert edit.path == "/p/sub/db.yml"
    assert edit.apply(inner.encode()).decode() == inner.replace("1.0", "2.0")


def test_a_file_of_the_project_overrides_what_it_includes() -> None:
    files = {
        BASE: f"include: [sub/db.yml]\n{SERVICE.format('acme/db:1.0')}",
        "/p/sub/db.yml": SERVICE.format("acme/db:0"),
    }
    assert edit_of(files).path == BASE


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({BASE: "include: [sub/db.yml]\n", "/p/sub/db.yml": SERVICE.format("acme/db:${TAG:-1.0}"),
          "/p/sub/.env": "TAG=1.0\n"}, "is made with TAG of /p/sub/.env"),
        ({BASE: "include: ['${WHERE}/db.yml']\n"}, "cannot be read here"),
        ({BASE: "include: [oci://registry/db]\n"}, "cannot be read here"),
        ({BASE: "include: [gone.yml]\n"}, "gone.yml is not here"),
        ({BASE: "include: [docker-compose.yml]\n"}, "circle"),
    ],
)  # fmt: skip
def test_an_include_that_cannot_be_followed_safely_is_a_reason(files: dict[str, str], why: str) -> None:
    with pytest.raises(Unclear, match=why):
        edit_of(files)


def test_a_merged_mapping_lends_its_image_to_one_service() -> None:
    text = "x-db: &db\n  image: acme/db:1.0\nservices:\n  db:\n    <<: *db\n  web: {image: nginx}\n"
    assert edited(text) == text.replace("acme/db:1.0", "acme/db:2.0")


def test_an_alias_of_a_text_is_changed_where_it_stands() -> None:
    text = "x-image: &i acme/db:1.0\nservices:\n  db:\n    image: *i\n"
    assert edited(text) == text.replace("1.0", "2.0")


def test_the_oldest_format_has_its_services_at_the_top() -> None:
    assert edited("db:\n  image: acme/db:1.0\n") == "db:\n  image: acme/db:2.0\n"


NOT_SAFE = {
    "a variable of the shell": (SERVICE.format("acme/db:$TAG"), "", "the variable TAG, which is the shell's"),
    "another one runs": (SERVICE.format("acme/db:1.1"), "", "says acme/db:1.1, but acme/db:1.0 runs"),
    "one anchor, two services": (
        "x-d: &d {image: acme/db:1.0}\nservices:\n  db: {<<: *d}\n  replica: {<<: *d}\n", "", "in one with replica",
    ),
    "one text, two keys": (
        "x-i: &i acme/db:1.0\nservices:\n  db: {image: *i, labels: {v: *i}}\n", "", "in one with something else",
    ),
    "a variable used twice": (
        SERVICE.format("acme/db:$TAG") + "  web: {image: 'acme/web:${TAG}'}\n", "TAG=1.0\n", "used elsewhere, too",
    ),
    "a variable used by another": (SERVICE.format("acme/db:$TAG"), "TAG=1.0\nX=v$TAG\n", "used elsewhere, too"),
    "a value that is not plain": (SERVICE.format("acme/db:$TAG"), "TAG=$(date)\n", "not plain to read"),
    "two pieces": (SERVICE.format("acme/db:1.${MINOR:-0}"), "", "put together from several pieces"),
    "an alternative": (SERVICE.format("acme/db:${TAG:+1.0}"), "", "not plain to read"),
    "several lines": ("services:\n  db:\n    image: >-\n      acme/db:1.0\n", "", "over several lines"),
    "escapes": ('services:\n  db:\n    image: "acme\\u002fdb:1.0"\n', "", "with escapes"),
    "built here": ("services:\n  db: {image: acme/db:1.0, build: .}\n", "", "compose builds the service db itself"),
    "no such service": ("services:\n  web: {image: a}\n", "", "no image of the service db"),
    "a circle": ("services:\n  db: {extends: {service: db}}\n", "", "round in a circle"),
    "no YAML": ("services: [\n", "", "is not YAML"),
    "a list": ("- a\n", "", "is no compose file"),
    "no text": ("services:\n  db: {image: [a]}\n", "", "is no text"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_SAFE)
def test_what_cannot_be_changed_safely_is_left_with_a_reason(case: str) -> None:
    text, dotenv, why = NOT_SAFE[case]
    with pytest.raises(Unclear, match=f".*{why}"):
        edit_of({BASE: text, DOTENV: dotenv})


def test_a_pinned_image_needs_the_new_digest() -> None:
    change = Change("db", "acme/db:1.0@sha256:old", "acme/db:2.0")
    with pytest.raises(Unclear, match="pinned by digest"):
        edited(SERVICE.format("acme/db:1.0@sha256:old"), change)


def test_what_is_shown_of_a_change_leaves_out_its_neighbours() -> None:
    edit = edit_of({BASE: "services: {db: {environment: {PASSWORD: hunter2}, image: 'acme/db:1.0', x: s3}}\n"})
    assert (edit.shown_before, edit.shown_after) == ("image: 'acme/db:1.0'", "image: 'acme/db:2.0'")


BREAKS = "\n\r\x85\u2028\u2029\ufeff"
ODD = st.text(st.characters(codec="utf-8", exclude_characters=BREAKS, exclude_categories=("Cc", "Cs")), max_size=12)
OLD = st.from_regex(r"[0-9]{1,3}\.[0-9]", fullmatch=True)
NEW = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}", fullmatch=True)


@settings(derandomize=True, deadline=None)
@given(comments=st.lists(ODD, min_size=4, max_size=4), newline=st.sampled_from(["\n", "\r\n"]),
       quote=st.sampled_from(["", "'", '"']), pad=st.integers(1, 4), old=OLD, new=NEW)  # fmt: skip
def test_nothing_but_the_tag_ever_changes_and_it_can_be_taken_back(
    comments: list[str], newline: str, quote: str, pad: int, old: str, new: str
) -> None:
    one, two, three, four = (f"# {comment}" for comment in comments)
    image = f"    image:{' ' * pad}{quote}acme/db:{old}{quote} {three}"
    lines = (
        one,
        "services:",
        f"  web: {{image: 'acme/db:{old}'}}",
        f"  db: {two}",
        image,
        "    volumes: ['a:/a']",
        four,
        "",
    )
    text = newline.join(lines)
    head, _, tail = text.rpartition(f"acme/db:{old}{quote}")
    edit = edit_of({BASE: text}, Change("db", f"acme/db:{old}", f"acme/db:{new}"))
    assert edit.apply(text.encode()) == f"{head}acme/db:{new}{quote}{tail}".encode()
    assert edit.revert(edit.apply(text.encode())) == text.encode()


def on_disk(folder: Path, text: str = SERVICE.format("acme/db:1.0")) -> tuple[Path, FileEdit]:
    path = folder / "docker-compose.yml"
    path.write_bytes(text.encode())
    edit = find_edit((str(path),), "", lambda name: Path(name).read_text() if name else None, TO_2)
    assert edit is not None
    return path, edit


def test_a_file_is_edited_and_edited_back_with_its_mode_and_its_link(tmp_path: Path) -> None:
    path, edit = on_disk(tmp_path)
    path.chmod(0o640)
    (link := tmp_path / "link.yml").symlink_to(path.name)
    through = edit.model_copy(update={"path": str(link)})
    before = path.read_bytes()
    for _ in range(2):  # doing it again changes nothing
        assert edit_file(through, back=False) == ""
        assert path.read_bytes() == before.replace(b":1.0", b":2.0")
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    for _ in range(2):
        assert edit_file(through, back=True) == ""
        assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["docker-compose.yml", "link.yml"]


def test_an_edited_file_keeps_its_owner(tmp_path: Path) -> None:
    path, edit = on_disk(tmp_path)
    owner = (1234, 4321) if os.geteuid() == 0 else (os.geteuid(), os.getegid())  # only root may give files away
    os.chown(path, *owner)
    assert edit_file(edit, back=False) == ""
    assert (path.stat().st_uid, path.stat().st_gid) == owner


def test_a_file_that_somebody_changed_or_removed_is_left_alone(tmp_path: Path) -> None:
    path, edit = on_disk(tmp_path)
    path.write_text("mine now\n")
    assert edit_file(edit, back=False) == "somebody changed it meanwhile"
    assert edit_file(edit, back=True) == "somebody changed it meanwhile"
    assert path.read_text() == "mine now\n"
    path.unlink()
    assert edit_file(edit, back=False) == "it is not on this machine"


def test_an_upgrade_that_could_not_change_the_file_says_at_its_end_what_to_write(tmp_path: Path) -> None:
    stage = next(each for each in STAGES if each.composed)
    written = f"services:\n  {NAME}:\n    image: vendor/mon:1.0\n"
    compose_file().write_text(written)
    runner = runner_on(build(stage), tmp_path)
    plan = runner.plan(NAME, Goal(to="2.0"), Options(deadline_s=10))
    compose_file().write_text(f"{written}# mine\n")
    end = runner.apply(plan)
    assert end.unedited == (f"{compose_file()}, line 3: image: vendor/mon:2.0",)
    assert f"Write it yourself, or compose brings the other version again: {end.unedited[0]}" in ending(end)


def project(folder: str, *files: str) -> Project:
    return Project(name="p", service="db", folder=folder, files=files, variables="", config_hash="", version="")


def test_relative_names_of_files_are_found_from_the_folder_or_above_it() -> None:
    there = {"/a/b/c.yml", "/a/d.yml", "/x/y.yml"}
    found = paths_of(project("/a/b", "c.yml"), there.__contains__)
    assert found == ("/a/b/c.yml",)
    assert paths_of(project("/a/b", "b/c.yml", "d.yml"), there.__contains__) == ("/a/b/c.yml", "/a/d.yml")
    assert paths_of(project("/a/b", "/x/y.yml"), there.__contains__) == ("/x/y.yml",)
    assert paths_of(project("/a/b", "-"), there.__contains__) == ()
    assert paths_of(project("", "c.yml"), there.__contains__) == ()


SHARED = "services:\n  db:\n    image: acme/db:${TAG}\n  web:\n    image: acme/web:${TAG}\n"


def test_a_variable_of_several_is_changed_once_where_all_of_them_change_along() -> None:
    files = {BASE: SHARED, DOTENV: "TAG=1.0\n"}
    with pytest.raises(Unclear, match="used elsewhere"):
        edit_of(files)
    edit = edit_of(files, replace(TO_2, along=(("web", "acme/web:2.0"),)))
    assert (edit.path, edit.apply(files[DOTENV].encode())) == (DOTENV, b"TAG=2.0\n")
    web = Change("web", "acme/web:1.0", "acme/web:2.0", along=(("db", "acme/db:2.0"),))
    assert find_edit((BASE,), DOTENV, reading({**files, DOTENV: "TAG=2.0\n"}), web) is None


def test_a_variable_of_several_is_left_where_one_of_them_goes_elsewhere() -> None:
    files = {BASE: SHARED, DOTENV: "TAG=1.0\n"}
    with pytest.raises(Unclear, match="reach other services"):
        edit_of(files, replace(TO_2, along=(("web", "acme/web:3.0"),)))


TOGETHER = {
    "a merge key": "x-d: &d\n  image: acme/db:1.0  # both\nservices:\n  db: {<<: *d}\n  replica: {<<: *d}\n",
    "an alias": "services:\n  db:\n    image: &i acme/db:1.0\n  replica:\n    image: *i\n",
    "extends": "services:\n  db:\n    image: acme/db:1.0\n  replica:\n    extends: db\n",
}


@pytest.mark.parametrize("how", TOGETHER)
def test_one_image_of_several_services_is_changed_once_where_all_of_them_go_there_together(how: str) -> None:
    text = TOGETHER[how]
    with pytest.raises(Unclear, match="in one with replica"):
        edit_of({BASE: text})
    with pytest.raises(Unclear, match="in one with replica"):
        edit_of({BASE: text}, replace(TO_2, along=(("replica", "acme/db:3.0"),)))
    edit = edit_of({BASE: text}, replace(TO_2, along=(("replica", "acme/db:2.0"),)))
    after = edit.apply(text.encode()).decode()
    assert after == text.replace("acme/db:1.0", "acme/db:2.0")
    replica = Change("replica", "acme/db:1.0", "acme/db:2.0", along=(("db", "acme/db:2.0"),))
    assert find_edit((BASE,), DOTENV, reading({BASE: after}), replica) is None


def test_an_anchor_that_something_else_uses_as_well_is_left() -> None:
    text = "x-i: &i acme/db:1.0\nservices:\n  db: {image: *i, labels: {v: *i}}\n  replica: {image: *i}\n"
    with pytest.raises(Unclear, match="something else"):
        edit_of({BASE: text}, replace(TO_2, along=(("replica", "acme/db:2.0"),)))
