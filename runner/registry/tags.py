"""Asks a registry for the tags of a repository and for the digest of one; it pulls nothing and keeps nothing."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from runner.clock import Clock
from runner.errors import RegistryError
from runner.registry.listing import Listing
from runner.registry.place import place_of
from runner.registry.wire import Answer, RegistryWire

PAGE = 1000
MOST_PAGES = 500
MANIFESTS = ", ".join((
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
))  # fmt: skip

_PAGE = TypeAdapter(dict[str, object])


def read_tags(repository: str, clock: Clock) -> Listing:
    """All tags of a repository, page by page; RegistryError ``registry-…``."""
    place = place_of(repository)
    wire = RegistryWire(place, clock)
    answer = wire.ask(f"tags/list?n={PAGE}")
    tags = [*_tags_in(answer, place.host)]
    for _ in range(MOST_PAGES):
        if not answer.following:
            return Listing(repository=repository, registry=place.host, tags=tuple(dict.fromkeys(tags)))
        answer = wire.follow(answer.following)
        tags += _tags_in(answer, place.host)
    raise RegistryError("registry-odd", f"The registry {place.host} never comes to the end of its tags.")


def seen_tags(repository: str, clock: Clock) -> Listing:
    """The same, or the sentence why they could not be seen: looking around goes on without a registry."""
    try:
        return read_tags(repository, clock)
    except RegistryError as no:
        return Listing(repository=repository, registry=place_of(repository).host, unseen=no.what)


def read_digest(repository: str, tag: str, clock: Clock) -> str:
    """The digest a tag has in the registry now; RegistryError."""
    place = place_of(repository)
    answer = RegistryWire(place, clock).ask(f"manifests/{tag}", method="HEAD", accept=MANIFESTS)
    digest = answer.headers.get("Docker-Content-Digest", "")
    if not digest.startswith("sha256:"):
        raise RegistryError("registry-odd", f"The registry {place.host} names no digest for {place.path}:{tag}.")
    return digest


def _tags_in(answer: Answer, host: str) -> tuple[str, ...]:
    try:
        listed = _PAGE.validate_json(answer.body).get("tags")
    except ValidationError:
        what = f"The registry {host} does not answer as a registry does."
        raise RegistryError("registry-odd", what, then="Check its name and port.") from None
    return tuple(tag for tag in listed if isinstance(tag, str)) if isinstance(listed, list) else ()
