"""Sorts the engine's refusals into our errors by status and wording, so that code asks for a code; it calls nobody."""

from __future__ import annotations

import re
from typing import NamedTuple

from runner.errors import Conflict, EngineError, NotFound

STANDS = "The engine refused this one request; nothing came of it."


class Rule(NamedTuple):
    """What a wording means: which error, which code, what to do about it."""

    wording: str
    kind: type[EngineError]
    code: str
    then: str = ""


# The order matters: the first match wins. The wordings are those of Engine 20.10 to 29 and Podman 4 and 5.
RULES = (
    Rule(r"no space left on device|disk quota exceeded", EngineError, "no-space",
         "Free space where the engine keeps its data (docker system df), then try again."),
    Rule(r"cannot update a (stopped container|deleted process)|task \S+ not found|task already finished|"
         r"is restarting, wait until|runc did not terminate .*not running", Conflict, "restarting",
         "It restarts again and again: stop it, or wait."),
    Rule(r"unable to start container process|oci runtime|runtime create failed|error during container init|"
         r"executable file not found", EngineError, "cannot-start",
         "Check the command, the entrypoint and the mounts it was given."),
    Rule(r"container name .* is already in use|name .* is (already )?in use|network with name .* already exists|"
         r"network already exists", Conflict, "name-taken"),
    Rule(r"port is already allocated|address already in use.*listen|listen .* address already in use|"
         r"bind: address already in use|ports are not available|failed to bind .*port", Conflict, "port-taken",
         "See who listens there: docker ps --filter publish=PORT, or ss -ltnp on the engine's host."),
    Rule(r"address already in use|requested ip address .* already allocated|address .* is already (allocated|in use)",
         Conflict, "address-taken", "See who has the address: docker network inspect NETWORK."),
    Rule(r"endpoint with name .* already exists|already (attached|connected) to", Conflict, "already-joined"),
    Rule(r"x509: certificate signed by unknown authority|certificate verify failed|x509: ", EngineError,
         "registry-unknown-ca", "Give the engine the registry's CA (/etc/docker/certs.d/REGISTRY/ca.crt)."),
    Rule(r"toomanyrequests|rate limit|too many requests", EngineError, "registry-rate-limit",
         "Log in (docker login) or wait; the limit belongs to the registry."),
    Rule(r"manifest( for .*)? (unknown|not found)|manifest .* not found|tag .* not found|no such manifest",
         NotFound, "registry-no-such-tag", "Check the name and the tag on the registry."),
    Rule(r"pull access denied|repository does not exist|unauthorized|authentication required|no basic auth|"
         r"requested access to the resource is denied|denied: ", EngineError, "registry-denied",
         "Check the name, and log in where the registry wants it: docker login REGISTRY."),
    Rule(r"server gave http response to https client|connection refused.*/v2/|/v2/.*(dial|timeout|eof|refused|reset)|"
         r"dial tcp|no such host|tls handshake timeout|client\.timeout exceeded|i/o timeout|"
         r"server misbehaving|network is unreachable|error pinging docker registry", EngineError,
         "registry-unreachable", "Check the registry's name and the engine's network (proxy, DNS)."),
    Rule(r"no matching manifest for|image operating system .* cannot be used|exec format error", EngineError,
         "wrong-platform", "Take an image made for the engine's architecture."),
    Rule(r"no such image|image .*not found|unable to find image|image not known", NotFound, "no-such-image",
         "Pull it first, or check the name: docker images."),
    Rule(r"no such (container|exec|volume|network)|(network|volume|container) \S+ not found|"
         r"could not find the file|no such file or directory|get .*: no such volume", NotFound, "not-found"),
    Rule(r"marked for removal", NotFound, "not-found"),
    Rule(r"volume is in use|volume .* (is )?being used", Conflict, "volume-in-use",
         "See who uses it: docker ps -a --filter volume=NAME."),
    Rule(r"has active endpoints", Conflict, "network-in-use", "See who is joined: docker network inspect NETWORK."),
    Rule(r"image is being used|is using its referenced image|unable to (remove|delete) ", Conflict, "image-in-use"),
    Rule(r"is not running|not running|non running", Conflict, "not-running"),
    Rule(r"already paused", Conflict, "already-paused"),
    Rule(r"is not paused", Conflict, "not-paused"),
    Rule(r"does not support reading|logging driver", EngineError, "logs-unreadable",
         "Read the log where its logging driver sends it."),
)  # fmt: skip

BY_STATUS: dict[int, Rule] = {
    400: Rule("", EngineError, "bad-request"),
    401: Rule("", EngineError, "engine-denied", "Check the engine's certificates or authorisation plugin."),
    403: Rule("", EngineError, "engine-denied", "Check the engine's certificates or authorisation plugin."),
    404: Rule("", NotFound, "not-found"),
    409: Rule("", Conflict, "conflict"),
    501: Rule("", EngineError, "unsupported"),
}
FAILED = Rule("", EngineError, "engine-failed", "See the engine's own log: journalctl -u docker.")


def refusal(status: int, message: str, doing: str) -> EngineError:
    """Yield the error for an answer of the engine: its status, its message, and what we were doing."""
    rule = rule_for(status, message)
    said = message.strip() or f"status {status}"
    return rule.kind(rule.code, f"The engine could not {doing}: {said}", STANDS, rule.then)


def rule_for(status: int, message: str) -> Rule:
    """Find what a refusal means: its wording first, else its status."""
    said = " ".join(message.lower().split())
    for rule in RULES:
        if re.search(rule.wording, said):
            return rule
    return BY_STATUS.get(status, FAILED)
