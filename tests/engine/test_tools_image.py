"""The image that copies data is made where it is missing or of another age; where it cannot be, it is said how to."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

import pytest

from runner.engine.docker import connect_engine
from runner.vault.port import VaultError
from runner.vault.tools_image import BASE, MADE_OF, ensure_tools_image, own_programs_of
from runner.vault.vault import DockerVault
from tests.engine.vault_bench import Bench, laid_out

LAB_BASE = "refloat-lab/base:bookworm"
NO_BASE = "refloat-lab/no-such-base:1"


@pytest.fixture
def bench(engine_host: str, leftovers: str) -> Iterator[Bench]:
    engine = connect_engine(engine_host)
    with laid_out(engine, leftovers) as laid:
        yield laid
    engine.untag(image_of(laid))


def image_of(bench: Bench) -> str:
    return f"refloat-lab/{bench.mark}-tools:1"


def test_it_is_built_once_where_it_is_missing_and_copies(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BASE, LAB_BASE)
    bench.shell(bench.data, "echo 1 >a")
    told: list[str] = []
    bench.vault = DockerVault(bench.engine, image_of(bench), told.append)
    room = bench.snapshot()
    bench.shell(bench.data, "echo 2 >a")
    bench.vault.restore(room, bench.sources)
    assert bench.shell(bench.data, "cat a") == "1\n"
    assert told == [f"building {image_of(bench)}, which copies the data (once)"]
    ensure_tools_image(bench.engine, image_of(bench), told.append)
    assert len(told) == 1


def test_one_that_another_version_of_refloat_built_is_built_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BASE, LAB_BASE)
    ensure_tools_image(bench.engine, image_of(bench), lambda _: None)
    now = bench.engine.image(image_of(bench))
    relabelled = b"FROM " + image_of(bench).encode() + b"\n"
    bench.engine.build(packed(relabelled), image_of(bench), arguments={}, labels={MADE_OF: "another"})
    assert bench.engine.image(image_of(bench)).id != now.id
    ensure_tools_image(bench.engine, image_of(bench), lambda _: None)
    assert bench.engine.image(image_of(bench)).labels[MADE_OF] == now.labels[MADE_OF]


def test_where_there_is_no_base_it_is_made_of_this_machines_programs_and_restores_in_every_respect(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BASE, NO_BASE)
    bench.python(bench.data, "grow(b'/v', random.Random(7), 40)")
    before = bench.portrait(bench.data)
    told: list[str] = []
    bench.vault = DockerVault(bench.engine, image_of(bench), told.append)
    room = bench.snapshot()
    bench.python(bench.data, "damage(b'/v', random.Random(7), 15)")
    assert bench.portrait(bench.data) != before
    bench.vault.restore(room, bench.sources)
    assert bench.portrait(bench.data) == before
    bench.vault.verify(room)
    assert told[-2].startswith("it cannot be built: ")
    assert "made of this machine's own programs instead" in told[-1]
    assert own_programs_of(bench.engine.image(image_of(bench))) is not None
    ensure_tools_image(bench.engine, image_of(bench), told.append)
    assert len(told) == 3, "it is made once"


def test_where_this_machines_programs_are_of_no_use_nothing_is_touched_and_two_ways_are_named(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BASE, NO_BASE)
    here = bench.engine.engine()
    monkeypatch.setattr(bench.engine, "engine", lambda: here.model_copy(update={"architecture": "s390x"}))
    with pytest.raises(VaultError) as no:
        DockerVault(bench.engine, image_of(bench)).measure(bench.place, bench.sources)
    assert no.value.code == "no-tools"
    assert "could not be built here" in no.value.what
    assert "the engine's linux/s390x" in no.value.what
    assert f"export {BASE}=" in no.value.then
    assert f"docker build --tag {image_of(bench)} " in no.value.then
    assert "docker save" in no.value.then


def packed(dockerfile: bytes) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile)
        tar.addfile(member, io.BytesIO(dockerfile))
    return whole.getvalue()
