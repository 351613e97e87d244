"""Programs with their own ideas of a filesystem, at work on clones: links, maps, direct writes, renamed folders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner.engine.docker import connect_engine
from runner.vault.port import Room
from tests.engine.vault_bench import Bench, laid_out


@pytest.fixture
def bench(engine_host: str, leftovers: str) -> Iterator[Bench]:
    with laid_out(connect_engine(engine_host), leftovers) as laid:
        yield laid


def cloned(bench: Bench, room: Room, name: str = "clone") -> str:
    clone = bench.volume(name)
    bench.engine.remove_volume(clone)
    assert bench.vault.clone(room, {"d0": clone}, {}) == "overlay"
    return clone


def test_names_of_one_file_in_several_folders_stay_names_of_one_file(bench: Bench) -> None:
    bench.shell(bench.data, "mkdir a b; echo old >a/one; ln a/one b/two; ln a/one b/three")
    room = bench.snapshot()
    clone = cloned(bench, room)
    bench.shell(clone, "echo new >>a/one; rm b/three; ln b/two a/four")
    assert bench.shell(clone, "cat b/two a/four; stat -c %h a/one") == "old\nnew\nold\nnew\n3\n"
    assert bench.shell(bench.data, "cat b/two") == "old\n"
    bench.vault.verify(room)


def test_a_folder_is_renamed_as_a_whole(bench: Bench) -> None:
    bench.shell(bench.data, "mkdir -p 000001.tmp/chunks; seq 100 >000001.tmp/chunks/1; chown -R 7:8 000001.tmp")
    room = bench.snapshot()
    clone = cloned(bench, room)
    bench.python(clone, "os.rename('/v/000001.tmp', '/v/000001')")
    assert bench.shell(clone, "ls; md5sum <000001/chunks/1; stat -c %u:%g 000001/chunks") == bench.shell(
        bench.data, "echo 000001; md5sum <000001.tmp/chunks/1; stat -c %u:%g 000001.tmp/chunks"
    )
    bench.vault.verify(room)


MAPPED = """
import mmap
path = '/v/index'
with open(path, 'r+b') as file, mmap.mmap(file.fileno(), 0) as mapped:
    mapped[5000:5004] = b'late'
    with open(path, 'rb') as other, mmap.mmap(other.fileno(), 0, prot=mmap.PROT_READ) as seen:
        assert seen[5000:5004] == b'late'
        mapped[9000:9004] = b'more'
        assert seen[9000:9004] == b'more'
    mapped.flush()
print(open(path, 'rb').read()[5000:9004].strip(b'.'))
"""


def test_a_file_written_through_a_memory_map_is_seen_by_others(bench: Bench) -> None:
    bench.python(bench.data, "open('/v/index', 'wb').write(b'.' * 20000)")
    room = bench.snapshot()
    clone = cloned(bench, room)
    said = bench.python(clone, MAPPED)
    assert said.startswith("b'late")
    assert said.endswith("more'\n")
    bench.vault.verify(room)


def test_a_file_is_written_and_read_past_the_cache(bench: Bench) -> None:
    bench.shell(bench.data, "head -c 1M /dev/zero >pages")
    room = bench.snapshot()
    clone = cloned(bench, room)
    direct = "bs=4096 oflag=direct status=none conv=notrunc,fsync"
    bench.shell(clone, f"yes | head -c 4096 >/tmp/block; dd if=/tmp/block of=pages seek=9 {direct}")
    bench.shell(clone, f"dd if=/tmp/block of=fresh {direct}")
    read = "dd if=pages bs=4096 skip=9 count=1 iflag=direct status=none | cmp - /tmp/block; cmp fresh /tmp/block"
    assert bench.shell(clone, read) == ""
    bench.vault.verify(room)


WRITER = """
import sqlite3, time
db = sqlite3.connect('/v/db')
db.execute('pragma journal_mode=wal')
db.execute('pragma wal_autocheckpoint=0')
db.execute('create table t(n)')
for n in range(1000):
    with db:
        db.execute('insert into t values(?)', (n,))
open('/v/filled', 'w').close()
time.sleep(100000)
"""
READER = """
import sqlite3
db = sqlite3.connect('/v/db')
assert db.execute('pragma integrity_check').fetchone() == ('ok',)
with db:
    db.execute('insert into t values(-1)')
db.execute('pragma wal_checkpoint(truncate)')
print(db.execute('select count(*) from t').fetchone()[0])
"""


def test_a_database_with_all_its_rows_still_in_its_log_is_whole_on_several_clones_at_once(bench: Bench) -> None:
    writer = bench.container("refloat/tools:1", bench.data, "/v", Cmd=["python3", "-c", WRITER], StopSignal="KILL")
    bench.shell(bench.data, "for n in $(seq 3000); do [ -e filled ] && exit; sleep 0.1; done; exit 1")
    room = bench.room()
    bench.vault.warm_copy(room, bench.sources)
    bench.engine.pause(writer)
    bench.vault.cold_copy(room, bench.sources)
    bench.vault.seal(room, bench.sources, {})
    bench.engine.unpause(writer)
    clones = [cloned(bench, room, f"clone{number}") for number in range(3)]
    assert [bench.python(clone, READER) for clone in clones] == ["1001\n"] * 3
    bench.shell(clones[0], "rm db")
    assert bench.python(clones[1], READER) == "1002\n"
    bench.vault.verify(room)
