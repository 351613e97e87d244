"""The lab's images on the engine: their labels, and that the misbehaving ones misbehave as their names say."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from images.build import main, missing
from images.docker import LABEL, BuildFailed, docker
from images.table import HERE, Wanted, read_table
from tests.lab.engines import Lab, until

TABLE = read_table((HERE / "table.txt").read_text())
TOOLS = ("rsync", "zstd", "git", "curl", "restic", "b3sum", "getfacl", "getfattr", "sha256sum", "tar", "jq")


@pytest.fixture
def misbehaving(lab: Lab, leftovers: str) -> Iterator[list[str]]:
    """Arguments of a docker run; what it starts is removed afterwards."""
    name = "misbehaving-" + leftovers.rpartition("=")[2]
    yield ["run", "--detach", "--label", leftovers, "--name", name]
    lab.docker("rm", "--force", "--volumes", name, check=False)


def _name(run: list[str]) -> str:
    return run[-1]


@pytest.mark.usefixtures("lab_images")
def test_what_is_built_is_up_to_date_and_building_again_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert missing(TABLE) == ()
    assert main([]) == 0
    assert capsys.readouterr().out == f"images: {len(TABLE)} up to date\n"


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_an_image_says_its_version_and_content_and_has_a_health_check_only_where_it_should(
    lab: Lab, row: Wanted
) -> None:
    config = json.loads(lab.docker("image", "inspect", "--format", "{{json .Config}}", row.name))
    assert config["Labels"]["org.opencontainers.image.version"] == row.tag
    assert config["Labels"][LABEL]
    assert ("Healthcheck" in config) == (row.folder.name in ("check", "misbehave", "netdata", "opqo"))


def test_the_tools_image_has_its_tools_and_no_entrypoint(lab: Lab, leftovers: str) -> None:
    script = "; ".join(f"command -v {tool}" for tool in TOOLS)
    found = lab.docker("run", "--rm", "--label", leftovers, "--network", "none", "refloat/tools:1", "sh", "-c", script)
    assert [path.rpartition("/")[2] for path in found.splitlines()] == list(TOOLS)
    assert lab.docker("image", "inspect", "--format", "{{.Config.Entrypoint}}", "refloat/tools:1") == "[]"


@pytest.mark.parametrize("product", ["postgres", "redis"])
def test_a_products_uid_is_the_same_in_all_its_versions(lab: Lab, leftovers: str, product: str) -> None:
    rows = [row for row in TABLE if row.folder.name == product]
    run = ["run", "--rm", "--label", leftovers, "--entrypoint", "id"]
    assert {lab.docker(*run, row.name, "-u", product) for row in rows} == {"999"}


@pytest.mark.parametrize(
    ("tag", "code", "line"),
    [
        ("crash", "3", "fatal: cannot go on"),
        ("crashloop", "1", "fatal: gave up"),
        ("dies-late", "4", "fatal: died late"),
        ("migrates-then-crashes", "5", "fatal: the migration was wrong"),
        ("other-uid", "1", "fatal: cannot write to /data as uid 4242"),
        ("oom", "137", "allocating"),
    ],
)
def test_what_ends_ends_with_its_code_and_a_last_word(
    lab: Lab, misbehaving: list[str], tag: str, code: str, line: str
) -> None:
    lab.docker(*misbehaving, "--memory", "30m", "--env", "DIES_AFTER_S=1", f"refloat-lab/misbehave:{tag}")
    name = _name(misbehaving)
    assert lab.docker("wait", name) == code
    assert line in lab.docker("logs", name)


@pytest.mark.parametrize("tag", ["1.0", "2.0", "slow-healthy", "migrates"])
def test_what_is_well_gets_healthy_and_stops_cleanly(lab: Lab, misbehaving: list[str], tag: str) -> None:
    lab.docker(*misbehaving, f"refloat-lab/misbehave:{tag}")
    name = _name(misbehaving)
    until(lambda: lab.state(name, "Health.Status") == "healthy", f"{tag} is healthy")
    assert lab.docker("exec", name, "wget", "-q", "-O-", "http://127.0.0.1:8000/version") == tag
    lab.docker("stop", name)
    assert lab.state(name, "ExitCode") == "0"


def test_what_is_never_healthy_is_found_unhealthy_while_it_runs(lab: Lab, misbehaving: list[str]) -> None:
    lab.docker(*misbehaving, "refloat-lab/misbehave:never-healthy")
    name = _name(misbehaving)
    until(lambda: lab.state(name, "Health.Status") == "unhealthy", "it is unhealthy")
    assert lab.state(name, "Running") == "true"


def test_what_ignores_term_has_to_be_killed(lab: Lab, misbehaving: list[str]) -> None:
    lab.docker(*misbehaving, "refloat-lab/misbehave:ignores-term")
    name = _name(misbehaving)
    until(lambda: lab.state(name, "Health.Status") == "healthy", "it is healthy")
    lab.docker("stop", "--time", "1", name)
    assert lab.state(name, "ExitCode") == "137"


def test_an_entrypoint_that_is_not_there_leaves_the_container_created(lab: Lab, misbehaving: list[str]) -> None:
    lab.docker(*misbehaving, "refloat-lab/misbehave:no-entrypoint", check=False)
    name = _name(misbehaving)
    assert (lab.state(name, "Status"), lab.state(name, "ExitCode")) == ("created", "127")


def test_migrating_changes_removes_and_adds_files(lab: Lab, misbehaving: list[str], leftovers: str) -> None:
    volume = _name(misbehaving)
    lab.docker("volume", "create", "--label", leftovers, volume)
    try:
        mount = ["--rm", "--label", leftovers, "--volume", f"{volume}:/data", "refloat-lab/busybox:1", "sh", "-c"]
        lab.docker("run", *mount, "echo first > /data/a; echo second > /data/b; echo third > /data/c")
        lab.docker(*misbehaving, "--volume", f"{volume}:/data", "refloat-lab/misbehave:migrates")
        until(lambda: lab.state(volume, "Health.Status") == "healthy", "it is healthy")
        assert lab.docker("run", *mount, "cd /data; ls; cat a").split() == [
            *("a", "c", "journal", "new-in-migrates", "schema"),
            *("migrated", "by", "migrates"),
        ]
    finally:
        lab.docker("rm", "--force", volume)
        lab.docker("volume", "rm", volume)


@pytest.mark.usefixtures("lab_images")
def test_a_build_that_fails_says_so_with_the_end_of_its_output() -> None:
    with pytest.raises(BuildFailed, match=r"(?s)docker build .* ended with 1:.*COPY failed"):
        docker("build", "-", stdin=b"FROM scratch\nCOPY nothing /\n")
