"""What a rehearsal's copy can reach on the real engine: neither a receiver, nor the host, nor the target itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import pytest

from runner.goal import Goal
from runner.isolation import Props, aliases_of, isolated
from runner.options import Options
from runner.parts import target_spec
from runner.playing import Ears
from runner.rehearsal import scene_from
from runner.rehearsing import Wanted, belongings, upgraded_copy
from runner.staging import make_clones, make_stand_in, on_stage, stand_ins, take_snapshot
from runner.vault.port import VaultPlace
from runner.verbs import Refloat
from tests.engine.rehearse_lab import SERVICE, Bench, bench_on, with_service


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        yield bench


@dataclass(frozen=True)
class Surroundings:
    """What a copy may try to reach, as addresses of pages."""

    beyond: tuple[str, ...]
    """What the target itself reaches."""
    own: tuple[str, ...]
    """The same host, as it would be seen from the copy's own network."""


def surroundings(bench: Bench) -> Surroundings:
    """A receiver on one network, the target on it and on another, a published port of it on every address."""
    near, far, receiver = f"{bench.name}-near", f"{bench.name}-far", f"{bench.name}-receiver"
    for network in (near, far):
        bench.docker("network", "create", network)
    label = f"refloat.test={bench.name}"
    bench.docker("run", "--detach", "--name", receiver, "--network", far, "--label", label, f"{SERVICE}:1.0")
    bench.run(f"{SERVICE}:1.0", "--volume", f"{bench.name}-data:/data", "--network", near, "--publish", "8000")
    bench.docker("network", "connect", far, bench.name)
    port = bench.docker("port", bench.name, "8000/tcp").splitlines()[0].rpartition(":")[2]
    gateways = [gateway_of(bench, network) for network in (near, far, "bridge")]
    hosts = [*(each.address for each in bench.engine.container(bench.name).endpoints),
             *(each.address for each in bench.engine.container(receiver).endpoints), receiver]  # fmt: skip
    bench.wait_for("wget", "-q", "-O", "/dev/null", f"http://{receiver}:8000/health")
    pages = (*(f"http://{host}:8000/health" for host in hosts),
             *(f"http://{gateway}:{port}/health" for gateway in gateways))  # fmt: skip
    return Surroundings(pages, (port,))


def gateway_of(bench: Bench, network: str) -> str:
    """A bridge network's host side: its first address, which a young engine does not tell of its default bridge."""
    subnet = bench.docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", network)
    return str(next(ip_network(subnet.strip()).hosts()))


def reached(bench: Bench, container: str, pages: tuple[str, ...], patience_s: int = 60) -> set[str]:
    """Which pages a container gets to see; all are asked at once, again and again."""
    again = 'until wget -q -O /dev/null "$0"; do sleep 0.3; done'
    one = f'timeout {patience_s} sh -c \'{again}\' "$page" >/dev/null 2>&1 && echo "$page"'
    ask = f'for page in "$@"; do ({one}) & done'
    return set(bench.docker("exec", container, "sh", "-c", f"{ask}; wait", "sh", *pages).split())


def test_the_copy_reaches_neither_a_receiver_nor_the_host_nor_production(bench: Bench) -> None:
    around, session = surroundings(bench), bench.session
    world, plan = Refloat(session).look(bench.name, Goal(to="2.0"), Options(), VaultPlace(volume=bench.vault))
    scene, spec = scene_from(plan, belongings(world), None), target_spec(world)
    with on_stage(session, scene):
        take_snapshot(session, scene, world.target)
        make_clones(session, scene)
        props = Props(scene.network, aliases_of(spec), stand_ins(session, scene))
        stand_in = make_stand_in(session, scene, world, isolated(spec, world.target, props))
        gateway = gateway_of(bench, scene.network)
        pages = (*around.beyond, *(f"http://{gateway}:{port}/health" for port in around.own))
        assert reached(bench, bench.name, around.beyond) == set(around.beyond), "the target itself reaches them all"
        assert reached(bench, scene.stand_in, ("http://127.0.0.1:8000/health",)), "the copy can ask at all"
        assert reached(bench, scene.stand_in, pages, patience_s=8) == set()
        assert stand_in.host_config["PortBindings"] in (None, {})
    assert bench.left() == []


REACHING = ("--network", "host", "--pid", "host", "--ipc", "host", "--cap-add", "SYS_PTRACE",
            "--device", "/dev/null:/dev/disk", "--volume", "/var/run/docker.sock:/var/run/docker.sock",
            "--volume", "/sys:/host/sys:ro", "--label", "traefik.enable=true",
            "--label", "com.docker.compose.project=shop")  # fmt: skip
TAKEN = ("the host's network", "the view of other processes", "memory shared with others", "SYS_PTRACE",
         "devices of the host", "/var/run/docker.sock of the host", "/sys of the host", "its restart policy",
         "its labels: com.docker.compose.project", "traefik.enable")  # fmt: skip


def test_a_target_that_lives_in_the_host_itself_is_rehearsed_without_the_host(bench: Bench) -> None:
    before = with_service(bench, *REACHING).process
    place, options = VaultPlace(volume=bench.vault), Options(dwell_s=0)
    world, plan = Refloat(bench.session).look(bench.name, Goal(to="2.0"), options, place)
    ears = Ears(tell=lambda _: None, follow=lambda _: None)
    with upgraded_copy(bench.session, world, plan, Wanted(options=options), ears) as (seen, played):
        assert seen.passed, seen.why
        assert played
        told = " | ".join(seen.taken)
        assert not [words for words in TAKEN if words not in told], told
        for copy in (played.successor, bench.engine.container(played.last.stand_in.id)):
            host = copy.host_config
            assert host["NetworkMode"] not in ("host", "default", "bridge")
            assert (host["PidMode"], host["Privileged"], host["PortBindings"] or {}) == ("", False, {})
            assert host["IpcMode"] != "host"
            assert (host["Devices"] or [], host["CpuShares"], host["PidsLimit"]) == ([], 512, 4096)
            assert host["OomScoreAdj"] == 900
            assert [mount.destination for mount in copy.mounts] == ["/data"]
            assert not {"traefik.enable", "com.docker.compose.project"} & set(copy.labels)
        look = "ls -d /var/run/* /dev/disk /host 2>/dev/null; ps"
        shown = bench.docker("exec", played.successor.id, "sh", "-c", look)
        assert "dockerd" not in shown
        assert "sock" not in shown
    assert bench.process == before
    assert bench.left() == []


def test_configuration_and_single_files_are_copies_that_neither_side_sees_the_others_edits_of(
    bench: Bench, tmp_path: Path
) -> None:
    conf, shown, own = tmp_path / "conf", tmp_path / "one.conf", tmp_path / "app.db"
    conf.mkdir()
    for file in (conf / "a", shown, own):
        file.write_text("as it was", encoding="utf-8")
    with_service(bench, "--volume", f"{conf}:/conf:ro", "--volume", f"{shown}:/etc/one.conf:ro",
                 "--volume", f"{own}:/app.db", "--memory", "200m")  # fmt: skip
    place, options = VaultPlace(volume=bench.vault), Options(dwell_s=0)
    world, plan = Refloat(bench.session).look(bench.name, Goal(to="migrates"), options, place)
    ears = Ears(tell=lambda _: None, follow=lambda _: None)
    with upgraded_copy(bench.session, world, plan, Wanted(options=options), ears) as (seen, played):
        assert seen.passed, seen.why
        assert played
        copy = played.successor
        for file in (conf / "a", shown, own):
            file.write_text("edited since", encoding="utf-8")
        look = "cat /conf/a /etc/one.conf /app.db; echo 'by the copy' >/app.db; touch /conf/a /etc/one.conf 2>&1; true"
        said = bench.docker("exec", copy.id, "sh", "-c", look)
        assert said.startswith("as it was" * 3)
        assert said.count("Read-only file system") == 2
        assert own.read_text(encoding="utf-8") == "edited since"
        assert copy.host_config["Memory"] == 200 * 1024 * 1024
        assert "its own limit of 210 MB of memory" in seen.limits[0]
        back = played.taken_back(seen)
        assert (back.rolled_back, back.why) == (True, "")
    assert bench.left() == []
