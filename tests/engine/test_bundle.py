"""A bundle for a host without a registry: what was packed arrives, a recipe of one's own too; damage loads nothing."""

from __future__ import annotations

from pathlib import Path

from tests.engine.test_ways import OWN_RECIPE
from tests.engine.upgrade_lab import MISBEHAVE, bench_on


def test_a_bundle_brings_the_images_back_and_a_damaged_one_brings_none(lab_images: str, tmp_path: Path) -> None:
    with bench_on(lab_images, tmp_path / "home") as bench:
        goal, file = f"{bench.name}/mon:2.0", tmp_path / "mon.bundle"
        brought = bench.home / "recipes/ours.yaml"
        recipe = OWN_RECIPE.replace("misbehave", "mon")
        for version in ("1.0", "2.0"):
            bench.build(f"{bench.name}/mon:{version}", f"FROM {MISBEHAVE}:{version}\nLABEL of={bench.name}\n")
        bench.run(f"{bench.name}/mon:1.0")
        packed = bench.engine.image(goal).id
        ours = tmp_path / "ours.yaml"
        ours.write_text(recipe)
        made = bench.refloat("bundle", "create", bench.name, "--to", "2.0", "-o", str(file), "--recipe", str(ours))
        assert made.status == 0, made.out + made.err
        assert "refloat/tools:1" in made.out
        bench.docker("rmi", goal)
        whole = file.read_bytes()
        middle = len(whole) // 2
        file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        refused = bench.refloat("bundle", "load", str(file), "--json")
        assert (refused.status, refused.error) == (3, "bundle-damaged")
        assert bench.docker("images", "--quiet", goal) == ""
        assert not brought.exists()
        file.write_bytes(whole)
        loaded = bench.refloat("bundle", "load", str(file))
        assert loaded.status == 0, loaded.out + loaded.err
        assert bench.engine.image(goal).id == packed
        planned = bench.plan("--to", "2.0", "--pull", "never")
        assert (planned.status, "recipe ours" in planned.out, "77 s" in planned.out) == (0, True, True), planned.out
        assert brought.read_text() == recipe
