"""Checkmk's way of upgrading, on its stand-in: the entrypoint updates the site, and every trap of it ends well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.answers import answers_file
from tests.engine.upgrade_lab import Bench, bench_on
from tests.lab.engines import until

CHECKMK, ENTERPRISE = "refloat-lab/check-mk-raw", "refloat-lab/check-mk-enterprise"
OLD, NEW, BREAKS, OTHER_SITE = "2.2.0p47", "2.3.0p43", "2.3.0p50", "2.3.0p51"
SITE = "/omd/sites/cmk"


@pytest.fixture
def bench(engine_host: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(engine_host, tmp_path) as made:
        yield made


def site(bench: Bench, *options: str) -> None:
    """A site of the old version with something of its own in it, whose owner has read of the next major."""
    bench.acknowledge("2.3.0", "werks-2-3")
    bench.run(f"{CHECKMK}:{OLD}", "--volume", f"{bench.data}:/omd/sites", *options)
    until(lambda: "### CONTAINER STARTED" in bench.docker("logs", bench.name), "the site started")
    bench.exec("sh", "-c", f'echo \'all_hosts = ["srv1", "srv2"]\' >{SITE}/etc/check_mk/main.mk')


def version(bench: Bench) -> str:
    return Path(bench.exec("readlink", f"{SITE}/version")).name


def test_a_long_update_is_unhealthy_and_yet_waited_for(bench: Bench) -> None:
    site(bench, "--env", "STAND_IN_STEP_S=3")
    ran = bench.apply("--to", NEW, "--deadline", "6")
    assert ran.status == 0, ran.out + ran.err
    assert version(bench) == f"{NEW}.cre"


def test_an_update_that_breaks_half_way_goes_back_to_the_site_as_it_was_also_with_rm(bench: Bench) -> None:
    site(bench, "--rm")
    before = bench.tree()
    ran = bench.apply("--to", BREAKS)
    assert ran.status == 5, ran.out + ran.err
    assert "cannot migrate part 3" in ran.out + ran.err
    assert bench.tree() == before
    assert version(bench) == f"{OLD}.cre"
    assert bench.exec("omd", "status") == "Overall state:  running"
    bench.upgraded("--to", NEW)
    assert version(bench) == f"{NEW}.cre"


def test_a_new_empty_site_is_a_danger_and_no_success(bench: Bench) -> None:
    site(bench)
    before = bench.tree()
    ran = bench.apply("--to", OTHER_SITE)
    assert ran.status == 5, ran.out + ran.err
    assert "### CREATING SITE" in ran.out + ran.err
    assert bench.tree() == before


def test_the_incompatible_werks_of_the_next_major_are_waited_for_and_counted(bench: Bench) -> None:
    site(bench)
    answers_file(bench.home).unlink()
    started = bench.target.state.started_at
    waiting = bench.apply("--to", NEW, "--json")
    assert (waiting.status, waiting.error) == (75, "note-unread"), waiting.out + waiting.err
    assert bench.target.state.started_at == started
    listed = {one["name"]: one["notes_unread"] for one in json.loads(bench.refloat("ls", "--json").out)}
    told = bench.refloat("notes", bench.name, "--to", NEW, "--ack", "werks-2-3")
    assert "acknowledged by " in told.out
    fewer = {one["name"]: one["notes_unread"] for one in json.loads(bench.refloat("ls", "--json").out)}
    assert fewer[bench.name] == listed[bench.name] - 1


def test_an_update_that_runs_is_not_stopped_and_what_one_left_behind_is_found_before_anything_is_touched(
    bench: Bench,
) -> None:
    site(bench)
    bench.docker("rm", "--force", bench.name)
    bench.run(f"{CHECKMK}:{NEW}", "--volume", f"{bench.data}:/omd/sites", "--env", "STAND_IN_STEP_S=3600")
    until(lambda: "-| Updating" in bench.docker("logs", bench.name), "the update is under way")
    started = bench.target.state.started_at
    ran = bench.apply("--to", BREAKS)
    assert (ran.status, "it is migrating its data" in ran.err) == (3, True), ran.told
    assert "no-interrupted-update" in ran.err, "what it needs meanwhile is what it leaves when it is cut off"
    assert bench.target.state.started_at == started


def test_a_plan_lists_the_files_and_packages_of_ones_own(bench: Bench) -> None:
    site(bench)
    bench.exec("sh", "-c", f"mkdir {SITE}/local/checks && touch {SITE}/local/checks/mine {SITE}/local/checks/packed")
    packed = "echo until=2.3.0; echo local/checks/packed"
    bench.exec("sh", "-c", f"({packed}) >{SITE}/var/check_mk/packages/weather-1.2")
    warnings = json.loads(bench.plan("--to", NEW, "--json").out)["warnings"]
    listed = [one["text"] for one in warnings if one["code"] == "customised"]
    told = {text.partition(",")[0]: text for text in listed}
    assert set(told) == {"local files", "extension packages", "unpackaged files"}
    assert "checks/mine" in told["local files"]
    assert told["extension packages"].endswith(": weather 1.2")
    (outdated,) = (one["text"] for one in warnings if one["code"] == "outdated")
    assert f"extension packages that {NEW} makes outdated: weather 1.2 (until 2.3.0)" in outdated
    assert told["unpackaged files"].endswith("local/checks/mine")


def test_the_entrypoint_updates_the_site_and_a_later_rollback_brings_the_old_version_with_its_own_data(
    bench: Bench,
) -> None:
    """An older image alone starts without a word on the newer data."""
    site(bench)
    before = bench.tree()
    bench.upgraded("--to", NEW)
    assert version(bench) == f"{NEW}.cre"
    assert bench.exec("cat", f"{SITE}/etc/check_mk/main.mk") == 'all_hosts = ["srv1", "srv2"]'
    assert bench.exec("cat", f"{SITE}/var/check_mk/format") == "2.3.0"
    assert "### CREATING SITE" not in bench.docker("logs", bench.name)
    ran = bench.refloat("rollback", bench.name, "--yes")
    assert ran.status == 0, ran.out + ran.err
    assert bench.tree() == before
    assert version(bench) == f"{OLD}.cre"


def test_a_rehearsal_updates_a_copy_of_the_site(bench: Bench) -> None:
    site(bench)
    for goal, status in ((NEW, 0), (BREAKS, 4)):
        ran = bench.refloat("rehearse", bench.name, "--to", goal, "--vault", bench.vault, "--dwell", "1")
        assert ran.status == status, ran.out + ran.err
    assert version(bench) == f"{OLD}.cre"


def test_sites_of_several_versions_live_side_by_side_and_only_what_no_site_uses_would_go(bench: Bench) -> None:
    """Only looked at, not removed: other tests' images lie on this engine, too."""
    ours, other = f"{bench.name}/check-mk-raw", f"{bench.name}-two"
    for tag, made in (("2.1.0p50", OLD), (OLD, OLD), (NEW, NEW), ("2.4.0p23", NEW)):
        bench.build(f"{ours}:{tag}", f"FROM {CHECKMK}:{made}\nLABEL org.opencontainers.image.version={tag}\n")
    bench.run(f"{ours}:{OLD}", "--volume", f"{bench.data}:/omd/sites")
    bench.run(f"{ours}:{NEW}", "--volume", f"{bench.data}-two:/omd/sites", name=other)
    listed = {one["name"]: one for one in json.loads(bench.refloat("ls", "--json").out)}
    assert (listed[bench.name]["version"], listed[other]["version"]) == (OLD, NEW)
    offered = bench.refloat("prune", "--versions", "--vault", bench.vault)
    assert [word for word in offered.err.split() if word.startswith(ours)] == [f"{ours}:2.1.0p50"], offered.told
    assert offered.status != 0, "nobody was there to say yes"
    until(lambda: "### CONTAINER STARTED" in bench.docker("logs", other), "the other site started")
    bench.docker("rm", "--force", other)
    bench.docker("create", "--name", other, "--volume", f"{bench.data}-two:/omd/sites", f"{ours}:{OLD}")
    gone_back = json.loads(bench.refloat("versions", other, "--offline", "--json").out)
    assert (gone_back["version"], gone_back["data"]) == (OLD, f"{NEW}.cre")


@pytest.mark.parametrize(
    ("leaving", "into", "site_of", "said"),
    [
        ("check-mk-free:2.2.0p47", "check-mk-enterprise:2.2.0p47", "2.2.0p47.cee", ()),
        ("check-mk-raw:2.4.0p23", "check-mk-community:2.5.0", "2.5.0.community", ()),
        ("check-mk-raw:2.2.0p47", "check-mk-raw:2.4.0p23", "2.4.0p23.cre", ("--force",)),
    ],
    ids=["free to full", "new names", "forced"],
)
def test_editions_of_both_naming_generations_and_a_forced_skip(
    bench: Bench, leaving: str, into: str, site_of: str, said: tuple[str, ...]
) -> None:
    for minor in (3, 4, 5):
        bench.acknowledge(f"2.{minor}.0", f"werks-2-{minor}")
    bench.run(f"refloat-lab/{leaving}", "--volume", f"{bench.data}:/omd/sites")
    until(lambda: "### CONTAINER STARTED" in bench.docker("logs", bench.name), "the site started")
    bench.upgraded("--image", f"refloat-lab/{into}", *said)
    assert version(bench) == site_of


def test_version_and_edition_change_one_after_the_other(bench: Bench) -> None:
    site(bench)
    both = bench.plan("--image", f"{ENTERPRISE}:{NEW}", "--json")
    assert (both.status, both.error) == (3, "hop"), both.out
    assert "Version and edition change one after the other." in both.out
    assert f"Within reach: {NEW}." in both.out
    ran = bench.upgraded("--image", f"{ENTERPRISE}:{OLD}")
    assert "Nagios stays the core" in ran.err
    assert version(bench) == f"{OLD}.cee"
    assert "enterprise" in bench.refloat("ls").out


def test_defaults_of_a_site_are_refreshed_with_its_name_in_them_and_the_modes_of_their_list(
    bench: Bench, tmp_path: Path
) -> None:
    config = tmp_path / "refloat.yaml"
    config.write_text(
        f"targets:\n  {bench.name}:\n    config_paths:\n    - path: {SITE}\n"
        "      defaults: /omd/versions/default/skel\n"
        "      permissions: /omd/versions/default/skel.permissions\n"
    )
    site(bench)
    bench.exec("sed", "-i", "s,^HTTP_PROXY=,&http://proxy:3128,", f"{SITE}/etc/environment")
    line = (bench.name, "--to", NEW, "--vault", bench.vault)
    seen = bench.refloat("refresh", *line[:3], REFLOAT_CONFIG=str(config)).out
    assert "* Merged         etc/environment" in seen
    assert "Permissions    0644 -> 0640 etc/environment" in seen
    ran = bench.refloat("apply", *line, "--dwell", "1", REFLOAT_CONFIG=str(config))
    assert ran.status == 0, ran.out + ran.err
    text = f"# Environment of site cmk in {SITE}\n\nHTTP_PROXY=http://proxy:3128\n\n# as of 2.3.0"
    assert bench.exec("cat", f"{SITE}/etc/environment") == text
    assert bench.exec("stat", "-c", "%a %u", f"{SITE}/etc/environment") == "640 1000"
