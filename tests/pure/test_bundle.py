"""The bundle's file: what is written is read again, and nothing that was changed on the way passes for whole."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from runner.bundle import IMAGES, BundleHead, Packed, images_in, read_bundle, write_bundle
from runner.bundling import load_bundle
from runner.engine.freight import Freight
from runner.engine.memory import MemoryEngine
from runner.errors import Refused, UsageError
from runner.recipes.loader import is_own, put_first, recipe_from_file, shipped_texts, text_of
from runner.recipes.reading import recipe_from_yaml

PIECES = [b"layer one " * 400, b"", b"layer two " * 900]


def head() -> BundleHead:
    images = (Packed(ref="mon:2", id="sha256:aa"), Packed(ref="refloat/tools:1", id="sha256:bb"))
    return BundleHead(made_at="2024-01-01", target="mon", path=("1", "2"), images=images, os="linux",
                      architecture="amd64", recipe="mon")  # fmt: skip


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    file = tmp_path / "mon.bundle"
    write_bundle(file, head(), "name: mon\n", iter(PIECES))
    return file


def code_of(file: Path) -> str:
    with pytest.raises(Refused) as no:
        read_bundle(file)
    return no.value.code


def test_what_was_packed_is_read_again_piece_by_piece_and_any_tar_can_look_inside(bundle: Path) -> None:
    assert read_bundle(bundle) == (head(), "name: mon\n")
    assert b"".join(images_in(bundle)) == b"".join(PIECES)
    with tarfile.open(bundle) as tar:
        assert tar.getmember(IMAGES).size == sum(map(len, PIECES))
    assert [each.name for each in bundle.parent.iterdir()] == ["mon.bundle"]


def test_no_byte_can_change_and_no_end_be_missing_unseen(bundle: Path) -> None:
    whole = bundle.read_bytes()
    content = [at for at in range(0, len(whole) - 1024, 97) if whole[at]]
    for at in content:
        bundle.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            assert code_of(bundle) in ("bundle-damaged", "bundle-foreign")
        except pytest.fail.Exception:
            # A byte of a tar header that nobody reads (an owner's name) may change: what is loaded may not.
            assert (read_bundle(bundle), b"".join(images_in(bundle))) == ((head(), "name: mon\n"), b"".join(PIECES))
    for end in (0, 100):
        bundle.write_bytes(whole[:end])
        assert code_of(bundle) == "bundle-foreign"
    for end in (512, 700, len(whole) // 2, len(whole) - 3000):
        bundle.write_bytes(whole[:end])
        assert code_of(bundle) == "bundle-damaged"


def test_a_file_that_is_no_bundle_is_called_so(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("not a tar at all")
    assert code_of(other) == "bundle-foreign"
    with tarfile.open(other, "w") as tar:
        tar.add(__file__, "manifest.json")
    assert code_of(other) == "bundle-foreign"
    for unread in (tmp_path / "missing", tmp_path):
        with pytest.raises(UsageError):
            read_bundle(unread)


def test_a_bundle_that_cannot_be_finished_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> object:
        yield b"some"
        raise OSError(28, "No space left on device")

    with pytest.raises(UsageError) as no:
        write_bundle(tmp_path / "b", head(), "", broken())  # type: ignore[arg-type]  # what it yields does not matter
    assert (no.value.code, list(tmp_path.iterdir())) == ("not-writable", [])


def test_a_recipe_that_cannot_be_read_here_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    unconnected = Freight.__new__(Freight)  # whoever asks it for anything fails
    for text in ("name: mon\nwhatever: 1\n", dict(shipped_texts())["redis.yaml"]):
        file = tmp_path / "mon.bundle"
        write_bundle(file, head().model_copy(update={"own_recipe": True}), text, iter(PIECES))
        with pytest.raises(Refused) as no:
            load_bundle(MemoryEngine(), unconnected, file, tmp_path / "recipes")
        assert no.value.code == "bundle-recipe"
        assert not (tmp_path / "recipes").exists()


def test_the_text_of_a_recipe_that_extends_another_is_whole_by_itself(tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text("# ours\nextends: redis\nname: ours\nnames: [ours]\nimages: []\nstop_timeout_s: 300\n")
    put_first([file])
    try:
        text = text_of("ours")
        assert (is_own("ours"), is_own("redis")) == (True, False)
    finally:
        put_first([])
    assert recipe_from_yaml(text, "bundle") == recipe_from_file(file)
    assert text_of("redis") == dict(shipped_texts())["redis.yaml"]
