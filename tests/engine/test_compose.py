"""What runs and what is written stay one: with Debian's real docker-compose, v1 and v2, before and after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.command_line import Ran
from tests.engine.compose_lab import V1, V2, Shop, shop_on


@pytest.fixture(params=[V1, V2])
def shop(request: pytest.FixtureRequest, lab_images: str, tmp_path: Path) -> Iterator[Shop]:
    """With v2, which knows that, the service is in a file that is included."""
    with shop_on(lab_images, tmp_path, request.param, included=request.param == V2) as shop:
        yield shop


def refloat(shop: Shop, monkeypatch: pytest.MonkeyPatch, *line: str) -> Ran:
    monkeypatch.setenv("PATH", shop.path)
    monkeypatch.setenv("TMPDIR", str(shop.temporary))
    return shop.bench.refloat(*line)


def test_after_an_upgrade_and_after_going_back_compose_has_nothing_to_do(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, ids = shop.file.read_bytes(), shop.ids()
    upgraded = refloat(shop, monkeypatch, "apply", shop.db, "--to", "2.0", "--vault", shop.bench.vault, "--dwell", "1")
    assert upgraded.status == 0, upgraded.out + upgraded.err
    assert shop.file.read_bytes() == before.replace(b"misbehave:1.0", b"misbehave:2.0")
    new = shop.ids()
    assert (new["web"], new["db"] == ids["db"], shop.image()) == (ids["web"], False, "refloat-lab/misbehave:2.0")
    shop.compose("up", "-d")
    assert shop.ids() == new
    back = refloat(shop, monkeypatch, "rollback", shop.db, "--yes")
    assert back.status == 0, back.out + back.err
    assert shop.file.read_bytes() == before
    old = shop.ids()
    shop.compose("up", "-d")
    assert (shop.ids(), shop.image()) == (old, "refloat-lab/misbehave:1.0")


def test_a_failed_upgrade_leaves_the_file_and_compose_has_nothing_to_do(
    lab_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop_on(lab_images, tmp_path, V2) as shop:
        before, ids = shop.file.read_bytes(), shop.ids()
        failed = refloat(shop, monkeypatch, "apply", shop.db, "--to", "crash", "--vault", shop.bench.vault,
                         "--dwell", "1")  # fmt: skip
        assert failed.status == 5, failed.out + failed.err
        assert shop.file.read_bytes() == before
        shop.compose("up", "-d")
        assert shop.ids() == ids


def test_a_runner_that_dies_around_the_edit_leaves_what_runs_and_what_is_written_as_one(
    lab_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop_on(lab_images, tmp_path, V1) as shop:
        before, target = shop.file.read_bytes(), f"{shop.bench.name}_db_1"
        after = before.replace(b"misbehave:1.0", b"misbehave:2.0")
        for boundary, way, text in (
            ("performed edit-file", ("--back",), before),
            ("meant edit-file", (), after),
        ):
            monkeypatch.setenv("REFLOAT_DEBUG_KILL_AT", boundary)
            died = refloat(shop, monkeypatch, "apply", shop.db, "--to", "2.0", "--vault", shop.bench.vault,
                           "--dwell", "1")  # fmt: skip
            assert died.status == -9, died.err
            monkeypatch.delenv("REFLOAT_DEBUG_KILL_AT")
            assert refloat(shop, monkeypatch, "recover", target, *way, "--vault", shop.bench.vault).status == 0
            assert shop.file.read_bytes() == text
        assert shop.image() == "refloat-lab/misbehave:2.0"


def test_where_compose_removed_both_versions_of_an_open_run_the_old_one_comes_back_all_the_same(
    lab_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop_on(lab_images, tmp_path, V2) as shop:
        before, tree = shop.file.read_bytes(), shop.bench.tree()
        line = ("--vault", shop.bench.vault, "--dwell", "1", "--hold")
        held = refloat(shop, monkeypatch, "apply", shop.db, "--to", "migrates", *line)
        assert held.status == 0, held.told
        assert f"{shop.bench.name}-db-1-refloat-kept" in shop.compose("ps", "--all")
        shop.compose("down")
        gone = refloat(shop, monkeypatch, "rollback", f"{shop.bench.name}-db-1", "--yes")
        assert (gone.status, "docker compose up -d" in gone.err) == (3, True), gone.told
        shop.compose("up", "-d")
        assert shop.image() == "refloat-lab/misbehave:migrates"
        back = refloat(shop, monkeypatch, "rollback", shop.db, "--yes")
        assert back.status == 0, back.told
        assert (shop.file.read_bytes(), shop.bench.tree()) == (before, tree)
        old = shop.ids()
        shop.compose("up", "-d")
        assert (shop.ids(), shop.image()) == (old, "refloat-lab/misbehave:1.0")


def test_the_plan_shows_the_change_or_says_what_will_drift(
    lab_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop_on(lab_images, tmp_path, V2) as shop:
        line = ("plan", shop.db, "--to", "2.0", "--vault", shop.bench.vault)
        plain = refloat(shop, monkeypatch, *line).out
        assert '      - image: "refloat-lab/misbehave:1.0"\n      + image: "refloat-lab/misbehave:2.0"\n' in plain
        assert "compose-" not in plain
        assert "correct-horse" not in plain
        assert "[compose-open]" in refloat(shop, monkeypatch, *line, "--hold").out
        without = refloat(shop, monkeypatch, *line, "--no-edit").out
        assert f"the compose file of {shop.db} is not edited: it was not wished." in without
        assert "[compose-drift]" in without
        shop.file.write_bytes(shop.file.read_bytes().replace(b"unless-stopped", b"always"))
        assert "[compose-hash]" in refloat(shop, monkeypatch, *line).out
        shop.file.unlink()
        gone = refloat(shop, monkeypatch, *line).out
        assert "docker-compose.yml (in " in gone
        assert "is not on this machine" in gone
