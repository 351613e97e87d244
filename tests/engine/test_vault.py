"""The real vault on a real engine: faithful, sealed, restorable, and repeatable after anything that dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from runner.engine.docker import DockerEngine, connect_engine
from runner.engine.port import Conversation
from runner.errors import NotFound, RefloatError
from runner.vault import containers
from runner.vault.answers import COMMAND, request_json
from runner.vault.port import Source, VaultError, VaultPlace
from runner.vault.tools import container_body, held_vault
from runner.vault.vault import DockerVault
from tests.engine.vault_bench import TOOLS, Bench, laid_out

ODD_FILES = r"""
mkdir -p plain empty unreadable long
echo text >plain/file; ln plain/file plain/hard; ln -s nowhere plain/dangling; ln -s file plain/symlink
chmod 0 unreadable; chmod 4755 plain/file; chown 4242:999 plain
mkfifo pipe; mknod null c 1 3; mknod disk b 7 0
python3 -c 'import os; os.mknod("socket", 0o140600)'
touch $'new\nline' $'\xff\xfe' "$(printf '%255s' | tr ' ' n)"
truncate -s 64M sparse; printf end >>sparse
cp /bin/true capable
python3 -c 'import os; os.setxattr("capable", "security.capability", b"\1\0\0\2\0\x20" + bytes(14))'
setfattr -n user.note -v text plain/file; setfacl -m u:77:r plain/file; setfacl -d -m g:78:rwx plain
touch -d '1969-12-31 23:59:58.123456789 UTC' plain/hard; touch -d '2040-01-01 00:00:00.000000001 UTC' empty
"""


@pytest.fixture(scope="module")
def engine(engine_host: str) -> DockerEngine:
    return connect_engine(engine_host)


@pytest.fixture
def bench(engine: DockerEngine, leftovers: str) -> Iterator[Bench]:
    with laid_out(engine, leftovers) as laid:
        yield laid


def refused(code: str) -> pytest.RaisesExc[VaultError]:
    return pytest.RaisesExc(VaultError, check=lambda no: no.code == code)


def test_every_odd_file_survives_snapshot_and_restore(bench: Bench) -> None:
    bench.shell(bench.data, ODD_FILES)
    before = bench.portrait(bench.data)
    room = bench.snapshot()
    assert bench.portrait(bench.place.volume, f"/t/{room.run}/data/d0") == before
    bench.shell(
        bench.data, "rm -rf plain sparse; echo >'new\nline'; chmod 700 unreadable; touch added; rm null; mkdir null"
    )
    bench.vault.restore(room, bench.sources)
    assert bench.portrait(bench.data) == before
    bench.vault.verify(room)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_random_tree_is_restored_in_every_respect(bench: Bench, seed: int) -> None:
    bench.python(bench.data, f"grow(b'/v', random.Random({seed}), 60)")
    before = bench.portrait(bench.data)
    room = bench.snapshot()
    bench.python(bench.data, f"damage(b'/v', random.Random({seed}), 40)")
    bench.vault.restore(room, bench.sources)
    assert bench.portrait(bench.data) == before


def test_ten_thousand_files_in_one_folder(bench: Bench) -> None:
    bench.shell(bench.data, "mkdir many; cd many; seq 10000 | split -l 1 -a 4 - f")
    room = bench.snapshot()
    bench.shell(bench.data, "rm many/faa*; echo 7 >many/fbbb; touch many/more")
    before = bench.vault.sealed(room)
    assert before.entries == 10_002
    assert bench.vault.restore(room, bench.sources).copied_entries < 1000
    assert bench.shell(bench.data, "cat many/* | sort -n | md5sum") == bench.shell(bench.data, "seq 10000 | md5sum")


def test_what_changes_while_the_service_runs_is_caught_when_it_is_down(bench: Bench) -> None:
    bench.shell(bench.data, "echo old >secret; touch -d 2020-01-01 secret; echo 1 >gone; seq 9 >same")
    room = bench.room()
    bench.vault.warm_copy(room, bench.sources)
    bench.shell(bench.data, "echo new >secret; touch -d 2020-01-01 secret; rm gone; echo 2 >fresh")
    bench.vault.cold_copy(room, bench.sources)
    bench.vault.seal(room, bench.sources, {})
    copy = f"t/{room.run}/data/d0"
    assert bench.shell(bench.place.volume, f"cd {copy}; ls; cat secret") == "fresh\nsame\nsecret\nnew\n"


def test_several_sources_volumes_and_paths_are_one_set(bench: Bench) -> None:
    bench.shell(bench.data, "mkdir sub; echo 1 >sub/x; echo cfg >file.conf")
    root = bench.engine.volume(bench.data).mountpoint
    sources = (
        Source(key="d0", volume=bench.volume("more"), destination="/more"),
        Source(key="d1", path=f"{root}/sub", destination="/sub"),
        Source(key="d2", path=f"{root}/file.conf", destination="/etc/file.conf"),
    )
    room = bench.snapshot(sources=sources)
    assert bench.vault.sealed(room).sources == sources
    bench.shell(bench.data, "echo 2 >sub/x; echo other >file.conf")
    bench.vault.restore(room, sources)
    assert bench.shell(bench.data, "cat sub/x file.conf") == "1\ncfg\n"


def test_copying_never_writes_to_the_source_and_knows_no_network(bench: Bench) -> None:
    bench.vault.warm_copy(bench.room(), bench.sources)
    (tools,) = bench.engine.containers({"refloat.run": f"{bench.mark}-r1", "refloat.role": "tools"})
    assert {mount.destination: mount.rw for mount in tools.mounts} == {"/vault": True, "/sources/d0": False}
    assert tools.host_config["NetworkMode"] == "none"
    assert tools.host_config["ReadonlyRootfs"] is True


def test_a_tools_container_that_is_stopped_or_gone_is_made_again(bench: Bench) -> None:
    bench.shell(bench.data, "echo 1 >a")
    room = bench.room()
    bench.vault.warm_copy(room, bench.sources)
    bench.engine.stop(f"refloat-tools-{room.run}", 60)
    bench.vault.cold_copy(room, bench.sources)
    bench.engine.remove_container(f"refloat-tools-{room.run}", force=True)
    bench.vault.seal(room, bench.sources, {})
    DockerVault(bench.engine).verify(room)


def test_a_copy_whose_container_is_killed_ends_well_all_the_same(bench: Bench) -> None:
    bench.shell(bench.data, "head -c 200M /dev/urandom | split -b 1M - part")
    room = bench.room()
    bench.vault.write_papers(room, {"plan.json": "{}"})
    copying = threading.Thread(target=bench.vault.warm_copy, args=(room, bench.sources))
    copying.start()
    while copying.is_alive():
        if "d0" in bench.shell(bench.place.volume, f"ls t/{room.run}/data"):
            bench.engine.kill(f"refloat-tools-{room.run}")
            break
    copying.join()
    bench.vault.cold_copy(room, bench.sources)
    bench.vault.seal(room, bench.sources, {})
    assert bench.portrait(bench.place.volume, f"/t/{room.run}/data/d0") == bench.portrait(bench.data)


def test_closing_a_run_takes_its_containers_away_and_may_be_repeated(bench: Bench) -> None:
    room = bench.snapshot()
    bench.vault.close(room.run)
    bench.vault.close(room.run)
    assert bench.engine.containers({"refloat.run": room.run}) == ()


def test_unsealed_damaged_and_foreign_snapshots_are_refused_by_name(bench: Bench) -> None:
    bench.shell(bench.data, "echo 1 >a")
    unsealed = bench.room("r0")
    bench.vault.warm_copy(unsealed, bench.sources)
    room = bench.snapshot()
    with refused("unsealed"):
        bench.vault.restore(unsealed, bench.sources)
    with refused("foreign"):
        bench.vault.restore(room, (Source(key="d0", volume=bench.volume("other"), destination="/data"),))
    bench.shell(bench.place.volume, f"sed -i s/1/2/ t/{room.run}/data/d0/a")
    bench.vault.sealed(room)
    with refused("damaged") as no:
        bench.vault.verify(room)
    assert room.run in no.value.what
    assert "a of d0" in no.value.what
    assert no.value.then
    bench.shell(bench.place.volume, f"sed -i s/sha256:/sha256:0/ t/{room.run}/seal.json")
    with refused("damaged"):
        bench.vault.sealed(room)


def test_papers_and_rooms_are_there_before_and_after_a_snapshot(bench: Bench) -> None:
    room = bench.room()
    papers = {"plan.json": '{"ü": 1}', "facts.json": "x" * 500_000}
    assert bench.vault.read_papers(room) == {}
    bench.vault.write_papers(room, papers)
    assert bench.vault.read_papers(room) == papers
    bench.snapshot()
    newer = bench.snapshot("r2")
    assert [(seen.room, seen.sealed) for seen in bench.vault.rooms(bench.place)] == [(newer, True), (room, True)]
    assert bench.vault.read_papers(room) == papers
    bench.vault.discard(room)
    bench.vault.discard(room)
    assert [seen.room for seen in bench.vault.rooms(bench.place)] == [newer]


def test_where_there_is_no_vault_there_are_no_rooms(bench: Bench) -> None:
    nowhere = VaultPlace(volume=f"{bench.mark}-nowhere")
    assert bench.vault.rooms(nowhere) == ()
    assert bench.vault.rooms(VaultPlace(path=f"/nowhere/{bench.mark}")) == ()
    bench.vault.discard(bench.room().model_copy(update={"place": nowhere}))
    with pytest.raises(NotFound):
        bench.engine.volume(nowhere.volume)


def test_a_vault_can_be_a_path_on_the_engines_host(bench: Bench) -> None:
    bench.shell(bench.data, "echo 1 >a")
    bench.place = VaultPlace(path=bench.engine.volume(bench.volume("elsewhere")).mountpoint)
    room = bench.snapshot()
    bench.shell(bench.data, "echo 2 >a")
    bench.vault.restore(room, bench.sources)
    assert bench.shell(bench.data, "cat a") == "1\n"
    bench.place = VaultPlace(path="/nowhere/at/all")
    with refused("no-path") as no:
        bench.snapshot("r2")
    assert "/nowhere/at/all" in no.value.what


def test_a_full_vault_is_a_clean_no_and_the_copy_can_go_on_elsewhere(bench: Bench) -> None:
    bench.shell(bench.data, "head -c 20M /dev/urandom >big")
    small = bench.volume("small", {"type": "tmpfs", "device": "tmpfs", "o": "size=4m"})
    full = bench.room().model_copy(update={"place": VaultPlace(volume=small)})
    with refused("no-space") as no:
        bench.vault.warm_copy(full, bench.sources)
    assert no.value.then
    with refused("unsealed"):
        bench.vault.sealed(full)
    bench.vault.discard(full)
    bench.vault.close(full.run)
    bench.snapshot()


def test_sizes_and_free_space_are_measured(bench: Bench) -> None:
    bench.shell(bench.data, "head -c 1M /dev/urandom >big; mkdir sub")
    (measured,), space = bench.vault.measure(bench.place, bench.sources)
    assert (measured.key, measured.entries) == ("d0", 3)
    assert 1 << 20 <= measured.size_bytes < 2 << 20
    assert space.free_bytes > 1 << 20
    assert space.free_inodes > 0


def test_measuring_makes_no_vault(bench: Bench) -> None:
    nowhere = VaultPlace(volume=f"{bench.mark}-nowhere")
    (measured,), space = bench.vault.measure(nowhere, bench.sources)
    assert measured.entries == 1
    assert space.free_bytes > 1 << 20
    with pytest.raises(NotFound):
        bench.engine.volume(nowhere.volume)


def test_an_image_that_is_not_the_vaults_is_refused_and_says_what_to_type(bench: Bench) -> None:
    with refused("no-tools") as no:
        DockerVault(bench.engine, "refloat-lab/busybox:1").measure(bench.place, bench.sources)
    assert "docker build" in no.value.then


def test_looks_whose_process_or_engine_died_are_cleared_by_the_next_and_one_at_work_stays(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = (held_vault(bench.place),)
    names = {state: f"refloat-tools-{bench.mark}{state}" for state in ("ended", "left", "asking")}
    for name in names.values():
        bench.engine.create_container(name, container_body(TOOLS, "", "tools", held))
        bench.engine.start(name)
    old = {bench.engine.container(name).created for name in names.values()}  # others look on this engine meanwhile
    monkeypatch.setattr(containers, "is_older", lambda since, *_: since in old)
    bench.engine.kill(names["ended"])
    bench.engine.wait(names["ended"], 60)
    with closing_in(bench, names["asking"]) as asking:
        DockerVault(bench.engine).rooms(bench.place)
        there = {each.name for each in bench.engine.containers(volume=bench.place.volume)}
        assert there & set(names.values()) == {names["asking"]}
        assert asking.ask(request_json("rooms"), 60).stdout
    DockerVault(bench.engine).rooms(bench.place)
    assert not bench.engine.containers(volume=bench.place.volume)


@contextmanager
def closing_in(bench: Bench, name: str) -> Iterator[Conversation]:
    """Somebody asks in that container; it is over when the program has ended."""
    asking = bench.engine.converse(name, (COMMAND,))
    try:
        yield asking
    finally:
        asking.hang_up()
        ended = ["sh", "-c", "while pgrep -f [r]efloat-vault; do sleep 0.1; done"]
        bench.engine.execute(name, ended, timeout_s=60)


def test_a_volume_that_is_gone_is_an_error_and_not_made_empty(bench: Bench) -> None:
    gone = Source(key="d0", volume=f"{bench.mark}-gone", destination="/data")
    with refused("no-source"):
        bench.snapshot(sources=(gone,))
    with pytest.raises(NotFound):
        bench.engine.volume(gone.volume)


def test_two_clones_of_one_snapshot_are_written_to_and_the_snapshot_stays_as_it_was(bench: Bench) -> None:
    bench.shell(bench.data, ODD_FILES)
    room = bench.snapshot()
    names = [bench.volume("c1"), bench.volume("c2")]
    for name in names:
        bench.engine.remove_volume(name)
        assert bench.vault.clone(room, {"d0": name}, {}) in ("overlay", "reflink", "copy")
        bench.shell(name, "rm -r plain/hard empty; echo other >plain/file; echo 1 >added")
        assert bench.shell(name, "cat plain/file added; stat -c %u:%a plain unreadable") == "other\n1\n4242:755\n0:0\n"
    bench.vault.verify(room)
    with refused("in-use"):
        bench.vault.discard(room)
    for name in names:
        bench.engine.remove_container(bench.hands(name), force=True)
        bench.vault.drop_clone(room, {"d0": name})
        bench.vault.drop_clone(room, {"d0": name})
    bench.vault.discard(room)


def test_discarding_takes_clones_along_that_nobody_uses(bench: Bench) -> None:
    room = bench.snapshot()
    name = f"{bench.mark}-clone"
    bench.vault.clone(room, {"d0": name}, {})
    bench.vault.discard(room)
    with pytest.raises(NotFound):
        bench.engine.volume(name)


def test_a_clone_without_overlay_is_a_copy(bench: Bench) -> None:
    bench.shell(bench.data, ODD_FILES)
    bench.place = VaultPlace(volume=bench.volume("ram", {"type": "tmpfs", "device": "tmpfs", "o": "size=64m"}))
    bench.hands(bench.place.volume)  # what is in memory is gone with its last user
    room = bench.snapshot()
    name = bench.volume("clone")
    assert bench.vault.clone(room, {"d0": name}, {}) == "copy"
    assert bench.portrait(name) == bench.portrait(bench.data)
    bench.engine.remove_container(bench.hands(name), force=True)
    bench.vault.drop_clone(room, {"d0": name})


def test_what_the_vault_says_no_with_answers_three_questions(bench: Bench) -> None:
    with pytest.raises(RefloatError) as no:
        bench.vault.sealed(bench.room())
    assert all((no.value.what, no.value.stands, no.value.then))
