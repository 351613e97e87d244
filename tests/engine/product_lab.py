"""What tests of real products share: asking a target over its own network, builds of no known version, neighbours."""

from __future__ import annotations

from dataclasses import replace

from tests.engine.upgrade_lab import BUSYBOX, Bench


def fetch(bench: Bench, url: str, *options: str) -> str:
    """What the target answers, asked from inside its own network; nothing where it does not."""
    ask = ("wget", "-q", "-O", "-", *options, url)
    return bench.docker("run", "--rm", "--network", f"container:{bench.name}", BUSYBOX, *ask, check=False)


def unlabelled(bench: Bench, product: str, version: str) -> str:
    """A build of one's own whose version nobody can read, so that no rule of the vendor's speaks of it."""
    ref, variable = f"{bench.name}/{product}:ours", f"{product.upper().replace('-', '_')}_VERSION"
    bench.build(
        ref,
        f"FROM refloat-lab/{product}:{version}\nLABEL org.opencontainers.image.version=ours\nENV {variable}=ours\n",
    )
    return ref


def beside(bench: Bench, role: str) -> Bench:
    """Another target of the same home, whose name begins with the bench's; the bench clears it away."""
    return replace(bench, name=f"{bench.name}-{role}")
