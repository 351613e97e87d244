"""Pulling from a real registry on the loopback of the engine: what is fetched, when, and what is said if not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine.upgrade_lab import MISBEHAVE, Bench, bench_on
from tests.lab.engines import until

REGISTRY = "refloat-lab/registry:2.8.2"
DROP_LAYERS = """find /data -path '*/blobs/*' -name data | while read -r blob; do
    [ "$(head -c 2 "$blob" | od -An -tx1 | tr -d ' ')" != 1f8b ] || { rm "$blob" && echo dropped; }
done"""
"""Layers are gzip files; manifests and configurations stay."""


@dataclass(frozen=True)
class Pulling:
    """A bench whose target runs an image of a registry."""

    bench: Bench
    home: str

    def push(self, source: str, tag: str) -> None:
        """Put an image into the registry, and leave nothing of it here."""
        self.have(source, tag)
        self.bench.docker("push", "--quiet", f"{self.home}:{tag}")
        self.bench.docker("rmi", "--no-prune", f"{self.home}:{tag}")

    def have(self, source: str, tag: str) -> None:
        """Give a local image the registry's name."""
        self.bench.docker("tag", source, f"{self.home}:{tag}")

    def start(self, tag: str) -> None:
        """The target: version 1.0 under this tag."""
        self.push(f"{MISBEHAVE}:1.0", tag)
        self.bench.docker("pull", "--quiet", f"{self.home}:{tag}")
        self.bench.target_with_data(f"{self.home}:{tag}")

    def version(self) -> str:
        """What the target says it is."""
        return self.bench.exec("wget", "-q", "-O", "-", "http://127.0.0.1:8000/version")

    def registry(self, verb: str, *line: str) -> str:
        """One docker command on the registry itself."""
        return self.bench.docker(verb, f"{self.bench.name}-registry", *line)


@pytest.fixture
def pulling(lab_images: str, tmp_path: Path) -> Iterator[Pulling]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        # Published on the loopback of the engine itself: only there is a registry trusted without TLS.
        name = f"{bench.name}-registry"
        bench.run(REGISTRY, "--publish", "127.0.0.1::5000", name=name)
        address = bench.docker("port", name, "5000/tcp").splitlines()[0]
        try:
            yield ready(Pulling(bench, f"{address}/{bench.name}"))
        finally:
            forget(bench)


def ready(pulling: Pulling) -> Pulling:
    until(lambda: answers(pulling), "the registry answers")
    return pulling


def answers(pulling: Pulling) -> bool:
    """Whether it takes an image."""
    pulling.have(f"{MISBEHAVE}:1.0", "ready")
    pushed = pulling.bench.docker("push", "--quiet", f"{pulling.home}:ready", check=False)
    pulling.bench.docker("rmi", "--no-prune", f"{pulling.home}:ready")
    return bool(pushed)


def forget(bench: Bench) -> None:
    """Take the registry's names away from the lab's images."""
    bench.clear()
    named = bench.docker("images", "--digests", "--format", "{{.Repository}}@{{.Digest}}", f"*/{bench.name}*").split()
    if digests := [name for name in named if not name.endswith("<none>")]:
        bench.docker("rmi", "--no-prune", *digests, check=False)


def test_a_version_that_is_not_here_is_pulled(pulling: Pulling) -> None:
    pulling.start("1.0")
    pulling.push(f"{MISBEHAVE}:2.0", "2.0")
    refused = pulling.bench.plan("--to", "2.0", "--pull", "never", "--json")
    assert (refused.status, refused.error) == (3, "no-such-image")
    pulling.bench.upgraded("--to", "2.0")
    assert (pulling.version(), pulling.bench.target.image_ref) == ("2.0", f"{pulling.home}:2.0")


def test_a_tag_that_moved_is_followed_where_that_is_asked_for(pulling: Pulling) -> None:
    pulling.start("release")
    pulling.push(f"{MISBEHAVE}:2.0", "elsewhere")
    pulling.bench.docker("pull", "--quiet", f"{pulling.home}:elsewhere")
    move(pulling, "release")
    same = pulling.bench.plan("--to", "release")
    assert (same.status, "already" in same.out) == (0, True)
    pulling.bench.upgraded("--to", "release", "--pull", "always")
    assert pulling.version() == "2.0"


def move(pulling: Pulling, tag: str) -> None:
    """Version 2.0 under the tag of 1.0, in the registry alone."""
    pulling.push(f"{MISBEHAVE}:2.0", tag)
    pulling.have(f"{MISBEHAVE}:1.0", tag)


def test_a_plan_is_carried_out_with_the_image_it_names_by_digest_although_the_tag_moved_and_the_image_is_gone(
    pulling: Pulling, tmp_path: Path
) -> None:
    bench, saved = pulling.bench, str(tmp_path / "plan.json")
    pulling.start("1.0")
    for label in ("reviewed", "moved"):
        bench.build(f"{bench.name}/own:{label}", f"FROM {MISBEHAVE}:2.0\nLABEL {label}=yes\n")
    pulling.push(f"{bench.name}/own:reviewed", "next")
    bench.docker("rmi", f"{bench.name}/own:reviewed")
    planned = bench.plan("--to", "next", "--dwell", "1", "--out", saved)
    assert planned.status == 0, planned.out + planned.err
    digest = next(line.split()[1] for line in planned.out.splitlines() if line.startswith("  digest "))
    pulling.push(f"{bench.name}/own:moved", "next")
    bench.docker("rmi", digest)
    ran = bench.refloat("apply", saved)
    assert ran.status == 0, ran.out + ran.err
    assert bench.target.labels["reviewed"] == "yes"
    assert bench.target.image_ref == digest


def test_a_tag_that_is_known_to_move_is_followed_unasked_and_comes_back_by_its_image(pulling: Pulling) -> None:
    pulling.start("latest")
    move(pulling, "latest")
    pulling.bench.upgraded("--to", "latest")
    assert pulling.version() == "2.0"
    ran = pulling.bench.refloat("rollback", pulling.bench.name, "--yes")
    assert ran.status == 0, ran.out + ran.err
    assert pulling.version() == "1.0"


def test_a_registry_that_is_down_is_said_and_the_local_image_taken(pulling: Pulling) -> None:
    pulling.start("latest")
    pulling.have(f"{MISBEHAVE}:2.0", "latest")
    pulling.registry("kill")
    planned = pulling.bench.plan("--to", "latest")
    assert planned.status == 0, planned.out + planned.err
    assert "could not be pulled" in planned.out
    refused = pulling.bench.plan("--to", "3.0", "--json")
    assert (refused.status, refused.error) == (3, "registry-unreachable")
    pulling.bench.upgraded("--to", "latest")
    assert pulling.version() == "2.0"


def test_a_tag_that_the_registry_does_not_have_is_refused_by_its_name(pulling: Pulling) -> None:
    pulling.start("1.0")
    refused = pulling.bench.plan("--to", "9.9", "--json")
    assert (refused.status, refused.error) == (3, "no-such-image")
    assert f"{pulling.home}:9.9" in refused.out


def test_a_pull_that_fails_half_way_is_a_refusal_although_the_answer_began_well(pulling: Pulling) -> None:
    pulling.start("1.0")
    old = pulling.bench.target
    own = f"{pulling.bench.name}/own:2.0"
    pulling.bench.build(own, f"FROM {MISBEHAVE}:2.0\nRUN echo {pulling.bench.name} >/layer\n")
    pulling.push(own, "2.0")
    pulling.bench.docker("rmi", own)
    assert "dropped" in pulling.registry("exec", "sh", "-c", DROP_LAYERS)
    ran = pulling.bench.apply("--to", "2.0")
    assert ran.status == 3, ran.out + ran.err
    assert f"{pulling.home}:2.0 cannot be had" in ran.err
    assert (pulling.bench.target.id, pulling.bench.target.state.started_at) == (old.id, old.state.started_at)
