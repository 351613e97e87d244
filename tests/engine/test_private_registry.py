"""Looking into a private registry with TLS and a password: what is there, what could not be seen, and going there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.registry_lab import PASSWORD, PrivateRegistry, authority, private_registry
from tests.engine.upgrade_lab import bench_on

BETWEEN = tuple(f"2.{minor}.{patch}" for minor in range(43, 53) for patch in range(5))
SMALL = "FROM refloat-lab/busybox:1\nLABEL org.opencontainers.image.version=2.42.0\n"
"""What runs does not matter where only its tags are looked at."""


@pytest.fixture
def registry(
    lab_images: str, engine_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PrivateRegistry]:
    with (
        bench_on(lab_images, tmp_path / "home") as bench,
        private_registry(bench, engine_address, tmp_path) as registry,
    ):
        monkeypatch.setenv("DOCKER_CONFIG", str(registry.config))
        yield registry


def versions(registry: PrivateRegistry, *line: str) -> dict[str, object]:
    ran = registry.bench.refloat("versions", registry.bench.name, "--json", *line)
    assert ran.status == 0, ran.out + ran.err
    assert PASSWORD not in ran.out + ran.err
    found: dict[str, object] = json.loads(ran.out)
    return found


def test_versions_sees_every_tag_of_a_registry_and_says_what_it_could_not_see(registry: PrivateRegistry) -> None:
    bench, small = registry.bench, f"{registry.bench.name}/small:1"
    bench.build(small, SMALL)
    registry.push(small, f"{bench.name}/prometheus", "2.42.0", "latest", "2.53.3", *BETWEEN)
    registry.docker("pull", "--quiet", f"{registry.host}/{bench.name}/prometheus:2.42.0")
    bench.run(f"{registry.host}/{bench.name}/prometheus:2.42.0", command=("sleep", "600"))
    seen = versions(registry)
    assert (seen["newest"], seen["registry"], seen["unseen"]) == ("2.53.3", registry.host, "")
    assert seen["registry_tags"] == len(BETWEEN) + 3
    assert versions(registry, "--offline")["registry"] == ""
    assert versions(registry, "--releases", "2.42.0,2.43.1")["newest"] == "2.43.1"
    registry.log_out()
    assert "wants a login" in str(versions(registry)["unseen"])
    registry.log_in()
    shutil.rmtree(authority(registry).parent)
    assert "certificate" in str(versions(registry)["unseen"])
    registry.bench.docker("kill", registry.container)
    silent = registry.bench.refloat("versions", registry.bench.name)
    assert (silent.status, f"The registry {registry.host}" in silent.out) == (0, True)


TAGS = {
    "prometheus": ("v2.53.0", "v2.53.3", "v3.5.3", "v3.6.0-rc.0", "main", "latest"),
    "zabbix-server-pgsql": ("ubuntu-7.0-latest", "ubuntu-7.0.22", "ubuntu-7.0.29", "7.0.30-alpine", "alpine-7.4.1"),
    "check-mk-raw": ("2.2.0p47", "2.3.0p10", "2.3.0p43", "2.4.0p23", "2.4.0-latest", "2.5.0-2025.05.01"),
    "postgres": ("17.2-bookworm", "17.5-bookworm", "17.9-alpine3.21", "18.1-bookworm", "18-bookworm", "bookworm"),
    "mariadb": ("10.11.14", "11.8.6", "11.8", "lts", "11.8.9-ubi"),
    "redis": ("7.4-alpine", "7.4.1-alpine", "7.4.5-alpine", "8.0.2-alpine", "8.0.6", "alpine"),
}
"""Of each product what runs, and the other tags of its repository, as its vendor writes them."""
AHEAD = {
    "prometheus": ("v3.5.3", "v3.5.3", ""),
    "zabbix-server-pgsql": ("7.0.29", "7.0.29", ""),
    "check-mk-raw": ("2.4.0p23", "2.4.0p23", ""),
    "postgres": ("18.1", "17.5", "same-major-only"),
    "mariadb": ("11.8.6", "11.8.6", ""),
    "redis": ("8.0.2", "8.0.2", ""),
}
"""The newest that exists of the running variant, the newest within reach, and the rule that bars the rest."""
UNLABELLED = "FROM refloat-lab/busybox:1\nENV REDIS_VERSION=7.4.1 ZBX_VERSION=7.0.22\n"


def test_the_tags_of_every_vendor_are_read_from_a_registry(registry: PrivateRegistry) -> None:
    bench, small = registry.bench, f"{registry.bench.name}/small:2"
    bench.build(small, UNLABELLED)
    found = {}
    for product, tags in TAGS.items():
        running = f"{registry.host}/{bench.name}/{product}:{tags[0]}"
        registry.push(small, f"{bench.name}/{product}", *tags)
        bench.docker("tag", small, running)
        bench.docker("create", "--name", f"{bench.name}-{product}", running)
        ran = bench.refloat("versions", f"{bench.name}-{product}", "--json")
        assert ran.status == 0, ran.out + ran.err
        seen = json.loads(ran.out)
        assert seen["registry_tags"] == len(tags)
        found[product] = (seen["newest"], seen["reachable"], seen["rule"])
        assert bool(seen["why_not"]) == (seen["newest"] != seen["reachable"])
    assert found == AHEAD


def test_the_newest_and_a_series_are_found_in_the_registry_and_pulled(registry: PrivateRegistry) -> None:
    bench = registry.bench
    home = f"{registry.host}/{bench.name}/redis"
    for version in ("7.0.15", "8.0.2"):
        registry.push(f"refloat-lab/redis:{version}", f"{bench.name}/redis", version)
    registry.docker("pull", "--quiet", f"{home}:7.0.15")
    bench.run(f"{home}:7.0.15", "--volume", f"{bench.data}:/data")
    planned = bench.plan("--to", "8.0")
    assert planned.status == 0, planned.out + planned.err
    assert "8.0 is taken as 8.0.2" in planned.out
    assert bench.refloat("notes", bench.name, "--to", "newest", "--json").status == 0
    bench.acknowledge("8.0.0", "eight-permissions")
    ran = bench.upgraded("--to", "newest")
    assert (bench.target.image_ref, PASSWORD in ran.out + ran.err) == (f"{home}:8.0.2", False)
    again = bench.apply("--to", "newest")
    assert (again.status, "nothing newer within newest is known" in again.out) == (0, True)
