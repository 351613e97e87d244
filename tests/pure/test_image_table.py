"""How images/table.txt is read, and what an image's content key depends on."""

from __future__ import annotations

import io
import tarfile

import pytest

from images.build import point_release_instead, select, sharing
from images.table import HERE, SHARED, content_key, context_files, context_tar, read_table

TABLE = read_table((HERE / "table.txt").read_text())


def test_a_line_yields_one_image_for_each_tag_of_each_suite() -> None:
    rows = read_table("# a comment\nlab/x  one=1,2 two=3 RUN_AS=7  # another\n\n")
    assert [(row.name, row.suite, row.arguments) for row in rows] == [
        ("lab/x:1", "one", ("RUN_AS=7",)),
        ("lab/x:2", "one", ("RUN_AS=7",)),
        ("lab/x:3", "two", ("RUN_AS=7",)),
    ]


@pytest.mark.parametrize("line", ["lab/x", "lab/x bookworm"])
def test_a_line_that_is_no_product_is_refused_with_its_text(line: str) -> None:
    with pytest.raises(ValueError, match=line):
        read_table(line)


def test_no_image_is_asked_for_twice_and_each_has_a_dockerfile() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)
    assert all((row.folder / "Dockerfile").is_file() for row in TABLE)


def test_the_real_products_are_there_in_the_versions_the_tests_need() -> None:
    tags = {row.folder.name: {r.tag for r in TABLE if r.folder == row.folder} for row in TABLE}
    assert tags["prometheus"] == {"2.24.1", "2.42.0", "2.53.3", "3.5.3"}
    assert tags["postgres"] == {"13", "15", "17"}
    assert {tag.split(".")[0] for tag in tags["redis"]} == {"6", "7", "8"}
    assert len(tags["alertmanager"]) == 2


def test_the_key_differs_for_every_image_and_changes_with_the_base() -> None:
    keys = [content_key(row, "base") for row in TABLE]
    assert len(set(keys)) == len(keys)
    assert content_key(TABLE[0], "base") == keys[0] != content_key(TABLE[0], "another base")


def test_a_context_has_the_folder_and_the_shared_files_and_is_the_same_each_time() -> None:
    row = TABLE[0]
    assert {path.parent for _, path in context_files(row)} >= {SHARED, row.folder}
    assert context_tar(row) == context_tar(row)
    with tarfile.open(fileobj=io.BytesIO(context_tar(row))) as tar:
        assert {"Dockerfile", "lab-install"} <= set(tar.getnames())


def test_a_name_selects_by_repository_by_its_end_or_exactly() -> None:
    assert {row.tag for row in select(TABLE, ["redis"])} == {row.tag for row in select(TABLE, ["refloat-lab/redis"])}
    assert [row.name for row in select(TABLE, ["refloat-lab/redis:7.0.15"])] == ["refloat-lab/redis:7.0.15"]
    assert select(TABLE, []) == TABLE
    with pytest.raises(SystemExit, match=r"nothing .* is called nonsense"):
        select(TABLE, ["nonsense"])


def test_images_of_one_dockerfile_and_suite_are_built_in_turn_and_share_what_is_alike() -> None:
    rows = select(TABLE, ["zabbix"])
    assert {row.folder.name for row in rows} == {"zabbix"}
    assert [len({row.suite for row in alike}) for alike in sharing(rows)] == [1, 1, 1]
    assert {row for alike in sharing(TABLE) for row in alike} == set(TABLE)
    assert [row.name for row in select(TABLE, ["zabbix-agent"])] == [
        "refloat-lab/zabbix-agent:5.0.8",
        "refloat-lab/zabbix-agent:6.0.14",
        "refloat-lab/zabbix-agent:7.0.22",
    ]


@pytest.mark.parametrize(
    ("has", "instead"), [("3.5.4+ds", "3.5.4"), ("3.5.12", "3.5.12"), ("3.6.0+ds", ""), ("3.5", ""), ("4.5.3", "")]
)
def test_a_suite_that_moved_by_a_point_release_gives_that_one_and_any_other_move_fails(has: str, instead: str) -> None:
    said = f"docker build … ended with 1:\nthis suite has prometheus {has} now, not 3.5.3: change images/table.txt\n"
    assert point_release_instead("3.5.3", said) == instead
    assert point_release_instead("3.5.3", "the mirror does not answer") == ""
